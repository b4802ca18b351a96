"""Gaps between the parts of a split by time, stratified parts, and the number of folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import ks_2samp

from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.recipe.draft import Draft, draft_of, recipe_of
from dlreg_core.specs import Split
from dlreg_core.splitting import prepare_table
from dlreg_core.splitting.split import split_rows
from dlreg_core.wording.split_text import folds_words
from dlreg_core.wording.table_text import rows_words
from tests.conftest import add_table, small_table


def test_a_gap_keeps_the_parts_of_a_split_by_time_apart() -> None:
    days = pd.date_range("2024-01-01", periods=200).to_series().reset_index(drop=True).sample(frac=1, random_state=0)
    frame = pd.DataFrame({"day": days.to_numpy()})
    plain = split_rows(frame, Split(kind="time", column="day"))
    found = split_rows(frame, Split(kind="time", column="day", gap=7))
    ends = [(frame["day"].iloc[part].min(), frame["day"].iloc[part].max()) for part in
            (found.train, found.validation, found.test)]  # fmt: skip
    assert (ends[1][0] - ends[0][1]).days == (ends[2][0] - ends[1][1]).days == 7
    # The later part of each two is whole: only rows before it are left out.
    assert np.array_equal(found.test, plain.test)
    assert set(found.train) < set(plain.train)
    assert len(plain.train) - len(found.train) == len(plain.validation) - len(found.validation) == 6


def test_a_gap_in_numbers_and_one_that_leaves_nothing() -> None:
    frame = pd.DataFrame({"step": np.arange(100) // 2})
    found = split_rows(frame, Split(kind="time", column="step", gap=3))
    assert frame["step"].iloc[found.validation].min() - frame["step"].iloc[found.train].max() >= 3
    with pytest.raises(RecipeError, match="leaves 0 rows to train"):
        split_rows(frame, Split(kind="time", column="step", gap=1000))
    with pytest.raises(RecipeError, match="neither dates nor numbers"):
        split_rows(pd.DataFrame({"step": [f"s{i:03d}" for i in range(100)]}), Split(kind="time", column="step", gap=1))
    with pytest.raises(ValidationError, match="only a split by time has a gap"):
        Split(gap=1)


def test_rows_in_a_gap_are_counted(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table())
    recipe = recipe_of(dataset, Draft(target="price", kind="time", column="built", gap=200))
    prepared = prepare_table(dataset, DatasetStore(tmp_path).table(dataset.id), recipe)
    counts = prepared.counts
    assert counts.dropped_gap == 240 - counts.train - counts.validation - counts.test > 0
    assert f"{counts.dropped_gap} in the gaps" in rows_words(counts)
    assert recipe_of(dataset, draft_of(dataset, recipe)) == recipe


@pytest.mark.parametrize("copies", [False, True])
def test_stratified_parts_have_the_same_mix_of_targets(copies: bool) -> None:
    rng = np.random.default_rng(0)
    target = np.exp(rng.normal(0, 2, 500))
    frame = pd.DataFrame({"x": rng.random(500)})
    together = np.arange(500)
    if copies:
        together[400:] = np.arange(100)
        target[400:] = target[:100]
    found = split_rows(frame, Split(stratified=True, seed=3), together, target)
    parts = (found.train, found.validation, found.test)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(500))
    for part, share in zip(parts, (0.7, 0.15, 0.15), strict=True):
        assert len(part) == pytest.approx(500 * share, abs=15 if copies else 1)
        assert ks_2samp(target[part], target).statistic < (0.1 if copies else 0.05)
    # By chance alone parts differ by more.
    plain = split_rows(frame, Split(seed=3), together, target)
    assert ks_2samp(target[plain.test], target).statistic > ks_2samp(target[found.test], target).statistic
    assert not np.array_equal(split_rows(frame, Split(stratified=True, seed=4), together, target).test, found.test)


@pytest.mark.parametrize(("kind", "column"), [("random", None), ("group", "place")])
def test_the_number_of_folds_is_a_person_s_choice(tmp_path: Path, kind: str, column: str | None) -> None:
    dataset = add_table(tmp_path, small_table())
    draft = Draft(target="price", kind=kind, column=column, choose_by="folds", folds=3)
    recipe = recipe_of(dataset, draft)
    prepared = prepare_table(dataset, DatasetStore(tmp_path).table(dataset.id), recipe)
    assert recipe_of(dataset, draft_of(dataset, recipe)) == recipe
    told = folds_words(prepared.counts, recipe.split)
    if kind == "group":
        # There are three places, and one of them at least is for the test.
        assert "the rows of one place stay in one fold" in told
        return
    assert prepared.counts.folds == 3
    means = [prepared.y_train[prepared.folds == fold].mean() for fold in range(3)]
    assert np.ptp(means) < 0.05 * prepared.y_train.std()
    assert told.startswith("3 folds: each network is trained 3 times")


def test_choices_that_do_not_apply_are_left_out(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table())
    draft = Draft(target="price", choose_by="holdout", folds=5, gap=3, stratified=True)
    split = recipe_of(dataset, draft).split
    assert (split.folds, split.gap, split.stratified) == (0, 0, True)
    split = recipe_of(dataset, draft.changed(kind="time", column="built", choose_by="folds")).split
    assert (split.choose_by, split.folds, split.gap, split.stratified) == ("auto", 0, 3, False)
