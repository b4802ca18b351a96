"""Searching a family's settings."""

from __future__ import annotations

from dlreg_core.search.parse_search import METHODS, parsed_values, search_from_texts
from dlreg_core.search.search_ranges import (
    MOST_TRIALS,
    USUAL_TRIALS,
    checked_range,
    checked_search,
    setting_range,
    usual_range,
)
from dlreg_core.search.searcher import Searcher

__all__ = [
    "METHODS",
    "MOST_TRIALS",
    "USUAL_TRIALS",
    "Searcher",
    "checked_range",
    "checked_search",
    "parsed_values",
    "search_from_texts",
    "setting_range",
    "usual_range",
]
