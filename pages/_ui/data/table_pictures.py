"""Data: pictures of the whole table, each worked out only once it is opened."""

from __future__ import annotations

import streamlit as st

from dlreg_core.charts.data.association_pictures import MOST_PATTERNS, AssociationPicture, MissingPicture
from dlreg_core.checks import (
    Associations,
    MissingPatterns,
    associations,
    columns_with_gaps,
    missing_patterns,
)
from dlreg_core.specs import Dataset
from dlreg_core.wording import association_words, missing_words
from pages._ui.shared import services
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import folded, picture

_MEASURE = (
    "0 not at all, 1 the same thing. Two numbers or dates: the absolute rank correlation. A number and a category: the "
    "correlation ratio. Two categories: Cramér's V. The last two are corrected for chance."
)


def gaps(dataset: Dataset) -> None:
    """Show which columns are missing in the same rows."""
    if not any(column.missing for column in dataset.columns):
        return
    part = folded("Which values are missing together?", "grid_on", f"gaps_{dataset.id}")
    if part.open:
        with part:
            found = _gaps(*services.place(), dataset.id)
            st.markdown(escaped(missing_words(found, dataset.rows)))
            picture(MissingPicture(found), key="missing_patterns")
            more = len(found.counts) - MOST_PATTERNS
            rarer = f" {more:,} rarer sets of columns are not shown." if more > 0 else ""
            st.caption(f"A line is a set of columns (orange) that the same rows lack.{rarer}")


def closeness(dataset: Dataset) -> None:
    """Show which columns go together."""
    part = folded("Which columns go together?", "join_inner", f"closeness_{dataset.id}")
    if part.open:
        with part:
            found = _closeness(*services.place(), dataset.id)
            st.markdown(escaped(association_words(found, dataset.rows)))
            if len(found.columns) > 1:
                picture(AssociationPicture(found), key="associations")
                st.caption(_MEASURE)


@st.cache_data(show_spinner="Comparing gaps", max_entries=16)
def _gaps(home: str, owner: str, dataset_id: str) -> MissingPatterns:
    store = services.store(home, owner)
    dataset = store.get(dataset_id)
    return missing_patterns(dataset, store.gaps(dataset_id, columns_with_gaps(dataset)))


@st.cache_data(show_spinner="Comparing columns", max_entries=16)
def _closeness(home: str, owner: str, dataset_id: str) -> Associations:
    store = services.store(home, owner)
    return associations(store.get(dataset_id), store.sample(dataset_id))
