"""Dividing rows, and the whole way from a stored table to its parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.specs import Cleaning, ColumnType, Experiment, Recipe, Split
from dlreg_core.splitting import fold_count, prepare_table, prepared_of
from dlreg_core.splitting.folds import fold_numbers
from dlreg_core.splitting.split import numbered_copies, preview_split, split_rows
from tests.conftest import add_table, experiment_on, small_table


def check_whole(parts: object, rows: int) -> None:
    """Every row stands in exactly one part, in ascending order."""
    every = [parts.train, parts.validation, parts.test]  # type: ignore[attr-defined]
    assert sorted(np.concatenate(every).tolist()) == list(range(rows))
    for part in every:
        assert (np.diff(part) > 0).all()


@given(st.integers(20, 400), st.integers(5, 40), st.integers(5, 40), st.integers(0, 5))
def test_a_random_split_is_whole_and_has_its_shares(rows: int, validation: int, test: int, seed: int) -> None:
    split = Split(train=1 - (validation + test) / 100, validation=validation / 100, test=test / 100, seed=seed)
    try:
        parts = split_rows(pd.DataFrame(index=range(rows)), split)
    except RecipeError:
        assert rows * min(validation, test) / 100 < 2.5
        return
    check_whole(parts, rows)
    assert abs(len(parts.test) - rows * test / 100) <= 0.5
    assert abs(len(parts.validation) - rows * validation / 100) <= 1
    assert (len(parts.train), len(parts.validation), len(parts.test)) == preview_split(rows, split)


def test_a_split_follows_its_seed() -> None:
    frame = pd.DataFrame(index=range(200))
    one, again, other = (split_rows(frame, Split(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.test, again.test)
    np.testing.assert_array_equal(one.train, again.train)
    assert one.test.tolist() != other.test.tolist()


def test_by_time_the_oldest_rows_train_and_the_newest_judge() -> None:
    days = np.random.default_rng(0).permutation(100)
    frame = pd.DataFrame({"day": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D")})
    parts = split_rows(frame, Split(kind="time", column="day"))
    check_whole(parts, 100)
    assert set(days[parts.train]) == set(range(70))
    assert set(days[parts.validation]) == set(range(70, 85))
    assert set(days[parts.test]) == set(range(85, 100))


def test_equal_times_keep_the_order_of_the_file() -> None:
    parts = split_rows(pd.DataFrame({"t": [5] * 40}), Split(kind="time", column="t"))
    assert parts.train.tolist() == list(range(28))
    assert parts.test.tolist() == list(range(34, 40))


def test_by_group_no_group_stands_on_two_sides() -> None:
    groups = np.random.default_rng(1).integers(0, 40, 800)
    parts = split_rows(pd.DataFrame({"g": groups}), Split(kind="group", column="g", seed=3))
    check_whole(parts, 800)
    sides = [set(groups[part]) for part in (parts.train, parts.validation, parts.test)]
    assert sum(len(side) for side in sides) == len(set(groups)) == 40
    assert [len(side) for side in sides] == pytest.approx([28, 6, 6], abs=1)


def test_too_few_groups_are_told() -> None:
    frame = pd.DataFrame({"g": ["a", "b"] * 20})
    with pytest.raises(RecipeError, match="fewer than three groups"):
        split_rows(frame, Split(kind="group", column="g"))


def test_groups_so_uneven_that_a_part_has_one_row_are_told() -> None:
    frame = pd.DataFrame({"g": ["a"] * 38 + ["b", "c"]})
    with pytest.raises(RecipeError, match="each part needs 2"):
        split_rows(frame, Split(kind="group", column="g"))


@pytest.mark.parametrize("kind", ["time", "group"])
def test_missing_keys_and_columns_are_told(kind: str) -> None:
    frame = pd.DataFrame({"k": [1.0, None, None, *range(30)]})
    with pytest.raises(RecipeError, match="is missing in 2 rows"):
        split_rows(frame, Split(kind=kind, column="k"))
    with pytest.raises(RecipeError, match="no column other"):
        split_rows(frame, Split(kind=kind, column="other"))


def test_too_few_rows_are_told() -> None:
    with pytest.raises(RecipeError, match="19 usable rows; at least 20"):
        split_rows(pd.DataFrame(index=range(19)), Split())


def test_a_share_that_gets_no_row_is_told() -> None:
    with pytest.raises(RecipeError, match="0 to choose between models"):
        split_rows(pd.DataFrame(index=range(30)), Split(train=0.84, validation=0.01, test=0.15))
    with pytest.raises(RecipeError, match="0 to judge"):
        split_rows(pd.DataFrame(index=range(30)), Split(train=0.84, validation=0.15, test=0.01))


@pytest.mark.parametrize(
    ("rows", "choose_by", "validation"),
    [(2_000, "auto", 353), (10_000, "auto", 1_000), (50_000, "auto", 5_000), (50_000, "holdout", 8_824)],
)
def test_beside_an_own_test_file_no_more_rows_choose_than_are_needed(
    rows: int, choose_by: str, validation: int
) -> None:
    split = Split(kind="own", test_dataset="x", choose_by=choose_by)
    assert preview_split(rows, split) == (rows - validation, validation, 0)


def test_with_an_own_test_file_no_row_of_the_table_judges() -> None:
    split = Split(kind="own", test_dataset="x", train=0.6, validation=0.2, test=0.2)
    parts = split_rows(pd.DataFrame(index=range(100)), split)
    check_whole(parts, 100)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (75, 25, 0)
    assert preview_split(100, split) == (75, 25, 0)


# --- from a stored table ---------------------------------------------------------------------------------------------


def held_out(experiment: Experiment) -> Experiment:
    """Return an experiment with validation rows of their own."""
    split = experiment.recipe.split.model_copy(update={"choose_by": "holdout"})
    return experiment.model_copy(update={"recipe": experiment.recipe.model_copy(update={"split": split})})


def test_a_stored_table_is_divided_into_raw_rows(tmp_path: Path) -> None:
    table = small_table(100)
    table.loc[[3, 50], "price"] = np.nan
    table = pd.concat([table, table.iloc[[10, 11, 12]]], ignore_index=True)
    experiment = held_out(experiment_on(add_table(tmp_path, table), "price"))
    found = prepared_of(tmp_path, experiment)
    assert (found.counts.dropped_missing_target, found.counts.dropped_duplicates) == (2, 3)
    assert (found.counts.train, found.counts.validation, found.counts.test) == (68, 15, 15)
    every = np.concatenate([found.rows_train, found.rows_validation, found.rows_test])
    assert sorted(every) == [i for i in range(100) if i not in (3, 50)]
    for part, rows, target in (
        (found.train, found.rows_train, found.y_train),
        (found.validation, found.rows_validation, found.y_validation),
        (found.test, found.rows_test, found.y_test),
    ):
        np.testing.assert_allclose(target, table["price"].to_numpy()[rows])
        np.testing.assert_allclose(part["size"], table["size"].to_numpy()[rows])
        assert part["place"].tolist() == table["place"].iloc[rows].tolist()
    again = prepared_of(tmp_path, experiment)
    np.testing.assert_array_equal(again.rows_test, found.rows_test)


def test_repeated_rows_never_stand_on_two_sides_of_the_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.integers(0, 8, 400), "b": rng.integers(0, 8, 400)})
    table["y"] = table["a"] * 10.0 + table["b"]
    experiment = held_out(experiment_on(add_table(tmp_path, table), "y"))
    found = prepared_of(tmp_path, experiment)
    assert found.counts.dropped_duplicates == 400 - len(table.drop_duplicates())
    sides = [set(map(tuple, part.to_numpy().tolist())) for part in (found.train, found.validation, found.test)]
    assert sum(map(len, sides)) == len(sides[0] | sides[1] | sides[2]) == len(table.drop_duplicates())
    kept = experiment.recipe.model_copy(update={"cleaning": Cleaning(drop_duplicates=False)})
    whole = prepared_of(tmp_path, experiment.model_copy(update={"recipe": kept}))
    assert whole.counts.train + whole.counts.validation + whole.counts.test == 400


def test_an_own_test_file_judges(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table(60))
    judges = small_table(30, seed=5)
    judges.loc[4, "price"] = np.nan
    own = add_table(tmp_path, judges, "judges.csv")
    experiment = experiment_on(dataset, "price")
    recipe = experiment.recipe.model_copy(update={"split": Split(kind="own", test_dataset=own.id)})
    found = prepared_of(tmp_path, experiment.model_copy(update={"recipe": recipe}))
    assert found.rows_test.tolist() == [i for i in range(30) if i != 4]
    np.testing.assert_allclose(found.y_test, judges["price"].dropna())
    # Few rows: all of them train and choose, in folds.
    assert (found.counts.train, found.counts.validation, found.counts.folds) == (60, 0, 8)
    held = Split(kind="own", test_dataset=own.id, choose_by="holdout")
    recipe = recipe.model_copy(update={"split": held})
    apart = prepared_of(tmp_path, experiment.model_copy(update={"recipe": recipe}))
    assert (apart.counts.train, apart.counts.validation) == (49, 11)
    narrow = add_table(tmp_path, judges.drop(columns=["size", "place"]), "narrow.csv")
    recipe = recipe.model_copy(update={"split": Split(kind="own", test_dataset=narrow.id)})
    with pytest.raises(RecipeError, match="The test file has no column size, place"):
        prepared_of(tmp_path, experiment.model_copy(update={"recipe": recipe}))


def test_recipes_that_can_not_work_are_told(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table(40).assign(level=2.5))
    table = DatasetStore(tmp_path).table(dataset.id)

    def attempt(**changes: object) -> None:
        values = {"target": "price", "features": ("size",), **changes}
        prepare_table(dataset, table, Recipe(**values))

    with pytest.raises(RecipeError, match=r'no column Price\. Did you mean "price"'):
        attempt(target="Price")
    with pytest.raises(RecipeError, match="no column sizes"):
        attempt(features=("sizes",))
    with pytest.raises(RecipeError, match="no column when"):
        attempt(split=Split(kind="time", column="when"))
    with pytest.raises(RecipeError, match="is a category column, and only a number"):
        attempt(target="place")
    with pytest.raises(RecipeError, match="only a number"):
        attempt(target="level")
    with pytest.raises(RecipeError, match="own test file is not there"):
        attempt(split=Split(kind="own", test_dataset="x"))
    with pytest.raises(RecipeError, match="same value in all training rows"):
        attempt(target="level", types={"level": ColumnType.NUMBER}, cleaning=Cleaning(drop_duplicates=False))


# --- folds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("split", "rows", "seconds", "folds"),
    [
        (Split(), 1_000, 120, 8),
        (Split(), 2_400, 120, 8),
        # More than 20 rows for each second: some are held out instead.
        (Split(), 2_401, 120, 0),
        (Split(), 2_501, 600, 5),
        (Split(), 100_001, 1e6, 0),
        (Split(choose_by="holdout"), 500, 600, 0),
        (Split(choose_by="folds"), 50_000, 30, 5),
        (Split(choose_by="folds", folds=3), 50_000, 30, 3),
        (Split(choose_by="folds", folds=10), 12, 600, 6),
        # Folds over time would learn from later rows.
        (Split(kind="time", column="when"), 500, 600, 0),
    ],
)
def test_small_tables_are_divided_into_folds(split: Split, rows: int, seconds: float, folds: int) -> None:
    assert fold_count(split, rows, seconds) == folds


def test_folds_have_small_and_large_targets_alike() -> None:
    rng = np.random.default_rng(0)
    target = rng.lognormal(size=803)
    found = fold_numbers(pd.DataFrame(index=range(803)), target, Split(seed=1), 8)
    assert sorted(np.bincount(found)) == [100] * 5 + [101] * 3
    means = [target[found == fold].mean() for fold in range(8)]
    by_chance = [part.mean() for part in np.array_split(rng.permutation(target), 8)]
    assert np.std(means) < 0.7 * np.std(by_chance)
    np.testing.assert_array_equal(found, fold_numbers(pd.DataFrame(index=range(803)), target, Split(seed=1), 8))
    assert (found != fold_numbers(pd.DataFrame(index=range(803)), target, Split(seed=2), 8)).any()


def test_the_rows_of_a_group_stay_in_one_fold() -> None:
    frame = pd.DataFrame({"who": np.repeat(np.arange(40), 5)})
    found = fold_numbers(frame, np.arange(200.0), Split(kind="group", column="who"), 5)
    assert (pd.Series(found).groupby(frame["who"]).nunique() == 1).all()
    assert sorted(np.bincount(found)) == [40] * 5
    few = fold_numbers(pd.DataFrame({"who": [0, 0, 1, 1, 2, 2]}), np.arange(6.0), Split(kind="group", column="who"), 5)
    assert sorted(set(few)) == [0, 1, 2]


def test_with_folds_all_rows_but_the_test_rows_train(tmp_path: Path) -> None:
    experiment = experiment_on(add_table(tmp_path, small_table(100)), "price")
    apart, found = prepared_of(tmp_path, held_out(experiment)), prepared_of(tmp_path, experiment)
    np.testing.assert_array_equal(found.rows_test, apart.rows_test)
    assert sorted(found.rows_train) == sorted([*apart.rows_train, *apart.rows_validation])
    assert found.folds is not None
    assert len(found.folds) == found.counts.train == 85
    assert found.y_choosing is found.y_train
    assert apart.y_choosing is apart.y_validation


def test_folds_that_make_no_sense_are_refused() -> None:
    for wrong in (
        {"folds": 1},
        {"folds": 5, "choose_by": "holdout"},
        {"kind": "time", "column": "a", "choose_by": "folds"},
    ):
        with pytest.raises(ValidationError):
            Split(**wrong)


def test_rows_whose_target_is_a_code_are_left_out(tmp_path: Path) -> None:
    table = small_table(100)
    table.loc[:9, "price"] = -999.0
    table.loc[20:24, "size"] = -1.0
    dataset = DatasetStore(tmp_path).add(table.to_csv(index=False).encode(), "t.csv")
    rows = DatasetStore(tmp_path).table(dataset.id)
    cleaning = Cleaning(missing_codes={"price": (-999.0,), "size": (-1.0,)})
    prepared = prepare_table(dataset, rows, Recipe(target="price", features=("size", "place"), cleaning=cleaning))
    assert prepared.counts.dropped_missing_target == 10
    everything = pd.concat([prepared.train, prepared.validation, prepared.test])
    assert everything["size"].min() > 0
    assert (
        everything["size"].isna().sum()
        == table["size"].iloc[10:].isin([-1.0]).sum() + table["size"].iloc[10:].isna().sum()
    )
    assert (rows["size"] == -1.0).sum() == 5


@given(st.integers(60, 300), st.integers(1, 50), st.integers(0, 3))
def test_copies_stay_together_in_random_splits_and_folds(rows: int, kinds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.integers(0, kinds + 20, rows), "y": 0.0})
    frame["y"] = frame["x"] * 2.0
    copies = numbered_copies(frame)
    parts = split_rows(frame, Split(seed=seed), copies)
    check_whole(parts, rows)
    sides = [set(copies[part]) for part in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, sides)) == len(set(copies))
    folds = fold_numbers(frame, frame["y"].to_numpy(), Split(seed=seed), 5, copies)
    assert all(len(set(folds[copies == copy])) == 1 for copy in set(copies))
    assert set(folds) == set(range(5))


def test_without_copies_nothing_changes() -> None:
    frame = pd.DataFrame({"x": np.arange(100.0), "y": np.random.default_rng(0).random(100)})
    plain, numbered = (split_rows(frame, Split(seed=3), copies) for copies in (None, numbered_copies(frame)))
    assert plain.train.tolist() == numbered.train.tolist()
    assert plain.test.tolist() == numbered.test.tolist()
    y = frame["y"].to_numpy()
    assert (fold_numbers(frame, y, Split(), 5) == fold_numbers(frame, y, Split(), 5, numbered_copies(frame))).all()
    order = np.random.default_rng(3).permutation(100)
    assert numbered.train.tolist() == sorted(order[:70].tolist())


def coarse(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"a": rng.choice(["x", "y"], rows), "b": rng.choice([1, 2], rows), "y": rng.integers(0, 9, rows)}
    )


def test_rows_that_are_equal_by_chance_are_divided_like_all_others(tmp_path: Path) -> None:
    dataset = DatasetStore(tmp_path).add(coarse().to_csv(index=False).encode(), "t.csv")
    rows = DatasetStore(tmp_path).table(dataset.id)
    recipe = Recipe(target="y", features=("a", "b"), cleaning=Cleaning(drop_duplicates=False))
    prepared = prepare_table(dataset, rows, recipe)
    assert (prepared.counts.train, prepared.counts.validation, prepared.counts.test) == (280, 60, 60)
    assert prepared.counts.dropped_duplicates == 0


def test_copies_that_are_kept_stay_together(tmp_path: Path) -> None:
    table = small_table(300).drop(columns="id")
    table = pd.concat([table, table.iloc[:60], table.iloc[:30]], ignore_index=True)
    dataset = DatasetStore(tmp_path).add(table.to_csv(index=False).encode(), "t.csv")
    rows = DatasetStore(tmp_path).table(dataset.id)
    recipe = Recipe(target="price", features=("size", "place", "built"), cleaning=Cleaning(drop_duplicates=False))
    prepared = prepare_table(dataset, rows, recipe, time_limit=60)
    assert prepared.counts.dropped_duplicates == 0
    numbers = table.groupby(list(table.columns), dropna=False).ngroup().to_numpy()
    assert not set(numbers[prepared.rows_train]) & set(numbers[prepared.rows_test])
    assert prepared.folds is not None
    folds = pd.Series(prepared.folds).groupby(numbers[prepared.rows_train]).nunique()
    assert folds.max() == 1
