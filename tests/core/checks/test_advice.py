"""Which split to start with: what was measured decides, and names say nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlreg_core.checks.recommended_split import SplitAdvice, few_rows_warning, group_columns, split_advice, time_columns
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.recipe.draft import Draft, measured_recipe, recipe_of, with_advice
from dlreg_core.specs import ROW_ORDER, Dataset, History, PastColumn, RowCounts, Split
from dlreg_core.wording.split_text import advice_words


def stored(tmp_path: Path, **columns: list[Any]) -> Dataset:
    table = pd.DataFrame({"size": [i * 7 % 31 + 0.5 for i in range(100)], **columns})
    return DatasetStore(tmp_path).add(table.to_csv(index=False).encode(), "t.csv")


def table(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Return rows that are independent of each other, with columns that could make them depend."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame({"a": rng.random(rows), "b": rng.random(rows)})
    made["batch"] = [f"b{number}" for number in rng.integers(0, 20, rows)]
    made["building"] = rng.integers(1, 25, rows)
    made["year"] = rng.integers(2001, 2019, rows)
    made["day"] = pd.date_range("2020-01-01", periods=rows).astype(str)
    made["y"] = 3 * made["a"] + np.sin(5 * made["b"]) + rng.normal(0, 0.3, rows)
    return made


def advice_on(made: pd.DataFrame) -> SplitAdvice:
    dataset, rows = read_dataset(made.to_csv(index=False).encode(), "t.csv")
    return split_advice(dataset, rows, measured_recipe(dataset, Draft(target="y")))


def test_where_rows_are_independent_nothing_is_claimed_but_what_was_measured() -> None:
    advice = advice_on(table())
    assert (advice.kind, advice.column, advice.reason) == ("random", None, None)
    words = advice_words(advice, Split(), "")
    assert "possible" in words
    assert "honest" not in words


@pytest.mark.parametrize(("column", "kind"), [("batch", "group"), ("building", "group"), ("year", "time")])
def test_a_column_that_matters_is_found_whatever_it_is_called(column: str, kind: str) -> None:
    made = table()
    codes = pd.factorize(made[column], sort=True)[0]
    effect = np.random.default_rng(1).normal(0, 2, 30)[codes] if kind == "group" else 0.5 * codes
    made["y"] += effect
    advice = advice_on(made)
    assert (advice.kind, advice.column) == (kind, column)
    assert advice.reason is not None
    assert advice.reason.interval.low > 1
    dataset, _ = read_dataset(made.to_csv(index=False).encode(), "t.csv")
    split = recipe_of(dataset, with_advice(Draft(target="y", seed=3), advice)).split
    assert (split.kind, split.column, split.seed) == (kind, column, 3)
    assert advice_words(advice, split, "").startswith("Chosen because a random split flatters")
    assert "unless" in advice_words(advice, Split(), "")


def test_a_date_with_gaps_is_looked_at_too() -> None:
    made = table()
    made["y"] += np.linspace(0, 6, len(made))
    made.loc[::50, "day"] = None
    made = made.sample(frac=1, random_state=0)
    advice = advice_on(made)
    assert (advice.kind, advice.column) == ("time", "day")


def test_numbers_that_measure_something_are_no_groups() -> None:
    made = table(900).drop(columns=["batch", "building", "year", "day"])
    made["hour"] = np.random.default_rng(5).integers(0, 24, len(made))
    made["y"] += 4 * np.sin(made["hour"] / 24 * 2 * np.pi)
    advice = advice_on(made)
    assert advice.kind == "random"


def test_the_order_of_the_rows_is_told_and_not_started_with() -> None:
    made = table().drop(columns=["day"])
    made["y"] += np.linspace(0, 6, len(made))
    made["c"] = np.linspace(0, 1, len(made)) + np.random.default_rng(2).normal(0, 0.05, len(made))
    advice = advice_on(made)
    found = advice.measures.of("time", ROW_ORDER)
    assert found is not None
    assert found.flatters
    assert advice.kind == "random"


def test_few_rows_tell_nothing() -> None:
    advice = advice_on(table(60))
    assert not advice.measures.measures
    assert "can't be told from 60 rows" in advice_words(advice, Split(), "")


def test_what_a_person_chose_stays() -> None:
    advice = SplitAdvice("group", "batch")
    assert with_advice(Draft(target="y"), advice).column == "batch"
    chosen = Draft(target="y", kind="random", split_chosen=True)
    assert with_advice(chosen, advice) == chosen


def test_columns_with_many_gaps_are_not_offered(tmp_path: Path) -> None:
    gaps = [None] * 30
    dataset = stored(tmp_path, shop=[*gaps, *(f"s{i % 5}" for i in range(70))], n=[*gaps, *range(30, 100)])
    assert group_columns(dataset, "size") == ()
    assert time_columns(dataset, "size") == (ROW_ORDER,)


def test_columns_with_few_gaps_are_offered(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=100).strftime("%Y-%m-%d").tolist()
    dataset = stored(tmp_path, day=[None, *days[1:]], patient=[None, *(f"p{i % 20}" for i in range(99))])
    assert time_columns(dataset, "size") == ("day", ROW_ORDER)
    assert group_columns(dataset, "size") == ("patient",)


def test_a_handful_of_rows_judges_nothing() -> None:
    assert few_rows_warning(RowCounts(train=700, validation=150, test=150)) == ""
    assert few_rows_warning(RowCounts(train=292, validation=103, test=3)).startswith("Only 3 rows would judge")
    assert few_rows_warning(RowCounts(train=292, validation=1, test=103)).startswith("Only 1 row would choose")


def test_earlier_values_of_the_target_need_a_split_by_time() -> None:
    dataset, rows = read_dataset(table(100).to_csv(index=False).encode(), "t.csv")
    history = History(order="day", columns=(PastColumn(kind="lag", column="y"),))
    recipe = measured_recipe(dataset, Draft(target="y", history=history))
    advice = split_advice(dataset, rows, recipe)
    assert (advice.kind, advice.column) == ("time", "day")
    assert "earlier values of the target" in advice_words(advice, Split(kind="time", column="day"), "")
