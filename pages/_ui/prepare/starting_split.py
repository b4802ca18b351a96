"""Prepare: which split to start with, measured beside the page."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

import streamlit as st

from dlreg_core.checks import SplitAdvice, split_advice
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.recipe import Draft, measured_recipe, save_draft, with_advice
from dlreg_core.specs import Dataset, Recipe
from pages._ui.shared import services, session

PATIENCE = 0.5
"""Seconds that a page waits for it before it is shown without."""

_LOOKED_SECONDS = 1
"""Looking four times a second takes so much of a busy machine that what is waited for comes three times as late."""


def begin(dataset: Dataset, draft: Draft) -> bool:
    """Have it measured, if it isn't yet, and return whether it is known."""
    return draft.split_chosen or _running(dataset, draft).done()


def advice(dataset: Dataset, draft: Draft) -> SplitAdvice | None:
    """Return what was measured; None while it is being measured. `RecipeError` where no column is left."""
    try:
        return _running(dataset, draft).result(timeout=PATIENCE)
    except NotYet:
        return None


def settled(dataset: Dataset, draft: Draft) -> Draft:
    """Return a draft whose split a person chose, or was measured to be honest; it waits for that, and keeps it."""
    if draft.split_chosen:
        return draft
    running = _running(dataset, draft)
    if not running.done():
        with st.spinner("Measuring whether a random split flatters"):
            running.result()
    return started(draft, running.result())


def started(draft: Draft, found: SplitAdvice) -> Draft:
    """Return a draft that starts with the split that was measured to be honest, and keep it."""
    changed = with_advice(draft, found)
    if changed != draft:
        session.keep("draft", changed)
        identifier = session.dataset_id()
        if identifier is not None:
            save_draft(services.settings().home, services.owner(), identifier, changed)
    return changed


@st.fragment(run_every=_LOOKED_SECONDS)
def watch(dataset: Dataset, draft: Draft) -> None:
    """Say that it is being measured, and show the page anew when it is."""
    if _running(dataset, draft).done():
        st.rerun()
    st.caption("Measuring whether a random split flatters here.")


def _running(dataset: Dataset, draft: Draft) -> Future[SplitAdvice]:
    return _measuring(*services.place(), dataset.id, measured_recipe(dataset, draft).model_dump_json())


@st.cache_resource(show_spinner=False, max_entries=64)
def _measuring(home: str, owner: str, dataset_id: str, recipe_json: str) -> Future[SplitAdvice]:
    return _workers().submit(_measured, home, owner, dataset_id, recipe_json)


@st.cache_resource(show_spinner=False)
def _workers() -> ThreadPoolExecutor:
    # One at a time, so that pages stay quick while somebody tries which columns to leave out.
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="split")


def _measured(home: str, owner: str, dataset_id: str, recipe_json: str) -> SplitAdvice:
    store, made = DatasetStore(Path(home), owner), Recipe.model_validate_json(recipe_json)
    return split_advice(store.get(dataset_id), store.sample(dataset_id), made)
