"""Figures of what drives predictions."""
