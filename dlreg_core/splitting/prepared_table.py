"""A recipe applied to a table: raw training, validation and test rows, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning import (
    AS_IT_IS,
    MOST_ROWS_OF_STEP,
    Past,
    RowsAtHorizon,
    RowsWithPast,
    TargetTransform,
    added_to,
    coerce_column,
    fit_past,
    fit_target_transform,
    judged_steps,
    looked_up,
    outlying_rows,
    repaired,
    rows_at_horizon,
    split_at_horizon,
    written_of,
)
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.specs import (
    ColumnType,
    Dataset,
    Experiment,
    Recipe,
    RowCounts,
    TableFormat,
)
from dlreg_core.splitting.external_test import in_units, own_test_table
from dlreg_core.splitting.folds import fold_count, fold_numbers
from dlreg_core.splitting.near_duplicates import near_copies
from dlreg_core.splitting.part_ranges import moments_of_rows, part_spans
from dlreg_core.splitting.recipe_validation import check_recipe
from dlreg_core.splitting.split import RowNumbers, copies_to_keep_together, placeable, split_rows
from dlreg_core.splitting.subsample import rows_for, rows_of


@dataclass(frozen=True)
class PreparedTable:
    """Raw rows by part.

    ``train``, ``validation`` and ``test`` hold raw features; ``y_*`` the target as float64; ``rows_*`` the row numbers
    in the stored table (for the test part: in the own test file where there is one). With folds, all rows that aren't
    for the test are in ``train``, ``validation`` is empty, and ``folds`` has the fold of each. ``transform`` is fitted
    on the training targets; the targets here are in their own unit.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    y_train: NDArray[np.float64]
    y_validation: NDArray[np.float64]
    y_test: NDArray[np.float64]
    rows_train: RowNumbers
    rows_validation: RowNumbers
    rows_test: RowNumbers
    types: dict[str, ColumnType]
    day_first: dict[str, bool | None]
    counts: RowCounts
    folds: NDArray[np.int64] | None = None
    transform: TargetTransform = AS_IT_IS
    outlying: NDArray[np.bool_] | None = None
    past: Past | None = None
    looked: RowsWithPast | None = None
    looked_test: RowsWithPast | None = None
    written: TableFormat | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """How many steps ahead rows are judged, one by one; none where that is always the same."""
        past = self.past
        far = past is not None and past.ahead_column is not None and past.history.horizon > 1
        return judged_steps(past.history.horizon) if past is not None and far else ()

    @property
    def rows_ahead(self) -> int:
        """How many rows are predicted to judge all these steps."""
        return len(self.steps) * sum(min(len(part), MOST_ROWS_OF_STEP) for part in (self.validation, self.test))

    def at_step(self, part: Literal["validation", "test"], step: int) -> RowsAtHorizon:
        """Return raw rows that choose or judge as they look from so many steps before, and their targets."""
        rows, target, numbers, looked = (
            (self.validation, self.y_validation, self.rows_validation, self.looked)
            if part == "validation"
            else (self.test, self.y_test, self.rows_test, self.looked_test)
        )
        if looked is None:
            raise ValueError("rows without a past are the same from everywhere")
        return rows_at_horizon(looked, rows, target, numbers, step)

    moments_test: pd.Series | None = None
    """When the test rows are, in a split by time."""

    @property
    def taught(self) -> pd.DataFrame:
        """The raw training rows that models and cleaning learn from."""
        return self.train if self.outlying is None else self.train[~self.outlying]

    @property
    def y_choosing(self) -> NDArray[np.float64]:
        """Targets of the rows that models are chosen by."""
        return self.y_validation if self.folds is None else self.y_train

    @property
    def rows_choosing(self) -> RowNumbers:
        """Row numbers of the rows that models are chosen by."""
        return self.rows_validation if self.folds is None else self.rows_train


def feature_types(dataset: Dataset, recipe: Recipe) -> dict[str, ColumnType]:
    """Return the type of each feature: the profile's, unless a person set another one."""
    return {name: recipe.types.get(name, dataset.column(name).type) for name in recipe.features}


def usable_rows(table: pd.DataFrame, recipe: Recipe) -> tuple[RowNumbers, int, int]:
    """Return the positions of the rows that can be used, and how many had no target or were duplicates.

    The table's values are `repaired` already. Duplicates are dropped before the split where the recipe says so.
    """
    target = coerce_column(table[recipe.target], ColumnType.NUMBER)
    known = target.notna().to_numpy()
    kept = known.copy()
    if recipe.cleaning.drop_duplicates:
        kept &= ~table[[*recipe.features, recipe.target]].duplicated().to_numpy()
    without_target = int((~known).sum())
    return np.flatnonzero(kept).astype(np.int64), without_target, int(known.sum() - kept.sum())


