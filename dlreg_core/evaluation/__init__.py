"""Judging predictions: errors with their uncertainty, comparisons, intervals, and tables of where a model is wrong.

Everywhere in this package a residual is **actual - predicted**: positive means that the prediction was too low.
"""
