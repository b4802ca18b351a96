"""Levels that have an order are put in it, and others never are."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.inference.level_order import any_order, ordered_levels
from tests.conftest import add_table

ORDERS = (
    "low medium high",
    "Low Medium High Very_High",
    "XS S M L XL XXL",
    "tiny small large",
    "Fair|Good|Very Good|Premium|Ideal",
    "bad fair good excellent",
    "strongly disagree|disagree|neutral|agree|strongly agree",
    "never rarely sometimes often always",
    "F D C- C+ B- A A+",
    "BBB- BBB A AA AAA",
    "Jan Feb Mar Oct",
    "monday wednesday sunday",
    "Mon Tue Wed Thu Fri Sat Sun",
    "Q1 Q2 Q3 Q4",
    "Stage I|Stage II|Stage III|Stage IV",
    "1-5 6-10 11-15",
    "<18|18-25|26-64|65+",
    "under 18|18 to 25|over 25",
    "0-100 km|100-200 km|200-1,000 km",
    "(0, 10]|(10, 20]|(20, 30]",
    "$0-$9,999|$10,000-$49,999|$50,000+",
    "mild moderate severe",
    "First Owner|Second Owner|Third Owner",
    "high school|bachelor|master|phd",
)

NO_ORDERS = (
    "north south west",
    "A B C",
    "A1 B2 C3",
    "low high",
    "low medium high unknown",
    "good fair Fair",
    "1-5 4-10 11-20",
    "3-1 0-2 1-1",
    "red green blue",
    "store 1|store 2|store 3",
    "Diesel Petrol CNG LPG",
    "INLAND|<1H OCEAN|NEAR BAY",
    "male female other",
    "2-door 4-door 5-door",
    "jan mar paul",
    "First Owner|Second Owner|Test Drive Car",
)


def split(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split()


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_found_however_the_levels_come(order: str) -> None:
    wanted = split(order)
    mixed = wanted.copy()
    random.Random(0).shuffle(mixed)
    assert ordered_levels(mixed) == tuple(wanted)


@pytest.mark.parametrize("levels", NO_ORDERS)
def test_what_has_no_order_gets_none(levels: str) -> None:
    assert ordered_levels(split(levels)) == ()


def test_a_person_who_wants_an_order_starts_from_a_sensible_one() -> None:
    assert any_order(["high", "low", "medium"]) == ("low", "medium", "high")
    assert any_order(["10", "9", "2.5"]) == ("2.5", "9", "10")
    assert any_order(["b", "a", "c", "a"]) == ("a", "b", "c")


def test_the_profile_of_a_category_holds_its_order(tmp_path: Path) -> None:
    table = pd.DataFrame({"size": ["small", "large", "medium", None] * 20, "n": range(80)})
    dataset = add_table(tmp_path, table)
    assert dataset.column("size").ordered == ("small", "medium", "large")
    assert dataset.column("n").ordered == ()


def test_real_files_have_few_ordered_columns(shared_data: Path) -> None:
    found = set()
    for path in (*shared_data.glob("uci/*/data.csv"), *shared_data.glob("*.csv")):
        if path.stat().st_size < 5e6:
            found |= {(path.name, c.name) for c in read_dataset(path)[0].columns if c.ordered}
    assert found == set()
