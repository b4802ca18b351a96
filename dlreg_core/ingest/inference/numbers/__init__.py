"""Texts → numbers and their units."""
