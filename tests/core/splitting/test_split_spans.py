"""What the parts of a split are of, and rows that can't be placed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dlreg_core.charts.data.split_bar import SplitBar
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import ROW_ORDER, Recipe, Split, split_text
from dlreg_core.splitting import PreparedTable, prepare_table
from dlreg_core.wording.split_text import split_line, split_name
from dlreg_core.wording.table_text import rows_words


def prepared(split: Split) -> PreparedTable:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.random(100), "shop": [f"s{i % 10}" for i in range(100)], "y": rng.random(100)})
    table["day"] = pd.Series(pd.date_range("2024-01-01", periods=100).astype(str)).where(np.arange(100) % 25 != 7)
    return prepare_table(
        *read_dataset(table.to_csv(index=False).encode(), "t.csv"), Recipe(target="y", features=("x",), split=split)
    )


def test_by_time_the_days_are_told_and_rows_without_one_are_left_out() -> None:
    split = Split(kind="time", column="day")
    made = prepared(split)
    assert made.counts.dropped_unplaced == 4
    assert made.counts.train + made.counts.validation + made.counts.test == 96
    assert "4 without a value in the column that the split goes by" in rows_words(made.counts)
    line = split_line(split, made.counts)
    assert line.startswith("Split by time: learned to ")
    assert line.endswith(" to 9 Apr 2024.")
    assert made.moments_test is not None
    assert made.moments_test.max() == pd.Timestamp("2024-04-09")
    assert "9 Apr 2024" in SplitBar(made.counts).alt


def test_by_group_the_groups_are_counted() -> None:
    split = Split(kind="group", column="shop")
    line = split_line(split, prepared(split).counts)
    assert line.startswith("Split by shop: learned from ")
    assert "others (" in line


def test_by_the_order_of_the_rows_the_last_judge() -> None:
    split = Split(kind="time", column=ROW_ORDER)
    made = prepared(split)
    assert made.rows_test.tolist() == list(range(85, 100))
    assert split_line(split, made.counts) == (
        "Split by the order of the rows: learned to row 70, judged on rows 86 to 100."
    )


def test_at_random_the_rows_are_counted() -> None:
    assert split_line(Split(), prepared(Split()).counts) == "Split at random: judged on 15 rows drawn by chance."


def test_a_split_has_a_name_in_lists() -> None:
    splits = [Split(), Split(stratified=True), Split(kind="time", column="day"), Split(kind="group", column="shop")]
    assert [split_name(split_text(split)) for split in splits] == [
        "random", "stratified", "by time: day", "by group: shop",
    ]  # fmt: skip
