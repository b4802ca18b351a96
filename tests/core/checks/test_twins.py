"""Near twins across the split are counted, kept together, and never seen where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from dlreg_core.checks.covariate_shift import column_shifts
from dlreg_core.checks.duplicate_optimism import twins_honesty
from dlreg_core.checks.train_test_duplicates import twin_check
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.recipe.draft import Draft, draft_of, recipe_of
from dlreg_core.specs import ColumnType, Dataset, Recipe, Split
from dlreg_core.splitting import PreparedTable, prepare_table
from dlreg_core.wording.split_text import shift_words, twin_words, twins_honesty_words
from tests.conftest import add_table

UCI = ("concrete", "energy", "power", "wine", "yacht")


def measured_twice(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Return rows of which each was measured twice, with tiny differences."""
    rng = np.random.default_rng(seed)
    once = pd.DataFrame(rng.normal(0, 1, (rows // 2, 3)), columns=["a", "b", "c"])
    once["kind"] = rng.choice(["x", "y"], rows // 2)
    once["y"] = once["a"] + rng.normal(0, 1, rows // 2)
    again = once.assign(**{n: once[n] + rng.normal(0, 1e-3, rows // 2) for n in ("a", "b", "c", "y")})
    return pd.concat([once, again], ignore_index=True).sample(frac=1, random_state=seed, ignore_index=True)


def prepared_of(home: Path, table: pd.DataFrame, **split: object) -> tuple[Dataset, Recipe, PreparedTable]:
    dataset = add_table(home, table)
    recipe = recipe_of(dataset, Draft(target="y")).model_copy(update={"split": Split.model_validate(split)})
    return dataset, recipe, prepare_table(dataset, DatasetStore(home).table(dataset.id), recipe)


def test_twins_are_counted_as_another_search_counts_them(tmp_path: Path) -> None:
    _, _, prepared = prepared_of(tmp_path, measured_twice())
    found = twin_check(prepared)
    assert found is not None
    train, test = pd.concat([prepared.train, prepared.validation]), prepared.test
    spread = pd.concat([train, test])[["a", "b", "c"]].std(ddof=0)
    both = [np.column_stack([part[["a", "b", "c"]] / spread, 99.0 * (part["kind"] == "x")]) for part in (train, test)]
    near = NearestNeighbors(n_neighbors=1, metric="chebyshev").fit(both[0]).kneighbors(both[1])[0].ravel() < 0.01
    assert (found.looked_at, found.twins) == (60, near.sum())
    assert found.share > 0.5
    assert found.matters
    assert "nearly its target" in twin_words(found, own=False)


def test_twins_are_kept_on_one_side_and_in_one_fold(tmp_path: Path) -> None:
    for choose_by in ("holdout", "folds"):
        _, _, prepared = prepared_of(tmp_path, measured_twice(), keep_twins=True, choose_by=choose_by)
        found = twin_check(prepared)
        assert found is not None
        assert found.twins == 0
    assert prepared.counts.train + prepared.counts.test == 400
    assert abs(prepared.counts.test - 60) <= 2
    rounded = prepared.train[["a", "b", "c"]].round(1).astype(str).agg("".join, axis=1)
    folds = pd.Series(prepared.folds, index=rounded).groupby(level=0).nunique()
    assert (folds == 1).mean() > 0.9


def test_rows_that_all_hang_together_are_refused(tmp_path: Path) -> None:
    line = pd.DataFrame({"a": np.arange(2000) / 1.0, "b": np.arange(2000) * 2.0, "y": np.arange(2000) % 7})
    with pytest.raises(RecipeError, match="all but equal, one to the next"):
        prepared_of(tmp_path, line, keep_twins=True)


def test_a_few_levels_make_no_twins(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = pd.DataFrame({"a": rng.integers(0, 3, 300), "b": rng.integers(0, 4, 300), "y": rng.normal(0, 1, 300)})
    assert twin_check(prepared_of(tmp_path, made)[2]) is None


def test_twins_whose_targets_differ_do_not_matter(tmp_path: Path) -> None:
    made = measured_twice().assign(y=np.random.default_rng(1).normal(0, 1, 400))
    found = twin_check(prepared_of(tmp_path, made)[2])
    assert found is not None
    assert found.twins > 30
    assert not found.matters


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", UCI)
def test_no_false_alarm_on_real_tables(shared_data: Path, name: str, seed: int) -> None:
    dataset, table = read_dataset(shared_data / "uci" / name / "data.csv")
    recipe = recipe_of(dataset, Draft(target=dataset.column_names[-1], seed=seed))
    prepared = prepare_table(dataset, table, recipe)
    found = twin_check(prepared)
    assert found is None or not found.matters
    assert column_shifts(prepared) == ()


def test_a_draft_keeps_the_choice(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, measured_twice())
    recipe = recipe_of(dataset, Draft(target="y", keep_twins=True))
    assert recipe.split.keep_twins
    assert draft_of(dataset, recipe).keep_twins
    assert not recipe_of(dataset, Draft(target="y", keep_twins=True, kind="group", column="kind")).split.keep_twins


def test_an_own_test_file_of_other_rows_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "old": rng.normal(0, 1, 400),
            "same": rng.normal(0, 1, 400),
            "shop": rng.choice(["a", "b"], 400),
            "y": rng.normal(0, 1, 400),
        }
    )
    other = made.assign(old=made["old"] + 3, shop=np.where(rng.random(400) < 0.5, "c", "a"))
    dataset = add_table(tmp_path, made)
    own = add_table(tmp_path, other, "own.csv")
    recipe = recipe_of(dataset, Draft(target="y", kind="own", test_dataset=own.id))
    store = DatasetStore(tmp_path)
    found = column_shifts(prepare_table(dataset, store.table(dataset.id), recipe, store.table(own.id)))
    assert {shift.column for shift in found} == {"old", "shop"}
    old = next(shift for shift in found if shift.column == "old")
    assert old.test == pytest.approx(other["old"].median())
    assert old.new == pytest.approx((other["old"] > made["old"].max()).mean(), abs=0.01)
    told = shift_words(found)
    assert "2 columns are distributed otherwise" in told
    assert "of the test rows have values that training never sees" in told
    assert dataset.column("shop").type is ColumnType.CATEGORY


def test_how_much_twins_flatter_is_measured(tmp_path: Path) -> None:
    # Each of few things was measured many times, and has a value of its own that nothing else tells.
    rng = np.random.default_rng(0)
    things = pd.DataFrame(rng.normal(0, 1, (60, 3)), columns=["a", "b", "c"]).assign(y=rng.normal(0, 1, 60))
    rows = things.loc[np.repeat(things.index, 20)].reset_index(drop=True)
    rows += rng.normal(0, 1e-4, rows.shape)
    dataset, recipe, _ = prepared_of(tmp_path, rows)
    found = twins_honesty(dataset, rows, recipe)
    assert found.flatters
    assert found.times > 5
    assert "keep them together" in twins_honesty_words(found, "")
    assert "when near twins are kept on one side" in twins_honesty_words(found, "")
    lone = pd.DataFrame(rng.normal(0, 1, (400, 3)), columns=["a", "b", "y"])
    dataset, recipe, _ = prepared_of(tmp_path, lone)
    alone = twins_honesty(dataset, lone, recipe)
    assert not alone.flatters, "without twins there is nothing to hide"
    assert "No difference is clear" in twins_honesty_words(alone, "")
