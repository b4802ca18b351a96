"""What the core finds out about a finished run, cached for the browser's frequent reruns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from dlreg_core.evaluation import learning
from dlreg_core.evaluation.search_importance import SettingImportance, setting_importance
from dlreg_core.evaluation.segments import segments
from dlreg_core.report.searched import trial_table
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Event
from pages._ui import core


def segments_of(run_id: str, model: str) -> pd.DataFrame:
    """Return where a model is wrong, the worst group of test rows first."""
    return _segments(*core.result_key(run_id), model)


def setting_importance_of(run_id: str) -> SettingImportance | None:
    """Return which settings mattered in a finished run's search; None where it had none."""
    return _setting_importance(*core.result_key(run_id))


def training_events(run_id: str) -> tuple[Event, ...]:
    """Return what happened while the models of a finished run were trained, in all its tasks."""
    return _training_events(*core.result_key(run_id))


def network_curves(run_id: str) -> dict[str, learning.NetworkCurves]:
    """Return how the networks of a finished run learned; they must not be changed in place."""
    return _network_curves(*core.result_key(run_id))


@st.cache_data(show_spinner=False, max_entries=32)
def _segments(path: str, task: int, model: str) -> pd.DataFrame:
    del task
    run = RunFolder(Path(path))
    part, recipe, past = core.predictions(run.id), run.experiment().recipe, core.cleaner(run.id).past
    features = recipe.features if past is None else past.features(recipe.features)
    return segments(core.test_rows(run.id)[list(features)], part.actual, part.predicted[model])


@st.cache_data(show_spinner="Finding out what mattered", max_entries=16)
def _setting_importance(path: str, task: int) -> SettingImportance | None:
    del task
    run = RunFolder(Path(path))
    result, search = run.result(), run.experiment().plan.search
    if result is None or search is None:
        return None
    trials = trial_table(result, search)
    return setting_importance(trials[list(search.ranges)], trials["rmse_validation"])


@st.cache_data(show_spinner=False, max_entries=16)
def _training_events(path: str, task: int) -> tuple[Event, ...]:
    trained = [t for t in RunFolder(Path(path)).tasks() if t.number <= task and t.task().kind.trains]
    return tuple(event for t in trained for event in t.events().events)


@st.cache_resource(show_spinner=False, max_entries=8)
def _network_curves(path: str, task: int) -> dict[str, learning.NetworkCurves]:
    result = RunFolder(Path(path)).result()
    return learning.network_curves(result, _training_events(path, task)) if result is not None else {}
