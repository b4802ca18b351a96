"""Figures → sentences for people; nothing reads them back."""
