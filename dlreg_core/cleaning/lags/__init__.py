"""Columns made of earlier rows."""
