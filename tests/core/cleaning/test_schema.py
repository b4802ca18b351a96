"""Bringing raw rows into the shape that a model expects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlreg_core.cleaning import Schema, SchemaField, coerce_column
from dlreg_core.cleaning.raw_rows import read_raw_rows
from dlreg_core.cleaning.schema import as_text, schema_of
from dlreg_core.errors import RowsError
from dlreg_core.specs import ColumnType

TYPES = {
    "n": ColumnType.NUMBER,
    "c": ColumnType.CATEGORY,
    "b": ColumnType.BOOLEAN,
    "d": ColumnType.DATETIME,
    "t": ColumnType.TEXT,
}


def training_rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": [1.0, 2.0, 5.0, None],
            "c": ["x", "y", "x", None],
            "b": ["yes", "no", "yes", None],
            "d": pd.to_datetime(pd.Series(["2024-01-05", "2024-01-01", "2024-01-03", None])),
            "t": ["good", "bad", "good", None],
        }
    )


def test_numbers_written_as_text_are_numbers() -> None:
    found = coerce_column(pd.Series(["1", " 2.5 ", "-3e2", "x", "", None, "inf", "1,5"]), ColumnType.NUMBER)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1, 2.5, -300, np.nan, np.nan, np.nan, np.nan, np.nan])


def test_infinite_numbers_are_missing() -> None:
    assert coerce_column(pd.Series([np.inf, -np.inf, 1.0]), ColumnType.NUMBER).isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("spellings", "meaning"),
    [
        (["yes", "Yes", " YES ", "y", "true", "True", "TRUE", "t", "1", "1.0", True, 1, 1.0], "yes"),
        (["no", "No", "n", "false", "FALSE", "f", "0", "0.0", False, 0, 0.0], "no"),
        (["maybe", "2", "", None, float("nan")], None),
    ],
)
def test_booleans_are_read_in_every_usual_spelling(spellings: list[object], meaning: str | None) -> None:
    for value in spellings:
        assert coerce_column(pd.Series([value], dtype=object), ColumnType.BOOLEAN).tolist() == [meaning], value
    typed = pd.Series([True, False])
    assert coerce_column(typed, ColumnType.BOOLEAN).tolist() == ["yes", "no"]


def test_whole_numbers_are_the_same_level_however_they_are_stored() -> None:
    wanted = ["1", "20", None]
    assert coerce_column(pd.Series([1.0, 20.0, None]), ColumnType.CATEGORY).tolist() == wanted
    assert coerce_column(pd.Series([1, 20, None], dtype="Int64"), ColumnType.CATEGORY).tolist() == wanted
    assert coerce_column(pd.Series(["1", "20", None], dtype="category"), ColumnType.CATEGORY).tolist() == wanted
    assert coerce_column(pd.Series([1, 20]), ColumnType.CATEGORY).tolist() == wanted[:2]


def test_levels_that_are_fractions_and_codes_keep_their_text() -> None:
    assert coerce_column(pd.Series([2.5, 0.1]), ColumnType.CATEGORY).tolist() == ["2.5", "0.1"]
    # Text such as a version keeps its zeros: 1.1 and 1.10 are two levels.
    text = ["1.1", "1.10", "007", "1.0.0", "a"]
    assert coerce_column(pd.Series(text), ColumnType.CATEGORY).tolist() == text
    schema = schema_of(pd.DataFrame({"version": text}), {"version": ColumnType.CATEGORY})
    assert schema.coerce(pd.DataFrame({"version": text}))["version"].tolist() == text
    assert as_text(pd.Series([1e20, np.inf, 2.0**53])).tolist() == ["1e+20", "inf", "9007199254740992.0"]


def test_a_column_of_numbers_chosen_as_categories_has_the_same_levels_in_a_file() -> None:
    """The stored table holds numbers, a file of new rows is read as text: both must name the same levels."""
    schema = schema_of(pd.DataFrame({"grade": [1.0, 2.5, 1.0]}), {"grade": ColumnType.CATEGORY})
    rows = read_raw_rows(b"grade,other\n1.0,a\n2.50,b\n1,c\n", schema)
    assert schema.coerce(rows)["grade"].tolist() == ["1", "2.5", "1"]
    assert schema.warnings(rows) == ()


def test_dates_follow_the_order_of_day_and_month() -> None:
    raw = pd.Series(["03/04/2024", "2024-03-04", "31/12/2023 13:30", "nonsense", None])
    day_first = coerce_column(raw, ColumnType.DATETIME, day_first=True)
    assert day_first.tolist()[:3] == [
        pd.Timestamp(2024, 4, 3),
        pd.Timestamp(2024, 3, 4),
        pd.Timestamp(2023, 12, 31, 13, 30),
    ]
    assert day_first.isna().tolist() == [False, False, False, True, True]
    assert coerce_column(raw, ColumnType.DATETIME, day_first=False)[0] == pd.Timestamp(2024, 3, 4)
    assert str(day_first.dtype) == "datetime64[ns]"


def test_dates_with_a_zone_become_utc() -> None:
    raw = pd.Series(["2024-01-01T00:30:00+02:00", "2024-01-01T00:30:00Z"])
    assert coerce_column(raw, ColumnType.DATETIME).tolist() == [
        pd.Timestamp(2023, 12, 31, 22, 30),
        pd.Timestamp(2024, 1, 1, 0, 30),
    ]


def test_years_and_days_written_as_numbers_are_dates() -> None:
    assert coerce_column(pd.Series([2015, 2016]), ColumnType.DATETIME).dt.year.tolist() == [2015, 2016]
    assert coerce_column(pd.Series([20240131.0, None]), ColumnType.DATETIME).tolist()[0] == pd.Timestamp(2024, 1, 31)


def test_a_schema_describes_training_rows() -> None:
    schema = schema_of(training_rows(), TYPES, {"d": True})
    assert schema.names == ("n", "c", "b", "d", "t")
    number = schema.field("n")
    assert (number.minimum, number.maximum, number.typical, number.integer) == (1.0, 5.0, 2.0, True)
    assert (schema.field("c").levels, schema.field("c").typical) == (("x", "y"), "x")
    date = schema.field("d")
    assert (date.minimum, date.maximum, date.typical, date.day_first) == (
        "2024-01-01T00:00:00",
        "2024-01-05T00:00:00",
        "2024-01-03T00:00:00",
        True,
    )
    assert (schema.field("t").levels, schema.field("t").typical) == ((), "good")
    with pytest.raises(KeyError):
        schema.field("absent")


def test_a_schema_takes_its_columns_in_its_order_and_keeps_the_index() -> None:
    schema = schema_of(training_rows(), TYPES)
    rows = training_rows()[["t", "d", "b", "c", "n"]].assign(extra=1).set_axis([7, 7, 3, 1])
    found = schema.coerce(rows)
    assert list(found.columns) == list(schema.names)
    assert found.index.tolist() == [7, 7, 3, 1]


def test_missing_columns_are_all_named() -> None:
    schema = schema_of(training_rows(), TYPES)
    with pytest.raises(RowsError) as caught:
        schema.coerce(training_rows()[["n", "b", "t"]])
    assert str(caught.value).startswith("The table has no column c, d. Give it the columns")
    many = Schema(fields=tuple(SchemaField(name=f"f{i}", type=ColumnType.NUMBER) for i in range(13)))
    with pytest.raises(RowsError, match=r"f0, .*, f9 and 3 more\."):
        many.coerce(pd.DataFrame({"x": [1]}))


def test_rows_without_experience_are_named_in_a_sentence_each() -> None:
    schema = schema_of(training_rows(), TYPES)
    rows = pd.DataFrame(
        {
            "n": ["0", "6", "3", "many"],
            "c": ["x", "z", "w", "x"],
            "b": ["perhaps", "yes", "no", "no"],
            "d": ["2024-01-02", "2031-01-01", "soon", None],
            "t": ["never seen"] * 4,
        }
    )
    assert schema.warnings(rows) == (
        "n: 1 value can't be read as number and counts as missing.",
        "n: 2 values lie outside 1 to 5, the range learned from.",
        "c: 2 levels were never seen in training (w, z).",
        "b: 1 value can't be read as boolean and counts as missing.",
        "d: 1 value can't be read as datetime and counts as missing.",
        "d: 1 value lies far outside 2024-01-01 to 2024-01-05, the range learned from.",
    )
    assert schema.warnings(training_rows()) == ()


def test_a_schema_survives_json() -> None:
    schema = schema_of(training_rows(), TYPES, {"d": True})
    assert Schema.model_validate_json(schema.model_dump_json()) == schema


def test_a_number_beyond_what_models_compute_with_is_missing() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 1e40, -3.0, 3e38]})
    schema = schema_of(frame, {"a": ColumnType.NUMBER})
    assert schema.coerce(frame)["a"].isna().tolist() == [False, False, True, False, False]
    assert (schema.field("a").minimum, schema.field("a").maximum) == (-3.0, 3e38)
    new = pd.DataFrame({"a": [5.0, -1e300]})
    assert schema.warnings(new) == ("a: 1 value can't be read as number and counts as missing.",)
