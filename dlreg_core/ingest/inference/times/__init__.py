"""Texts → dates, times of day and durations."""
