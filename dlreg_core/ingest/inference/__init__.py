"""Columns as they stand in a file → values in their type, and why."""