def prepare_table(
    dataset: Dataset,
    table: pd.DataFrame,
    recipe: Recipe,
    own_test: pd.DataFrame | None = None,
    time_limit: float = 0.0,
    places: RowNumbers | None = None,
    earlier: pd.DataFrame | None = None,
) -> PreparedTable:
    """Apply a recipe.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        The whole stored table.
    recipe : Recipe
        What to predict, from what, cleaned and split how.
    own_test : pandas.DataFrame, optional
        The stored table of the person's own test file.
    time_limit : float
        Seconds of the run that it is for: with more of them, more rows are divided into folds where that is left to
        the program.
    places : ndarray of int64, optional
        Where the rows stand in the stored table, if `table` holds only some of them.
    earlier : pandas.DataFrame, optional
        Then all rows of those columns that others are made of, where the recipe takes something from earlier rows.

    Raises
    ------
    RecipeError
        If the recipe doesn't fit the table.
    """
    check_recipe(dataset, recipe)
    types = feature_types(dataset, recipe)
    written = written_of(dataset, table, recipe)
    table = repaired(table, recipe.cleaning)
    past = fit_past(dataset, table if earlier is None else earlier, recipe)
    looked = looked_test = None
    if past is not None:
        looked = looked_test = looked_up(table if earlier is None else earlier, past)
        table = added_to(table, past, looked, places)
        types = {name: types.get(name, ColumnType.NUMBER) for name in past.features(recipe.features)}
    rows, without_target, duplicates = usable_rows(table, recipe)
    placed = placeable(table.iloc[rows], recipe.split)
    rows, unplaced = rows[placed], int((~placed).sum())
    usable = table.iloc[rows].reset_index(drop=True)
    rows = rows if places is None else places[rows]
    copies = _kept_together(dataset, usable, recipe, types)
    split = split_at_horizon(recipe.split, past)
    parts = split_rows(usable, split, copies, _target(usable, recipe))
    if split.kind != recipe.split.kind:
        parts = parts.without_test()
    in_gap = len(usable) - sum(len(part) for part in (parts.train, parts.validation, parts.test))
    test, rows_test = usable.iloc[parts.test], rows[parts.test]
    if recipe.split.kind == "own":
        if own_test is None:
            raise RecipeError("The own test file is not there.", "Upload it again.")
        test, rows_test, looked_test = _own_test_rows(own_test, recipe, past)
    folds = fold_count(split, len(parts.train) + len(parts.validation), time_limit)
    parts = parts.without_validation() if folds else parts
    train, validation = usable.iloc[parts.train], usable.iloc[parts.validation]
    y_train, y_validation, y_test = (_target(part, recipe) for part in (train, validation, test))
    if np.ptp(y_train) == 0:
        raise RecipeError(
            f"The target {recipe.target} has the same value in all training rows.", "Choose another target."
        )
    features = list(types)
    numbers = None
    if folds:
        left = None if copies is None else pd.factorize(copies[parts.train])[0].astype(np.int64)
        numbers = fold_numbers(train, y_train, recipe.split, folds, left)
    outlying = outlying_rows(train[features], types, recipe.cleaning)
    return PreparedTable(
        train=train[features],
        validation=validation[features],
        test=test[features],
        y_train=y_train,
        y_validation=y_validation,
        y_test=y_test,
        rows_train=rows[parts.train],
        rows_validation=rows[parts.validation],
        rows_test=rows_test,
        types=types,
        day_first={name: dataset.column(name).day_first for name in features if name in dataset.column_names},
        counts=RowCounts(
            train=len(train),
            validation=len(validation),
            test=len(test),
            dropped_missing_target=without_target,
            dropped_duplicates=duplicates,
            dropped_gap=in_gap,
            dropped_unplaced=unplaced,
            spans=part_spans(usable, recipe.split, parts),
            folds=0 if numbers is None else int(numbers.max()) + 1,
            outlying=0 if outlying is None else int(outlying.sum()),
            drawn=0 if places is None else len(places),
            drawn_from=0 if places is None else dataset.rows,
        ),
        folds=numbers,
        outlying=outlying,
        past=past,
        looked=looked,
        looked_test=looked_test,
        written=written,
        moments_test=moments_of_rows(usable, recipe.split, parts.test),
        transform=fit_target_transform(y_train, recipe.target_transform),
    )


def _kept_together(
    dataset: Dataset, usable: pd.DataFrame, recipe: Recipe, types: dict[str, ColumnType]
) -> NDArray[np.int64] | None:
    """Return a number for each row: rows of the same one stand on one side of every split; None where any may stand.

    Rows that repeat each other do: what was learned by heart must not be judged by it.
    """
    if recipe.split.keep_twins:
        copies = near_copies(usable, types, {name: dataset.column(name).day_first for name in recipe.features})
        if copies is None:
            raise RecipeError(
                "So many rows are all but equal, one to the next, that they can't be kept on one side of a split.",
                "Don't keep near twins together, or split by a column that says what belongs together.",
            )
        return copies
    if recipe.cleaning.drop_duplicates:
        return None
    return copies_to_keep_together(usable[[*recipe.features, recipe.target]])


