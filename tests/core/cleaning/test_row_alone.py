"""A row means alone what it means in its file, and one bad cell changes no other."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.cleaning import Schema, read_own_rows, written_of
from dlreg_core.cleaning.raw_rows import read_raw_rows
from dlreg_core.cleaning.schema import schema_of
from dlreg_core.ingest.batches.typed_table import to_frame
from dlreg_core.ingest.datasets.dataset_files import described
from dlreg_core.specs import Cleaning, ColumnType, Reading, Recipe, Split

ROWS_OF_A_TABLE = 3
WORDS = {
    "cp1252": ["größer", "Málaga", "wenig"],
    "cp1251": ["Омск", "Пермь", "Тула"],
    "shift_jis": ["福岡", "札幌", "京都"],
}


def learned(content: bytes, target: str) -> tuple[Schema, pd.DataFrame]:
    """Return the schema of a table, as a model learns it, and what the model gets of its rows."""
    dataset, table = described(content, "table.csv", "0" * 16, Reading())
    frame = to_frame(table)
    features = tuple(name for name in dataset.column_names if name != target)
    units = {c.name: c.unit for c in dataset.columns if c.unit and c.name != target}
    cleaning = Cleaning(units=units)
    written = written_of(dataset, frame, Recipe(target=target, features=features, split=Split(kind="random")))
    assert written is not None
    types = {name: dataset.column(name).type for name in features}
    day_first = {name: dataset.column(name).day_first for name in features}
    schema = schema_of(frame[list(features)], types, day_first, cleaning).model_copy(update={"written": written})
    schema = Schema.model_validate_json(schema.model_dump_json())
    return schema, schema.coerce(frame)


def assert_alone(schema: Schema, rows: pd.DataFrame, content: bytes, places: list[int], encoding: str) -> None:
    lines = content.decode(encoding).splitlines(keepends=True)
    for place in places:
        alone = read_raw_rows((lines[0] + lines[place + 1]).encode(encoding), schema)
        found = schema.coerce(alone)
        pd.testing.assert_frame_equal(found, rows.iloc[[place]].reset_index(drop=True), check_dtype=False)
        assert not [told for told in schema.warnings(alone) if "range" not in told], lines[place + 1]


TABLES = {
    "air_quality_uci.csv": "CO(GT)",
    "auto_mpg.csv": "mpg",
    "bike_sharing_hour.csv": "cnt",
    "california_housing.csv": "median_house_value",
    "insurance.csv": "charges",
    "nycflights13_flights.csv": "arr_delay",
    "stocks_5tickers.csv": "Close",
    "used_cars_cardekho.csv": "selling_price",
    "wine_white.csv": "quality",
} | {f"uci/{name}/data.csv": "target" for name in ("concrete", "energy", "power", "wine", "yacht")}


def start_of(path: Path, size: int) -> bytes:
    content = path.read_bytes()
    return content if len(content) <= size else content[: content.rfind(b"\n", 0, size) + 1]


@pytest.mark.parametrize("name", TABLES)
def test_rows_of_shared_tables_mean_alone_what_they_mean_in_their_file(shared_data: Path, name: str) -> None:
    content = start_of(shared_data / name, 60_000)
    schema, rows = learned(content, TABLES[name])
    places = np.linspace(0, len(rows) - 1, ROWS_OF_A_TABLE).astype(int).tolist()
    assert_alone(schema, rows, content, places, "utf-8")


@pytest.mark.soak
@pytest.mark.parametrize("name", TABLES)
def test_many_rows_of_shared_tables_mean_alone_what_they_mean_in_their_file(shared_data: Path, name: str) -> None:
    content = start_of(shared_data / name, 3_000_000)
    schema, rows = learned(content, TABLES[name])
    step = max(1, len(rows) // 200)
    assert_alone(schema, rows, content, list(range(0, len(rows), step)), "utf-8")


def number(value: float, mark: str, group: str) -> str:
    text = f"{value:,.2f}" if group else f"{value:.2f}"
    return text.translate({ord(","): group, ord("."): mark})


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, str]:
    """Write a table: numbers with either mark, grouped or not, with a unit, dates in either order, and words."""
    encoding = draw(st.sampled_from([*WORDS, "utf-8"]))
    words = WORDS.get(encoding, [*WORDS["cp1251"], "x"])
    mark = draw(st.sampled_from([".", ","]))
    group = draw(st.sampled_from(["", " ", {".": ",", ",": "."}[mark]]))
    order = draw(st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y %H:%M"]))
    unit = draw(st.sampled_from(["", " km", " MW"]))
    rows = draw(
        st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**6), st.integers(0, 2)), min_size=3, max_size=12)
    )
    # These tell how the table is written, whatever the others are.
    rows += [(123_456_789, 30 * 24 * 60, 0), (50, 400 * 24 * 60 + 61, 1), (7, 0, 2)]
    start = pd.Timestamp(2021, 1, 25)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=draw(st.sampled_from([";", "\t"])), lineterminator="\n")
    writer.writerow(["größe" if encoding == "cp1252" else "size", "way", "made", "place", "price"])
    for cents, minutes, word in rows:
        made = (start + pd.Timedelta(minutes=minutes)).strftime(order)
        cells = [number(cents / 100, mark, group), f"{number(minutes / 7, mark, group)}{unit}", made, words[word]]
        writer.writerow([*cells, cents % 97])
    return buffer.getvalue().encode(encoding), encoding


@settings(max_examples=12)
@given(tables(), st.data())
def test_rows_of_any_table_mean_alone_what_they_mean_in_their_file(
    table: tuple[bytes, str], data: st.DataObject
) -> None:
    content, encoding = table
    schema, rows = learned(content, "price")
    place = data.draw(st.integers(0, len(rows) - 1))
    assert_alone(schema, rows, content, [place], encoding)
    # A bad cell anywhere leaves all others what they are.
    lines = content.decode(encoding).splitlines()
    delimiter = schema.written.dialect.delimiter if schema.written is not None else ";"
    row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 2))
    cells = lines[row + 1].split(delimiter)
    cells[column] = data.draw(st.sampled_from(["unknown", "inf", "5 parsecs", "99/99/99x"]))
    lines[row + 1] = delimiter.join(cells)
    spoilt = read_raw_rows("\n".join(lines).encode(encoding), schema)
    wanted = rows.copy()
    wanted.iloc[row, column] = None
    pd.testing.assert_frame_equal(schema.coerce(spoilt), wanted, check_dtype=False)
    assert any(told.startswith(f"{wanted.columns[column]}: 1 value ") for told in schema.warnings(spoilt))


GERMAN = "size;year;plot;price\n" + "".join(
    f"{size},5;{year};1.{size},{year % 10};{size}\n"
    for size, year in zip(range(100, 160), range(1960, 2020), strict=True)
)


def test_what_plainly_is_written_otherwise_is_read_so_and_told_with_what_could_be_either() -> None:
    schema, _ = learned(GERMAN.encode(), "price")
    rows = read_raw_rows(b"size,year,plot\n120.5,1990,1250.0\n88.0,1975,1.250\n", schema)
    assert schema.coerce(rows)["plot"].tolist() == [1250.0, 1250.0]
    assert schema.coerce(rows)["size"].tolist() == [120.5, 88.0]
    assert (
        "plot: 1 value is plainly written with a decimal point and read so, unlike those learned from: 1250.0 in row 1."
        " 1 other fits both and is read as a decimal comma, as those learned from: 1.250 in row 2 as 1250."
    ) in schema.warnings(rows)


def test_what_is_no_number_is_named_with_its_row() -> None:
    schema, _ = learned(GERMAN.encode(), "price")
    rows = read_raw_rows(b"size;year;plot\n110,5;inf;8.25k\n120,5;1990;unbekannt\n", schema)
    assert schema.coerce(rows)["plot"].isna().all()
    assert schema.warnings(rows) == (
        "year: 1 value is not finite and counts as missing: inf in row 1.",
        "plot: 1 value has a unit, and those learned from had none: it counts as missing: 8.25k in row 1.",
        "plot: 1 value can't be read as number and counts as missing: unbekannt in row 2.",
    )


def test_dates_follow_the_order_that_was_learned_from() -> None:
    days = pd.date_range("2024-01-01", periods=60)
    text = "day,price\n" + "".join(f"{day:%m/%d/%Y},{i}\n" for i, day in enumerate(days))
    schema, _ = learned(text.encode(), "price")
    rows = read_raw_rows(b"day\n03/04/2024\n25/12/2024\nsoon\n", schema)
    found = schema.coerce(rows)["day"].tolist()
    assert found[:2] == [pd.Timestamp(2024, 3, 4), pd.Timestamp(2024, 12, 25)]
    assert pd.isna(found[2])
    told = schema.warnings(rows)
    assert any(line.startswith("day: 1 value is plainly day/month/year and read so") for line in told)
    assert "day: 1 value can't be read as datetime and counts as missing: soon in row 3." in told


def test_units_keep_their_case() -> None:
    text = "site,capacity,yield\n" + "".join(f"S{i % 3},{i * 7 + 4}.5 MW,{i}\n" for i in range(60))
    schema, _ = learned(text.encode(), "yield")
    rows = read_raw_rows(b"site,capacity\nS1,500 mW\nS1,300 MW\nS1,12\n", schema)
    assert schema.coerce(rows)["capacity"].tolist() == pytest.approx([5e-7, 300, 12], rel=1e-12)
    assert "capacity: 1 value in mW is converted into MW." in schema.warnings(rows)


def test_rows_that_this_program_wrote_come_back_whatever_the_model_expects() -> None:
    schema, rows = learned(GERMAN.encode(), "price")
    again = read_own_rows(rows.assign(plot=1.234).to_csv(index=False).encode(), schema)
    assert schema.coerce(again)["plot"].tolist() == [1.234] * len(rows)
    pd.testing.assert_series_equal(schema.coerce(again)["size"], rows["size"])


def test_a_model_of_an_earlier_version_guesses_as_it_did() -> None:
    schema, _ = learned(GERMAN.encode(), "price")
    older = Schema.model_validate_json(schema.model_dump_json(exclude={"written"}))
    assert older.written is None
    rows = read_raw_rows(b"size;year;plot\n120,5;1990;1.250,0\n", older)
    assert older.coerce(rows)["plot"].tolist() == [1250.0]
    assert older.field("plot").type is ColumnType.NUMBER
