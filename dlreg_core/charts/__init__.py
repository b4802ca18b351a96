"""Displays: each has a `frame()`, the table behind it, and a `plot()`, the figure, and `alt`, what is seen in words.

Residuals are actual - predicted everywhere: positive means that the prediction was too low.
"""
