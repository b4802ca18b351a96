"""Columns of dates, months, times and durations: what they are read as, and what is said about them."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.inference.times.date_cells import date_order_of, read_moments
from dlreg_core.ingest.inference.times.durations import read_durations
from dlreg_core.specs import Column, ColumnType
from tests.core.ingest.formats.test_formats import workbook
from tests.core.ingest.inference.one_column import read_column

MONTHS = [datetime(2010 + at // 12, at % 12 + 1, 1) for at in range(30)]
DAYS = [datetime(2005, 1, 13) + timedelta(days=42 * at) for at in range(26)]


def column(values: list[str], name: str = "x", day_first: bool | None = None) -> Column:
    return read_column(name, values, day_first=day_first)[0]


def read(values: list[str], name: str = "x", day_first: bool | None = None) -> list[object]:
    profile, typed = read_column(name, values, day_first=day_first)
    assert profile.type is ColumnType.DATETIME, profile.note
    found: list[object] = typed.cast(pa.timestamp("us")).to_pylist()
    return found


def remarks(content: bytes, target: str | None = None) -> dict[str, Finding]:
    dataset, rows = read_dataset(content, "t.csv")
    return {finding.code: finding for finding in findings(dataset, rows, target)}


@pytest.mark.parametrize(
    "pattern",
    ["%Y-%m", "%m/%Y", "%b-%y", "%B-%Y", "%b %Y", "%Y %b", "%YM%m", "%d.%m.%y", "%d-%m-%y", "%d/%m/%y", "%m-%d-%y"],
)
def test_months_and_short_years(pattern: str) -> None:
    assert read([f"{month:{pattern}}" for month in MONTHS]) == MONTHS
    assert column([f"{month:{pattern}}" for month in MONTHS]).note == ""


@pytest.mark.parametrize("pattern", ["{0}Q{1}", "{0}-Q{1}", "Q{1} {0}", "Q{1}/{0}", "{1}Q{0}"])
def test_quarters(pattern: str) -> None:
    quarters = [(2010 + at // 4, at % 4 + 1) for at in range(12)]
    expected = [datetime(year, 3 * quarter - 2, 1) for year, quarter in quarters]
    assert read([pattern.format(*quarter) for quarter in quarters]) == expected


def test_weeks_begin_on_mondays() -> None:
    days = [date(2019, 12, 30) + timedelta(days=7 * at) for at in range(60)]
    written = ["{}-W{:02d}".format(*day.isocalendar()[:2]) for day in days]
    assert read(written) == [datetime.combine(day, datetime.min.time()) for day in days]
    assert column(["2021-W53", "2021-W52"]).type is ColumnType.CATEGORY


@pytest.mark.parametrize("pattern", ["%d.%m.%y", "%d-%m-%y", "%y-%m-%d", "%m/%d/%y", "%d.%m.%Y", "%y/%m/%d"])
def test_days_with_short_years(pattern: str) -> None:
    assert read([f"{day:{pattern}}" for day in DAYS]) == DAYS


def test_each_value_is_read_by_its_own_form_in_one_order() -> None:
    written = ["01/19/85", "02-12-1985", "03/18/85", "1985-04-28", "May 6, 1985"]
    days = [datetime(1985, *day) for day in ((1, 19), (2, 12), (3, 18), (4, 28), (5, 6))]
    assert read(written) == days
    found = column(written)
    assert (found.day_first, found.note_code) == (False, "date-forms")
    assert "2 values such as 01/19/85" in found.note


def test_steps_from_month_to_month_decide_the_order() -> None:
    written = [f"{month.month}/1/{month.year}" for month in MONTHS]
    assert (read(written), column(written).note) == (MONTHS, "")
    # A person's word goes before.
    assert column(written, day_first=True).day_first is True
    # Days of one month may as well be months of one year.
    assert column([f"{at}/1/2010" for at in range(1, 13)]).note_code == "ambiguous-dates"


def test_dots_are_dates_times_or_versions() -> None:
    assert column(["18.00.00", "19.00.00", "00.00.00"]).time_of_day
    assert column(["01.01.22", "01.02.22", "01.03.22"]).minimum == "2022-01-01T00:00:00"
    versions = ["1.10.12", "2.3.10", "1.4.11"]
    found = column(versions)
    assert (found.type, found.note_code) == (ColumnType.CATEGORY, "maybe-dates")
    assert column(versions, "Date").type is ColumnType.DATETIME
    assert column(["1.10.2", "1.2.3", "2.0.1"]).note == ""


@pytest.mark.parametrize(
    "values",
    [
        ["2009-10", "2010-11", "2011-12"],  # seasons
        ["Jan-01", "Jan-15", "Mar-31"],  # days of a month
        ["1234-05", "1235-06", "1236-07"],  # codes
        ["10/2500", "11/2501"],
        ["2010-13", "2010-14"],
    ],
)
def test_what_only_looks_like_months(values: list[str]) -> None:
    assert column(values).type is ColumnType.CATEGORY


def test_dates_without_an_end_are_missing_and_told() -> None:
    days = [f"{day:%Y-%m-%d}" for day in DAYS]
    for end in ("9999-12-31", "1753-01-01", "0001-01-01", "0000-00-00", "9999-12-31 23:59:59"):
        found = column([*days, end, end])
        assert (found.type, found.missing, found.note_code) == (ColumnType.DATETIME, 2, "open-dates")
        assert f"2 dates, such as {end}, stand for an open end" in found.note
    table = "start,fee\n" + "".join(f"{day},{at}\n" for at, day in enumerate([*days, "9999-12-31"]))
    assert remarks(table.encode())["open-dates"].columns == ("start",)


def test_dates_of_other_centuries_are_text_and_told() -> None:
    found = column(["1500-01-01", "1600-02-02"])
    assert (found.type, found.note_code) == (ColumnType.CATEGORY, "far-dates")


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("ms"), pa.timestamp("s"), pa.date32(), pa.date64()])
def test_dates_out_of_range_in_typed_files(kind: pa.DataType) -> None:
    values = pa.array([date(2020, 1, 1), None, date(9999, 12, 31), date(1, 1, 1), date(2021, 1, 1), date(1753, 1, 1)])
    found, typed = read_column("x", values.cast(pa.timestamp("s")).cast(kind))
    assert typed.cast(pa.timestamp("us")).to_pylist() == [
        *(datetime(2020, 1, 1), None, None, None),
        *(datetime(2021, 1, 1), None),
    ]
    assert (found.missing, found.note_code) == (4, "open-dates")
    assert "3 dates, such as 9999-12-31, stand" in found.note


def test_what_keeps_a_column_from_being_dates_is_named_with_a_repair() -> None:
    days = [f"{day:%Y-%m-%d}" for day in DAYS]
    table = "sold,fee\n" + "".join(f"{day},{at}\n" for at, day in enumerate([*days, "unknown", "tbd"]))
    found = remarks(table.encode())["not-dates"]
    assert found.text == '2 of 28 values are no dates, such as "unknown", so the column is read as text.'
    assert found.step is not None
    assert found.step.types == {"sold": ColumnType.DATETIME}
    # Neither order fits all.
    mixed = column(["13/02/2020", "14/02/2020", "15/02/2020", "02/16/2020"])
    assert mixed.note.startswith('1 of 4 values is no date (day/month/year), such as "02/16/2020"')
    assert mixed.day_first is True
    assert column(["10:15", "closed", "11:15", "9:00"]).note_code == "not-times"
    assert column(["26:30:00", "3:00:00", "did not finish"]).note_code == "not-durations"


def test_cells_of_a_workbook_that_are_partly_dates() -> None:
    days = [datetime(2019, month, 10) for month in range(1, 13)]
    texts = [f"{day}/01/2019" for day in range(14, 26)]
    content = workbook(One=[["visit", "dose"], *([cell, at] for at, cell in enumerate([*days, *texts]))])
    found = remarks(content)["exchanged-dates"]
    assert found.severity == "high"
    assert found.text.startswith('12 cells are dates and 12 are text such as "14/01/2019", read as dates too.')
    dataset, rows = read_dataset(content, "t.xlsx")
    assert dataset.column("visit").type is ColumnType.DATETIME
    assert rows["visit"].iloc[-1] == pd.Timestamp(2019, 1, 25)
    later = workbook(One=[["visit", "dose"], [datetime(2019, 3, 20), 1], [datetime(2019, 3, 21), 2], ["22/03/2019", 3]])
    assert "half-dates" in remarks(later)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("26:30:00", 95_400),
        ("2:09:37", 7777),
        ("72:15", 4335),
        ("1:23.5", 83.5),
        ("1 day, 2:03:04", 93_784),
        ("0 days 02:03:04.500000", 7384.5),
        ("-1 day, 23:00:00", -3600),
        ("-1 days +23:00:00", -3600),
        ("PT1H30M", 5400),
        ("P1DT2H", 93_600),
        ("1h 23m", 4980),
        ("1 hr 5 min 3 s", 3903),
        ("2:75:00", None),
        ("later", None),
        ("P", None),
        ("", None),
    ],
)
def test_durations_one_by_one(written: str, seconds: float | None) -> None:
    assert read_durations(pa.array([written])).to_pylist() == [seconds]


@pytest.mark.parametrize(
    ("values", "name", "seconds"),
    [
        (["26:30:00", "3:10:00"], "x", [95_400, 11_400]),
        (["2:09:37", "3:10:00"], "duration", [7777, 11_400]),
        (["4:35", "1:02:03"], "x", [275, 3723]),
        (["72:15", "3:10"], "x", [4335, 190]),
        (["45 min", "1 h 3 min"], "x", [2700, 3780]),
        (["0:00:01.5", "1 day, 0:00:00"], "x", [1.5, 86_400]),
    ],
)
def test_columns_of_durations(values: list[str], name: str, seconds: list[float]) -> None:
    found, typed = read_column(name, values)
    assert (found.type, found.unit, found.note_code) == (ColumnType.NUMBER, "s", "durations")
    assert typed.to_pylist() == seconds


@pytest.mark.parametrize("values", [["2:09:37", "3:10:00"], ["09:30", "09:30:15"], ["24:00", "03:10"]])
def test_times_stay_times_of_day_without_a_sign_of_a_duration(values: list[str]) -> None:
    found = column(values)
    assert (found.type, found.time_of_day) == (ColumnType.DATETIME, True)


def test_durations_in_typed_files(tmp_path: Path) -> None:
    lengths = pd.to_timedelta(["1h", "26h30min", None])
    file = io.BytesIO()
    pd.DataFrame({"length": lengths, "y": [1.0, 2.0, 3.5]}).to_parquet(file)
    dataset, rows = read_dataset(file.getvalue(), "t.parquet")
    assert rows["length"].tolist()[:2] == [3600.0, 95_400.0]
    found = dataset.column("length")
    assert (found.type, found.unit, found.missing) == (ColumnType.NUMBER, "s", 1)
    assert read_column("x", pa.array([60, 90], pa.duration("s")))[1].to_pylist() == [60, 90]


def test_durations_of_a_workbook() -> None:
    cells = [timedelta(hours=1, minutes=1), timedelta(hours=39, minutes=46), timedelta(minutes=5)]
    content = workbook(One=[["rows", "wall"], *([at + 0.5, cell] for at, cell in enumerate(cells))])
    dataset, rows = read_dataset(content, "t.xlsx")
    assert rows["wall"].tolist() == [3660.0, 143_160.0, 300.0]
    assert dataset.column("wall").unit == "s"


def test_times_can_be_read_as_seconds_and_are_as_a_target() -> None:
    rows = "".join(f"{at},{2 + at // 60}:{at % 60:02d}:{at * 7 % 60:02d}\n" for at in range(90))
    content = f"age,finish\n{rows}".encode()
    step = remarks(content)["times"].step
    assert step is not None
    assert step.units == {"finish": "s"}
    assert remarks(content, "finish")["durations"].columns == ("finish",)


def test_one_by_one_only_what_is_known_is_read() -> None:
    texts = pa.array(["03/04/2024", "13/04/2024", "24-12-31", "2024-05-06", "9999-12-31", "soon"])

    def moments(day_first: bool | None, *, year_first: bool = False) -> list[object]:
        found = read_moments(texts, date_order_of(day_first, year_first=year_first))
        values: list[object] = found.values.cast(pa.timestamp("us")).to_pylist()
        return values

    may = datetime(2024, 5, 6)
    swapped = datetime(2031, 12, 24)
    assert moments(day_first=True) == [datetime(2024, 4, 3), datetime(2024, 4, 13), swapped, may, None, None]
    assert moments(day_first=False) == [datetime(2024, 3, 4), None, None, may, None, None]
    # Without a known order nothing is guessed.
    assert moments(None) == [None, datetime(2024, 4, 13), None, may, None, None]
    assert moments(None, year_first=True) == [None, None, datetime(2024, 12, 31), may, None, None]
    far = read_moments(texts, "dmy").far
    assert np.flatnonzero(far).tolist() == [4]


def test_parquet_with_an_open_end_is_read_in_pieces_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlreg_core.ingest.formats import large_files

    days = pa.array([date(2020, 1, 1), date(9999, 12, 31), None, date(2021, 1, 1)])
    lengths = pa.array([1_500_000, 2_000_000, None, 3_000_000], pa.duration("us"))
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"end": days, "took": lengths, "y": [1.0, 2.0, 3.5, 4.0]}), path)
    whole, rows = read_dataset(path.read_bytes(), "t.parquet")
    monkeypatch.setattr(large_files.reads_in_pieces, "__defaults__", (-1,))
    pieces, same = read_dataset(path, "t.parquet")
    pd.testing.assert_frame_equal(rows, same)
    assert [c.model_copy(update={"mean": None}) for c in whole.columns] == [
        c.model_copy(update={"mean": None}) for c in pieces.columns
    ]
    assert whole.column("end").note_code == "open-dates"
    assert (whole.column("took").unit, rows["took"].tolist()[0]) == ("s", 1.5)
