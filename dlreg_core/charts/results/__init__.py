"""Figures of how good models are, and where they are wrong."""
