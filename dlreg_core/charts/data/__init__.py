"""Figures of a table and of how it is prepared."""
