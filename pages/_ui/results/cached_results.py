"""What the core finds out about a finished run, cached for the browser's frequent reruns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dlreg_core.array_types import Floats
from dlreg_core.charts.base.theme import model_colour
from dlreg_core.charts.results import residual_charts as charts
from dlreg_core.evaluation import (
    SettingImportance,
    epoch_curves,
    interval_of,
    segments,
    setting_importance,
    small_groups,
)
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Event
from dlreg_core.wording import diagnostics_text, trial_table
from pages._ui.shared import services
from pages._ui.shared.widgets import Display, on_dark


@dataclass(frozen=True, eq=False)
class DrawnDisplay:
    """A display that was drawn already, and the sentence that tells what is seen in it."""

    words: str
    alt: str
    display: Display
    figure: go.Figure

    @classmethod
    def of(cls, words: str, display: Display) -> DrawnDisplay:
        """Draw a display."""
        return cls(words, display.alt, display, display.plot())

    def frame(self) -> pd.DataFrame:
        """Return the table behind the picture."""
        return self.display.frame()

    def plot(self) -> go.Figure:
        """Return the picture."""
        return self.figure


def segments_of(run_id: str, model: str) -> pd.DataFrame:
    """Return where a model is wrong, the worst group of test rows first."""
    return _segments(*services.result_key(run_id), model)


def errors_seen(run_id: str, model: str, unit: str) -> dict[str, DrawnDisplay]:
    """Return the pictures of a model's errors with what is seen in each; they must not be changed in place."""
    return _errors_seen(*services.result_key(run_id), model, unit, on_dark())


def setting_importance_of(run_id: str) -> SettingImportance | None:
    """Return which settings mattered in a finished run's search; None where it had none."""
    return _setting_importance(*services.result_key(run_id))


def training_events(run_id: str) -> tuple[Event, ...]:
    """Return what happened while the models of a finished run were trained, in all its tasks."""
    return _training_events(*services.result_key(run_id))


def network_curves(run_id: str) -> dict[str, epoch_curves.NetworkCurves]:
    """Return how the networks of a finished run learned; they must not be changed in place."""
    return _network_curves(*services.result_key(run_id))


# A click that changes something else on the page would work all of them out again.
@st.cache_resource(show_spinner=False, max_entries=16)
def _errors_seen(path: str, task: int, model: str, unit: str, dark: bool) -> dict[str, DrawnDisplay]:
    # Figures take the colour of the ground that they are first shown on.
    del task, dark
    part = services.predictions(RunFolder(Path(path)).id)
    both = (part.actual, part.predicted[model], unit)
    spread, colour = diagnostics_text.distribution_words(*both), model_colour(model)
    dots = (*both, part.rows, colour)
    return {
        "predicted": DrawnDisplay.of(diagnostics_text.predicted_actual_words(*both), charts.PredictedActual(*dots)),
        "residuals": DrawnDisplay.of(
            diagnostics_text.residuals_predicted_words(*both), charts.ResidualsPredicted(*dots)
        ),
        "histogram": DrawnDisplay.of(spread, charts.ResidualHistogram(*both, colour=colour)),
        "normal": DrawnDisplay.of(spread, charts.QQPlot(*both, colour=colour)),
        "quantiles": DrawnDisplay.of(
            diagnostics_text.quantile_words(*both), charts.ErrorByQuantile(*both, colour=colour)
        ),
    }


def bounds_of(run_id: str, model: str) -> tuple[Floats, Floats]:
    """Return the ends of the 90 % intervals of a model's predictions of the test rows."""
    return _bounds(*services.result_key(run_id), model)


@st.cache_resource(show_spinner=False, max_entries=8)
def _bounds(path: str, task: int, model: str) -> tuple[Floats, Floats]:
    del task
    run = RunFolder(Path(path))
    return interval_of(run, model).bounds(services.predictions(run.id).predicted[model])


def small_groups_of(run_id: str) -> pd.DataFrame:
    """Return the groups of test rows that are too small to be looked at."""
    return _small_groups(*services.result_key(run_id))


@st.cache_data(show_spinner=False, max_entries=32)
def _segments(path: str, task: int, model: str) -> pd.DataFrame:
    del task
    run = RunFolder(Path(path))
    part = services.predictions(run.id)
    return segments(_features(run), part.actual, part.predicted[model])


@st.cache_data(show_spinner=False, max_entries=32)
def _small_groups(path: str, task: int) -> pd.DataFrame:
    del task
    return small_groups(_features(RunFolder(Path(path))))


def _features(run: RunFolder) -> pd.DataFrame:
    recipe, past = run.experiment().recipe, services.cleaner(run.id).past
    features = recipe.features if past is None else past.features(recipe.features)
    return services.test_rows(run.id)[list(features)]


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
def _network_curves(path: str, task: int) -> dict[str, epoch_curves.NetworkCurves]:
    result = RunFolder(Path(path)).result()
    return epoch_curves.network_curves(result, _training_events(path, task)) if result is not None else {}
