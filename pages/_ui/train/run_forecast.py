"""Train: what a run will need, found out beside the page while a person looks at it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import streamlit as st

from dlreg_core.errors import DlregError
from dlreg_core.runs import Outlook
from dlreg_core.specs import Dataset, Experiment, Recipe, TrainPlan
from dlreg_core.wording import outlook_words
from pages._ui.shared import services
from pages._ui.shared.sidebar import escaped

_SECONDS = 1
_KEPT_SECONDS = 120
"""Free memory changes: what was found is looked up again after this time."""


def known(dataset: Dataset, recipe: Recipe, plan: TrainPlan) -> Outlook | None:
    """Return what a run will need, None while that isn't known yet."""
    return _result(_asked(dataset, recipe, plan))


def refused(dataset: Dataset, recipe: Recipe, plan: TrainPlan) -> bool:
    """Tell whether it is known already that such a run can't be carried out."""
    found = known(dataset, recipe, plan)
    return found is not None and bool(found.refusal)


def show(dataset: Dataset, recipe: Recipe, plan: TrainPlan) -> None:
    """Show what a run will need as soon as it is known; the page doesn't wait for it."""
    future = _asked(dataset, recipe, plan)
    if future.done():
        _show(future)
    else:
        _wait(future)


def _show(future: Future[Outlook]) -> None:
    found = _result(future)
    if found is None:
        # The run itself looks again before it trains, so that nothing is lost.
        return
    text = escaped(outlook_words(found))
    if found.refusal:
        st.error(text, icon=":material/block:")
    else:
        st.markdown(text)


@st.fragment(run_every=_SECONDS)
def _wait(future: Future[Outlook]) -> None:
    if future.done():
        st.rerun()
    st.markdown(":gray[Looking at what it will need …]")


def _result(future: Future[Outlook]) -> Outlook | None:
    if not future.done():
        return None
    try:
        return future.result()
    except DlregError:
        return None


def _asked(dataset: Dataset, recipe: Recipe, plan: TrainPlan) -> Future[Outlook]:
    home, what = str(services.settings().home), (recipe.model_dump_json(), plan.model_dump_json())
    return _future(home, dataset.id, dataset.name, *what)


@st.cache_resource(show_spinner=False, max_entries=64, ttl=_KEPT_SECONDS)
def _future(home: str, dataset_id: str, dataset_name: str, recipe: str, plan: str) -> Future[Outlook]:
    del home
    experiment = Experiment(
        name=dataset_name,
        dataset_id=dataset_id,
        dataset_name=dataset_name,
        recipe=Recipe.model_validate_json(recipe),
        plan=TrainPlan.model_validate_json(plan),
    )
    return _pool().submit(services.scorer().preflight, services.settings().home, experiment)


@st.cache_resource(show_spinner=False)
def _pool() -> ThreadPoolExecutor:
    # One at a time: they all ask the one prediction process.
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="foresight")
