"""Real files with real quirks, compared with what pandas reads."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.specs import ColumnType

DATA = Path(__file__).parents[3].parent / "shared" / "data"
if not DATA.is_dir() and not os.environ.get("CI"):
    pytest.skip("the shared data files are not here", allow_module_level=True)

N, C, D, T, B, ID, K = (
    ColumnType.NUMBER,
    ColumnType.CATEGORY,
    ColumnType.DATETIME,
    ColumnType.TEXT,
    ColumnType.BOOLEAN,
    ColumnType.IDENTIFIER,
    ColumnType.CONSTANT,
)
FILES: dict[str, tuple[int, list[ColumnType], dict[str, Any]]] = {
    "air_quality_uci.csv": (9357, [D, D, *[N] * 13], {"sep": ";", "decimal": ","}),
    "auto_mpg.csv": (398, [*[N] * 7, C, T], {}),
    "bike_sharing_hour.csv": (17379, [ID, D, *[N] * 15], {}),
    "california_housing.csv": (20640, [*[N] * 9, C], {}),
    "insurance.csv": (1338, [N, C, N, N, B, C, N], {}),
    "nycflights13_flights.csv": (336776, [K, *[N] * 8, C, N, T, C, C, *[N] * 4, D], {}),
    "stocks_5tickers.csv": (12154, [C, D, *[N] * 6], {}),
    "used_cars_cardekho.csv": (8128, [T, N, N, N, C, C, C, C, C, N, N, T, N], {}),
    "wine_white.csv": (4898, [N] * 12, {"sep": ";"}),
}


@pytest.mark.parametrize("name", FILES)
def test_shape_types_and_missing_counts(name: str, tmp_path: Path) -> None:
    rows, types, options = FILES[name]
    store = DatasetStore(tmp_path)
    started = time.perf_counter()
    dataset = store.add(DATA / name)
    seconds = time.perf_counter() - started
    # Generous, for machines that are busy with other things.
    assert seconds < 15
    assert dataset.rows == rows
    assert [column.type for column in dataset.columns] == types

    expected = pd.read_csv(DATA / name, **options).dropna(how="all").dropna(how="all", axis=1)
    for column in dataset.columns:
        if column.unit:
            expected[column.name] = expected[column.name].str.extract(r"(\d+\.?\d*)")[0].astype(float)
    assert list(dataset.column_names) == list(expected.columns)
    assert [column.missing for column in dataset.columns] == expected.isna().sum().tolist()
    assert dataset.duplicate_rows == expected.duplicated().sum()

    frame = store.table(dataset.id)
    for column in dataset.columns:
        if column.type is ColumnType.NUMBER:
            pd.testing.assert_series_equal(
                frame[column.name], expected[column.name].reset_index(drop=True), check_dtype=False, rtol=1e-12
            )
            assert column.mean == pytest.approx(expected[column.name].mean())
            assert column.median == pytest.approx(expected[column.name].median())
            assert column.distinct == expected[column.name].nunique()


def test_day_comes_first_in_air_quality(tmp_path: Path) -> None:
    dataset = DatasetStore(tmp_path).add(DATA / "air_quality_uci.csv")
    date = dataset.column("Date")
    assert (date.minimum, date.maximum, date.day_first) == ("2004-03-10T00:00:00", "2005-04-04T00:00:00", True)
    assert dataset.dialect is not None and dataset.dialect.decimal == ","


FIRST_ROWS: dict[str, list[object]] = {
    "air_quality_uci.csv": [pd.Timestamp("2004-03-10"), pd.Timestamp("1970-01-01 18:00"), 2.6, 1360, 150],
    "auto_mpg.csv": [18.0, 8, 307.0, 130.0, 3504],
    "bike_sharing_hour.csv": [1, pd.Timestamp("2011-01-01"), 1, 0, 1],
    "california_housing.csv": [-122.23, 37.88, 41.0, 880.0, 129.0],
    "insurance.csv": [19, "female", 27.9, 0, "yes"],
    "nycflights13_flights.csv": [2013, 1, 1, 517, 515],
    "stocks_5tickers.csv": ["AAPL", pd.Timestamp("2000-03-01"), 118.56, 132.06, 118.5],
    "used_cars_cardekho.csv": ["Maruti Swift Dzire VDI", 2014, 450000, 145500, "Diesel", "Individual", "Manual"],
    "wine_white.csv": [7, 0.27, 0.36, 20.7, 0.045],
}
LATER_COLUMNS = {"used_cars_cardekho.csv": {"mileage": "23.4 kmpl", "engine": 1248, "max_power": 74}}


@pytest.mark.parametrize("name", FIRST_ROWS)
def test_first_row(name: str, tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    first = store.preview(store.add(DATA / name).id, 1).iloc[0]
    assert first.tolist()[: len(FIRST_ROWS[name])] == FIRST_ROWS[name]
    for column, value in LATER_COLUMNS.get(name, {}).items():
        assert first[column] == value


@pytest.mark.parametrize("name", ["concrete", "energy", "power", "wine", "yacht"])
def test_uci_sets_are_numbers_without_gaps(name: str, tmp_path: Path) -> None:
    path = DATA / "uci" / name / "data.csv"
    store = DatasetStore(tmp_path)
    dataset = store.add(path)
    assert {column.type for column in dataset.columns} == {N}
    assert not any(column.missing for column in dataset.columns)
    pd.testing.assert_frame_equal(store.table(dataset.id), pd.read_csv(path), check_dtype=False)


def test_times_of_air_quality_are_times_of_day(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(DATA / "air_quality_uci.csv")
    assert dataset.column("Time").time_of_day
    hours = store.table(dataset.id, ["Time"])["Time"].dt.hour
    assert hours.tolist() == [
        int(time[:2]) for time in pd.read_csv(DATA / "air_quality_uci.csv", sep=";")["Time"].dropna()
    ]


def test_units_of_used_cars(tmp_path: Path) -> None:
    dataset = DatasetStore(tmp_path).add(DATA / "used_cars_cardekho.csv")
    assert {c.name: c.unit for c in dataset.columns if c.unit} == {"engine": "CC", "max_power": "bhp"}
    assert dataset.column("mileage").note_code == "mixed-units"
    assert "kmpl (7,819 rows) and km/kg (88 rows)" in dataset.column("mileage").note
    assert dataset.column("max_power").note == (
        "1 value is the unit alone and missing. 6 values have no unit and are taken as bhp."
    )


def test_zone_of_flights_is_utc(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(DATA / "nycflights13_flights.csv")
    read = store.table(dataset.id, ["time_hour"])["time_hour"]
    expected = pd.to_datetime(pd.read_csv(DATA / "nycflights13_flights.csv", usecols=["time_hour"])["time_hour"])
    pd.testing.assert_series_equal(read, expected.dt.tz_localize(None))
