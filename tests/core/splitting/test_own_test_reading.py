"""An own test file is read as the table that it judges models of, wherever its cells leave that open."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.splitting import add_own_test


def read(home: Path, table: str, own: str, encoding: str = "utf-8") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return an own test file as it is read for a table, and as it would be read alone."""
    store = DatasetStore(home)
    known = store.add(table.encode(encoding), "table.csv")
    beside = store.add(own.encode(encoding), "own.csv")
    return store.table(add_own_test(store, own.encode(encoding), "own.csv", known).id), store.table(beside.id)


GERMAN = "Fläche;Grund\n" + "".join(f"{80 + i},5;{1 + i % 7}.{100 + i}\n" for i in range(30))


def test_a_group_of_three_digits_means_what_it_means_in_the_table(tmp_path: Path) -> None:
    own, alone = read(tmp_path, GERMAN, "Fläche,Grund\n81,1.250\n85,2.750\n")
    assert own["Grund"].tolist() == [1250, 2750]
    assert alone["Grund"].tolist() == [1.25, 2.75]


def test_what_is_plainly_written_otherwise_is_read_so(tmp_path: Path) -> None:
    own, alone = read(tmp_path, GERMAN, "Fläche,Grund\n81.25,1250.5\n85.5,2750\n")
    assert own["Grund"].tolist() == [1250.5, 2750.0]
    pd.testing.assert_frame_equal(own, alone)


@pytest.mark.parametrize(("first", "month"), [("day", 4), ("month", 3)])
def test_dates_that_fit_both_orders_are_in_the_tables_order(tmp_path: Path, first: str, month: int) -> None:
    dates = [f"{25 if first == 'day' else 2}/{2 if first == 'day' else 25}/2024", "03/04/2024"]
    table = "when,value\n" + "".join(f"{dates[i % 2]},{i}\n" for i in range(30))
    own, _ = read(tmp_path, table, "when,value\n03/04/2024,1\n05/06/2024,2\n")
    assert own["when"].dt.month.tolist() == [month, month + 2]


def test_a_few_bytes_are_in_the_tables_encoding(tmp_path: Path) -> None:
    names = ["Москва", "Омск", "Пермь", "Казань", "Новосибирск", "Екатеринбург", "Санкт-Петербург", "Нижний Новгород"]
    table = "city,rent\n" + "".join(f"{names[i % 8]},{500 + i}\n" for i in range(80))
    own, alone = read(tmp_path, table, "city,rent\nОмск,60\n", "cp1251")
    assert own["city"].tolist() == ["Омск"]
    assert alone["city"].tolist() != ["Омск"]


def test_readings_that_were_only_tried_leave_nothing_and_what_was_there_stays(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    table = store.add(GERMAN.encode(), "table.csv")
    content = "Fläche,Grund\n81,1.250\n85,2.750\n".encode()
    own = add_own_test(store, content, "own.csv", table)
    assert {dataset.id for dataset in store.list()} == {table.id, own.id}
    opened = store.add(content, "own.csv")
    assert opened.id != own.id
    assert add_own_test(store, content, "own.csv", table).id == own.id
    assert {dataset.id for dataset in store.list()} == {table.id, own.id, opened.id}