def prepared_of(home: Path, experiment: Experiment) -> PreparedTable:
    """Apply an experiment's recipe to its stored data set; the same rows every time.

    Parameters
    ----------
    home : Path
        The home that holds the data set.
    experiment : Experiment
        Says which data set and which recipe.

    Raises
    ------
    NotFoundError
        If the data set is not there any more.
    RecipeError
        If the recipe doesn't fit the table.
    """
    store = DatasetStore(home)
    rows, places = rows_of(store, experiment)
    return prepare_table(
        store.get(experiment.dataset_id),
        rows,
        experiment.recipe,
        own_test_table(store, experiment.recipe),
        experiment.plan.time_limit,
        places,
        _earlier(store, experiment) if places is not None else None,
    )


def _earlier(store: DatasetStore, experiment: Experiment) -> pd.DataFrame | None:
    """Return all rows of the columns that others are made of; None where none are."""
    history, dataset = experiment.recipe.history, store.get(experiment.dataset_id)
    if history is None:
        return None
    wanted = {history.order, history.group, *(made.column for made in history.columns)}
    rows = store.table(dataset.id, [name for name in dataset.column_names if name in wanted])
    return in_units(dataset, rows, experiment.recipe.cleaning)


def foreseen_counts(
    dataset: Dataset, sample: pd.DataFrame, recipe: Recipe, own_test: pd.DataFrame | None, seconds: float
) -> RowCounts:
    """Return how many rows go where in a run of so many seconds.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    sample : pandas.DataFrame
        Its rows, or those that stand for all; then the counts are worked out from theirs.
    recipe : Recipe
        What to predict, from what, cleaned and split how.
    own_test : pandas.DataFrame, optional
        The stored table of the person's own test file.
    seconds : float
        The time of the run.

    Raises
    ------
    RecipeError
        If the recipe doesn't fit the table.
    """
    found = prepare_table(dataset, sample, recipe, own_test, seconds).counts
    used = rows_for(dataset, seconds or 1.0)
    if len(sample) == used:
        return found
    times = used / len(sample)
    parts = (
        "train",
        "validation",
        "dropped_missing_target",
        "dropped_duplicates",
        "dropped_gap",
        "dropped_unplaced",
        "outlying",
    )
    scaled = {part: round(times * getattr(found, part)) for part in parts}
    test = found.test if own_test is not None else round(times * found.test)
    drawn = (used, dataset.rows) if used < dataset.rows else (0, 0)
    return found.model_copy(update={**scaled, "test": test, "drawn": drawn[0], "drawn_from": drawn[1]})


def background_rows(table: PreparedTable, count: int, seed: int) -> pd.DataFrame:
    """Return the training rows that stand for "not known" in explanations: the same for the same seed, everywhere.

    The rows are sorted by their target and cut into `count` equal parts, and one row is drawn from each, so that even a
    few of them have nearly the average target of all.
    """
    # A stream of its own, so that other random choices with the same seed don't move these.
    rng = np.random.default_rng([seed, 1])
    parts = np.array_split(np.argsort(table.y_train, kind="stable"), min(count, len(table.train)))
    return table.train.iloc[[int(rng.choice(part)) for part in parts]]


def _own_test_rows(
    table: pd.DataFrame, recipe: Recipe, past: Past | None
) -> tuple[pd.DataFrame, RowNumbers, RowsWithPast | None]:
    absent = [c for c in (*recipe.features, recipe.target) if c not in table.columns]
    if absent:
        raise RecipeError(
            f"The test file has no column {', '.join(absent)}.", "It needs the same columns as the table, by name."
        )
    table, looked = repaired(table, recipe.cleaning), None
    if past is not None:
        looked = looked_up(table, past, follows=True)
        table = added_to(table, past, looked)
    known = coerce_column(table[recipe.target], ColumnType.NUMBER).notna().to_numpy()
    rows = np.flatnonzero(known).astype(np.int64)
    if len(rows) < 2:
        raise RecipeError(
            f"The test file has {len(rows)} rows with a value of {recipe.target}; at least two are needed.",
            "Choose another test file.",
        )
    return table.iloc[rows], rows, looked


def _target(frame: pd.DataFrame, recipe: Recipe) -> NDArray[np.float64]:
    values: NDArray[np.float64] = coerce_column(frame[recipe.target], ColumnType.NUMBER).to_numpy(dtype=np.float64)
    return values
