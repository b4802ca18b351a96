"""Figures of trainings and searches, while they go on and afterwards."""
