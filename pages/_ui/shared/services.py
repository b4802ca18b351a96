"""The pages' way into the core: cached where the browser's frequent reruns would repeat work."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import streamlit as st

from dlreg_core.cleaning import Cleaner
from dlreg_core.evaluation import load_cleaner
from dlreg_core.ingest.datasets import DatasetStore, note_opened
from dlreg_core.jobs import RunService, open_run_service
from dlreg_core.jobs.reading import ReaderBackedStore, open_readers
from dlreg_core.runs import Explanation, PartPredictions, RunFolder, find_explanation, load_predictions
from dlreg_core.scoring import Scored, Scorer, open_scorer
from dlreg_core.settings import Settings, load_settings
from dlreg_core.specs import Dataset, Reading, Report
from dlreg_core.splitting import judged_rows


def settings() -> Settings:
    """Return the administrator's settings."""
    return load_settings()


def owner() -> str:
    """Return whose data sets and runs the pages show."""
    return settings().owner


def place() -> tuple[str, str]:
    """Return what tells the data sets of this person apart from all others: the home and the owner."""
    return str(settings().home), owner()


def datasets() -> DatasetStore:
    """Return this person's data sets."""
    return store(*place())


def store(home: str, whose: str) -> DatasetStore:
    """Return the data sets of `place`."""
    return DatasetStore(Path(home), whose)


def reader_store() -> ReaderBackedStore:
    """Return what reads the files that this person hands in."""
    return ReaderBackedStore(settings().home, owner())


def expect_file() -> None:
    """Let a process stand by that reads the file which may be handed in next."""
    if settings().stand_by:
        open_readers().prepare()


def run_service() -> RunService:
    """Return this person's runs, and what can be done with them."""
    return open_run_service(settings(), owner())


def scorer() -> Scorer:
    """Return the client of the prediction process."""
    return open_scorer()


def dataset(dataset_id: str) -> Dataset:
    """Return a data set's profile, and note that it was opened; `NotFoundError` if it isn't there (any more)."""
    # What is remembered of it must not outlive it, whoever deletes it.
    note_opened(datasets().held(dataset_id))
    return _dataset(*place(), dataset_id)


def sample(dataset_id: str) -> pd.DataFrame:
    """Return the rows that stand for all of a data set; they must not be changed in place."""
    datasets().held(dataset_id)
    return _sample(*place(), dataset_id)


def has_data(report: Report) -> bool:
    """Tell whether the data that a run learned from, and was judged by, is still there."""
    return run_service().data.has(report.experiment)


def forget_data() -> None:
    """Forget what is remembered of rows: called after some were deleted."""
    for remembered in (_dataset, _preview_again, _sample, _test_rows, _explanation, _explain_row):
        remembered.clear()


def preview_again(dataset_id: str, reading: Reading) -> pd.DataFrame:
    """Return the first rows of a data set's file as they come out when it is read in another way."""
    return _preview_again(*place(), dataset_id, reading.model_dump_json())


def report(run_id: str) -> Report:
    """Return what a run adds up to."""
    return run_service().report(run_id)


def run_folder(run_id: str) -> RunFolder:
    """Return the folder of a run."""
    return run_service().folder(run_id)


def result_number(run_id: str) -> int:
    """Return the number of the task that left the run's result, 0 while there is none.

    A run that is continued gets another result: whatever is kept of one belongs to this number.
    """
    task = run_folder(run_id).result_task()
    return task.number if task is not None else 0


def predictions(run_id: str) -> PartPredictions:
    """Return all models' predictions for the test rows of a finished run."""
    return _predictions(*result_key(run_id))


def explanation(run_id: str, model: str) -> Explanation | None:
    """Return the newest explanation of a model."""
    tasks = run_folder(run_id).tasks()
    ended = tuple(t.number for t in tasks if t.done() is not None and (t.path / "explanations").is_dir())
    return _explanation(*result_key(run_id), model, ended)


def test_rows(run_id: str) -> pd.DataFrame:
    """Return the raw test rows of a run, in the order of their predictions; they must not be changed in place.

    `NotFoundError` where the data was deleted.
    """
    experiment = report(run_id).experiment
    datasets().held(experiment.recipe.split.test_dataset or experiment.dataset_id)
    return _test_rows(*place(), *result_key(run_id))


def cleaner(run_id: str) -> Cleaner:
    """Return the fitted cleaning of a finished run: which columns its models need."""
    return _cleaner(*result_key(run_id))


def predict_row(run_id: str, model: str, row: str) -> Scored:
    """Predict one raw row, given as JSON records; the same row is asked for once."""
    return _predict_row(*result_key(run_id), model, row)


def explain_row(run_id: str, model: str, row: str) -> tuple[list[float], float]:
    """Return the SHAP values of one raw row, given as JSON records, and what they start from."""
    return _explain_row(*result_key(run_id), model, row)


def result_key(run_id: str) -> tuple[str, int]:
    """Return what tells the result of a run apart from all others: the run's folder, and the task that left it."""
    return str(run_folder(run_id).path), result_number(run_id)


# Streamlit leaves arguments with a leading underscore out of the key, so these have none.
# A data set never changes, and neither does what a task has left: its place and the number of that task are key enough.
@st.cache_data(show_spinner=False, max_entries=32)
def _dataset(home: str, whose: str, dataset_id: str) -> Dataset:
    return store(home, whose).get(dataset_id)


@st.cache_data(show_spinner=False, max_entries=32)
def _preview_again(home: str, whose: str, dataset_id: str, reading: str) -> pd.DataFrame:
    return ReaderBackedStore(Path(home), whose).preview_again(dataset_id, Reading.model_validate_json(reading))


@st.cache_resource(show_spinner=False, max_entries=4)
def _sample(home: str, whose: str, dataset_id: str) -> pd.DataFrame:
    return store(home, whose).sample(dataset_id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _test_rows(home: str, whose: str, path: str, task: int) -> pd.DataFrame:
    experiment = RunFolder(Path(path)).experiment()
    return judged_rows(store(home, whose), experiment, _predictions(path, task).rows, _cleaner(path, task).past)


@st.cache_resource(show_spinner=False, max_entries=8)
def _predictions(path: str, task: int) -> PartPredictions:
    del task
    return load_predictions(RunFolder(Path(path)))


@st.cache_resource(show_spinner=False, max_entries=8)
def _explanation(path: str, task: int, model: str, ended: tuple[int, ...]) -> Explanation | None:
    # The numbers are only there to look again after a task has ended, or explanations were deleted.
    del task, ended
    return find_explanation(RunFolder(Path(path)), model)


@st.cache_data(show_spinner=False, max_entries=32)
def _cleaner(path: str, task: int) -> Cleaner:
    del task
    return load_cleaner(RunFolder(Path(path)))


@st.cache_data(show_spinner=False, max_entries=256)
def _predict_row(path: str, task: int, model: str, row: str) -> Scored:
    del task
    return scorer().predict(RunFolder(Path(path)), pd.DataFrame(json.loads(row)), model)


@st.cache_data(show_spinner=False, max_entries=256)
def _explain_row(path: str, task: int, model: str, row: str) -> tuple[list[float], float]:
    del task
    values, base = scorer().explain(RunFolder(Path(path)), pd.DataFrame(json.loads(row)), model)
    return values.tolist(), base
