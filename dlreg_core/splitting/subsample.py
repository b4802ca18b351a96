"""How many rows of a very large table a run uses: no more than its time can do something with."""

from __future__ import annotations

import pandas as pd

from dlreg_core.ingest.batches import drawn
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.specs import Dataset, Experiment
from dlreg_core.splitting.split import RowNumbers

VALUES_PER_SECOND = 60_000
"""Values, rows times columns, that a second of a run's time is worth: networks see each several times, and preparing,
judging and explaining take their part."""

WHY_DRAWN = "more would not be used in this time"

_FEWEST = 500_000
"""From so many rows on a run may use less than all; below, the training itself decides."""


def rows_for(dataset: Dataset, seconds: float, most_rows: int = 0) -> int:
    """Return how many of a table's rows a run uses.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    seconds : float
        The time of the run.
    most_rows : int
        How many a person wants to be drawn; 0 leaves it to the time.
    """
    if most_rows:
        return min(dataset.rows, most_rows)
    worth = int(VALUES_PER_SECOND * seconds / max(1, len(dataset.columns)))
    return min(dataset.rows, max(_FEWEST, worth))


def seconds_for_all(dataset: Dataset) -> float:
    """Return the time in which a run would use all rows of a table."""
    return dataset.rows * len(dataset.columns) / VALUES_PER_SECOND


def rows_of(store: DatasetStore, experiment: Experiment) -> tuple[pd.DataFrame, RowNumbers | None]:
    """Return the rows that a run works with, and their places in the stored table; None where those are all.

    Parameters
    ----------
    store : DatasetStore
        Holds the table.
    experiment : Experiment
        Says which table, and for how long. The same rows come out every time.
    """
    dataset = store.get(experiment.dataset_id)
    count = rows_for(dataset, experiment.plan.time_limit, experiment.plan.most_rows)
    if count == dataset.rows:
        return store.table(dataset.id), None
    places = drawn(dataset.rows, count, experiment.recipe.split.seed)
    return store.rows(dataset.id, places), places
