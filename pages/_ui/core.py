"""The pages' way into the core: cached where the browser's frequent reruns would repeat work."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import streamlit as st

from dlreg_core.evaluation.segments import segments
from dlreg_core.ingest import DatasetStore
from dlreg_core.jobs import Dispatcher, Scorer, open_dispatcher, open_scorer
from dlreg_core.jobs.scoring import Scored
from dlreg_core.prepare import Cleaner
from dlreg_core.prepare.form import load_cleaner
from dlreg_core.runs import Explanation, PartPredictions, RunFolder, RunStore, find_explanation, load_predictions
from dlreg_core.runs import open_store as _open_store
from dlreg_core.settings import Settings, load_settings
from dlreg_core.specs import Dataset, Event, Report


def settings() -> Settings:
    """Return the administrator's settings."""
    return load_settings()


def datasets() -> DatasetStore:
    """Return the data sets of this home."""
    return DatasetStore(settings().home)


def runs() -> RunStore:
    """Return the runs of this home."""
    return _open_store(settings())


def dispatcher() -> Dispatcher:
    """Return what starts and ends runs."""
    return open_dispatcher(settings())


def scorer() -> Scorer:
    """Return the client of the prediction process."""
    return open_scorer()


def dataset(dataset_id: str) -> Dataset:
    """Return a data set's profile."""
    return _dataset(str(settings().home), dataset_id)


def table(dataset_id: str) -> pd.DataFrame:
    """Return a data set's rows; they must not be changed in place."""
    return _table(str(settings().home), dataset_id)


def report(run_id: str) -> Report:
    """Return what a run adds up to."""
    return runs().report(run_id)


def run_folder(run_id: str) -> RunFolder:
    """Return the folder of a run."""
    return runs().folder(run_id)


def predictions(run_id: str) -> PartPredictions:
    """Return all models' predictions for the test rows of a finished run."""
    return _predictions(str(run_folder(run_id).path))


def explanation(run_id: str, model: str) -> Explanation | None:
    """Return the newest explanation of a model."""
    folder = run_folder(run_id)
    return _explanation(str(folder.path), model, len(folder.tasks()), sum(t.done() is not None for t in folder.tasks()))


def test_table(run_id: str) -> pd.DataFrame:
    """Return the table that holds a run's test rows: the own test file where there is one."""
    experiment = run_folder(run_id).experiment()
    return table(experiment.recipe.split.test_dataset or experiment.dataset_id)


def test_rows(run_id: str) -> pd.DataFrame:
    """Return the raw test rows of a run, in the order of their predictions."""
    return test_table(run_id).iloc[predictions(run_id).rows].reset_index(drop=True)


def cleaner(run_id: str) -> Cleaner:
    """Return the fitted cleaning of a finished run: which columns its models need."""
    return _cleaner(str(run_folder(run_id).path))


def segments_of(run_id: str, model: str) -> pd.DataFrame:
    """Return where a model is wrong, the worst group of test rows first."""
    return _segments(str(run_folder(run_id).path), model)


def training_events(run_id: str) -> tuple[Event, ...]:
    """Return what happened while a finished run was trained."""
    return _training_events(str(run_folder(run_id).path))


def predict_row(run_id: str, model: str, row: str) -> Scored:
    """Predict one raw row, given as JSON records; the same row is asked for once."""
    return _predict_row(str(run_folder(run_id).path), model, row)


def explain_row(run_id: str, model: str, row: str) -> tuple[list[float], float]:
    """Return the SHAP values of one raw row, given as JSON records, and what they start from."""
    return _explain_row(str(run_folder(run_id).path), model, row)


# Streamlit leaves arguments with a leading underscore out of the key, so these have none.
# Data sets and the results of finished tasks never change, so their place alone is key enough.
@st.cache_data(show_spinner=False, max_entries=32)
def _dataset(home: str, dataset_id: str) -> Dataset:
    return DatasetStore(Path(home)).get(dataset_id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _table(home: str, dataset_id: str) -> pd.DataFrame:
    return DatasetStore(Path(home)).table(dataset_id)


@st.cache_resource(show_spinner=False, max_entries=8)
def _predictions(path: str) -> PartPredictions:
    return load_predictions(RunFolder(Path(path)))


@st.cache_resource(show_spinner=False, max_entries=8)
def _explanation(path: str, model: str, tasks: int, done: int) -> Explanation | None:
    # The numbers are only there to look again after a task has ended.
    del tasks, done
    return find_explanation(RunFolder(Path(path)), model)


@st.cache_data(show_spinner=False, max_entries=32)
def _cleaner(path: str) -> Cleaner:
    return load_cleaner(RunFolder(Path(path)))


@st.cache_data(show_spinner=False, max_entries=32)
def _segments(path: str, model: str) -> pd.DataFrame:
    run = RunFolder(Path(path))
    part = predictions(run.id)
    return segments(test_rows(run.id)[list(run.experiment().recipe.features)], part.actual, part.predicted[model])


@st.cache_data(show_spinner=False, max_entries=16)
def _training_events(path: str) -> tuple[Event, ...]:
    return RunFolder(Path(path)).train_task().events().events


@st.cache_data(show_spinner=False, max_entries=256)
def _predict_row(path: str, model: str, row: str) -> Scored:
    return scorer().predict(RunFolder(Path(path)), pd.DataFrame(json.loads(row)), model)


@st.cache_data(show_spinner=False, max_entries=256)
def _explain_row(path: str, model: str, row: str) -> tuple[list[float], float]:
    values, base = scorer().explain(RunFolder(Path(path)), pd.DataFrame(json.loads(row)), model)
    return values.tolist(), base
