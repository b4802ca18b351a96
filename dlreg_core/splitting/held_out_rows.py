"""The rows that judged a run, as they were given to its models."""

from __future__ import annotations

import pandas as pd

from dlreg_core.cleaning import Past, columns_made
from dlreg_core.cleaning.lags import Places
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.specs import Experiment
from dlreg_core.splitting.external_test import in_units


def judged_rows(store: DatasetStore, experiment: Experiment, places: Places, past: Past | None) -> pd.DataFrame:
    """Return the test rows of a run, with units converted and columns of earlier rows made.

    Parameters
    ----------
    store : DatasetStore
        Holds the run's table, and the person's own test file where there is one.
    experiment : Experiment
        What was run.
    places : ndarray of int, shape (rows,)
        Where the test rows stand in their table.
    past : Past, optional
        The columns of earlier rows, as they were fitted.

    Returns
    -------
    DataFrame
        In the order of `places`.
    """
    recipe = experiment.recipe
    held = recipe.split.test_dataset or experiment.dataset_id
    rows = store.rows(held, places)
    if recipe.cleaning.units:
        rows = in_units(store.get(held), rows, recipe.cleaning)
    if past is None:
        return rows
    # The rows of an own test file follow on from those of the run's table.
    whole = in_units(store.get(held), store.table(held, past.read_from(rows.columns)), recipe.cleaning)
    return rows.assign(**columns_made(whole, past, places, follows=recipe.split.test_dataset is not None))
