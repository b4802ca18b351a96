"""The cleaning: fitted on training rows, the same for all rows, the same after JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.cleaning import Cleaner, fit_cleaner, profile_without
from dlreg_core.errors import RecipeError, RowsError
from dlreg_core.specs import Cleaning, ColumnType, Recipe

NUMBER, CATEGORY = ColumnType.NUMBER, ColumnType.CATEGORY
TYPES = {
    "size": NUMBER,
    "full": NUMBER,
    "place": CATEGORY,
    "pool": ColumnType.BOOLEAN,
    "built": ColumnType.DATETIME,
    "id": ColumnType.IDENTIFIER,
    "country": CATEGORY,
    "empty": NUMBER,
    "note": ColumnType.TEXT,
}


def training_rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": [1.0, 3.0, None, 10.0],
            "full": [4.0, 5.0, 6.0, 9.0],
            "place": ["a", "b", "b", None],
            "pool": ["yes", None, "no", "no"],
            "built": ["2020-01-31", "2020-02-01", "2021-01-31 12:30", None],
            "id": ["r1", "r2", "r3", "r4"],
            "country": ["F", "F", "F", "F"],
            "empty": [None, None, None, None],
            "note": ["p", "q", None, "r"],
        }
    )


def new_rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": [100.0, None],
            "full": [None, 1.0],
            "place": ["never", None],
            "pool": ["true", None],
            "built": [None, "2022-03-04 06:15"],
            "id": ["r9", "r8"],
            "country": ["G", None],
            "empty": [5.0, None],
            "note": ["x", None],
        }
    )


def test_gaps_are_filled_with_what_the_training_rows_show() -> None:
    found = fit_cleaner(training_rows(), TYPES, Cleaning()).transform(new_rows())
    # By hand: the median of 1, 3 and 10 is 3, of 4, 5, 6 and 9 it is 5.5; the new rows' own 100 plays no part.
    assert found["size"].tolist() == [100.0, 3.0]
    assert found["full"].tolist() == [5.5, 1.0]
    assert found["size: was missing"].tolist() == [0.0, 1.0]
    assert "full: was missing" not in found, "it had no gap in the training rows"
    assert found["place"].tolist() == ["never", "(missing)"]
    assert found["pool"].tolist() == ["yes", "(missing)"]


@pytest.mark.parametrize(("how", "size", "full"), [("mean", 14 / 3, 6.0), ("zero", 0.0, 0.0), ("keep", np.nan, np.nan)])
def test_other_fillings_of_numbers(how: str, size: float, full: float) -> None:
    cleaning = Cleaning(impute_numbers=how)
    found = fit_cleaner(training_rows(), TYPES, cleaning).transform(new_rows())
    np.testing.assert_allclose(found["size"][1], size)
    np.testing.assert_allclose(found["full"][0], full)
    assert ("size: was missing" in found) == (how != "keep")


@pytest.mark.parametrize(("how", "place"), [("most_frequent", "b"), ("level", "(missing)"), ("keep", None)])
def test_other_fillings_of_categories(how: str, place: str | None) -> None:
    cleaning = Cleaning(impute_categories=how)
    found = fit_cleaner(training_rows(), TYPES, cleaning).transform(new_rows())["place"][1]
    assert found == place or (place is None and pd.isna(found))


def test_no_flags_when_they_are_not_wanted() -> None:
    found = fit_cleaner(training_rows(), TYPES, Cleaning(missing_flags=False)).transform(new_rows())
    assert [c for c in found.columns if "was missing" in c] == []


def test_columns_that_tell_nothing_are_left_out_with_a_reason() -> None:
    cleaner = fit_cleaner(training_rows(), TYPES, Cleaning())
    assert cleaner.dropped == {
        "id": "identifier",
        "country": "constant",
        "empty": "empty",
    }
    assert not {"id", "country", "empty"} & set(cleaner.transform(new_rows()).columns)


def test_what_is_to_be_kept_is_kept_except_what_is_empty() -> None:
    kept = fit_cleaner(training_rows(), TYPES, Cleaning(drop_constant=False, drop_identifiers=False))
    assert list(kept.dropped) == ["empty"]
    found = kept.transform(new_rows())
    assert found["id"].tolist() == ["r9", "r8"]
    assert found["country"].tolist() == ["G", "(missing)"]


def test_a_constant_with_gaps_is_no_constant() -> None:
    frame = pd.DataFrame({"a": [1.0, None, 1.0], "b": [1.0, 2.0, 3.0]})
    cleaner = fit_cleaner(frame, {"a": NUMBER, "b": NUMBER}, Cleaning())
    assert cleaner.dropped == {}
    assert cleaner.transform(frame)["a: was missing"].tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("cleaning", [Cleaning(), Cleaning(drop_constant=False)])
@pytest.mark.parametrize(
    ("frame", "types"),
    [
        ({"a": [1.0, 1.0]}, {"a": NUMBER}),
        ({"a": ["x", "x"], "b": [None, None]}, {"a": CATEGORY, "b": NUMBER}),
        ({"a": ["2020-01-01", "2020-01-01"]}, {"a": ColumnType.DATETIME}),
    ],
)
def test_nothing_left_is_told(cleaning: Cleaning, frame: dict[str, list[Any]], types: dict[str, ColumnType]) -> None:
    with pytest.raises(RecipeError, match="No column is left to predict from"):
        fit_cleaner(pd.DataFrame(frame), types, cleaning)


def test_identifiers_alone_are_nothing_to_learn_from() -> None:
    with pytest.raises(RecipeError, match="identifiers"):
        fit_cleaner(pd.DataFrame({"a": ["x1", "x2"]}), {"a": ColumnType.IDENTIFIER}, Cleaning())


def test_dates_become_the_parts_that_vary() -> None:
    cleaner = fit_cleaner(training_rows(), TYPES, Cleaning())
    found = cleaner.transform(new_rows())
    parts = [c for c in found.columns if c.startswith("built: ") and not c.endswith("missing")]
    assert parts == [f"built: {p}" for p in ("days", "year", "month", "day", "weekday", "hour")]
    days = (pd.Timestamp(2022, 3, 4, 6, 15) - pd.Timestamp(2020, 1, 31)).total_seconds() / 86400
    assert list(found.loc[1, parts]) == [days, 2022, 3, 4, 4, 6.25]
    # By hand: the training dates are 0, 1 and 366 days (2020 is a leap year) and half a day after the first.
    assert found.loc[0, "built: days"] == 1.0
    assert found.loc[0, "built: year"] == 2020
    assert found.loc[0, "built: hour"] == 0.0
    training = cleaner.transform(training_rows())
    assert training["built: days"].tolist()[:3] == [0.0, 1.0, 366 + 12.5 / 24]


def test_parts_that_never_vary_are_left_out() -> None:
    frame = pd.DataFrame({"d": pd.date_range("2024-03-01", periods=5)})
    found = fit_cleaner(frame, {"d": ColumnType.DATETIME}, Cleaning()).transform(frame)
    assert list(found.columns) == ["d: days", "d: day", "d: weekday"]


def test_names_that_the_cleaning_would_give_may_exist_already() -> None:
    frame = pd.DataFrame(
        {
            "d": ["2020-01-01", "2021-06-02", None],
            "d: year": [7.0, 8.0, 9.0],
            "n": [1.0, None, 2.0],
            "n: was missing": [5.0, 6.0, 4.0],
        }
    )
    types = {"d": ColumnType.DATETIME, "d: year": NUMBER, "n": NUMBER, "n: was missing": NUMBER}
    found = fit_cleaner(frame, types, Cleaning()).transform(frame)
    assert found["d: year"].tolist() == [7.0, 8.0, 9.0]
    assert found["d: year'"].tolist()[:2] == [2020.0, 2021.0]
    assert found["n: was missing"].tolist() == [5.0, 6.0, 4.0]
    assert found["n: was missing'"].tolist() == [0.0, 1.0, 0.0]
    assert found.columns.is_unique


def test_the_same_after_json() -> None:
    cleaner = fit_cleaner(training_rows(), TYPES, Cleaning(), {"built": False})
    again = Cleaner.model_validate_json(cleaner.model_dump_json())
    assert again == cleaner
    pd.testing.assert_frame_equal(again.transform(new_rows()), cleaner.transform(new_rows()))


def test_a_row_is_cleaned_alone_as_it_is_among_others() -> None:
    cleaner = fit_cleaner(training_rows(), TYPES, Cleaning())
    together = cleaner.transform(new_rows())
    for row in range(2):
        alone = cleaner.transform(new_rows().iloc[[row]])
        assert list(alone.columns) == list(together.columns)
        for column in together.columns:
            one, other = alone[column].iloc[0], together[column].iloc[row]
            assert one == other or (pd.isna(one) and pd.isna(other))


def test_types_after_cleaning() -> None:
    found = fit_cleaner(training_rows(), TYPES, Cleaning()).transform(new_rows())
    assert found["size"].dtype == found["built: days"].dtype == np.float64
    assert isinstance(found["place"].dtype, pd.CategoricalDtype)
    assert found["note"].dtype == object


def test_a_missing_column_is_told() -> None:
    cleaner = fit_cleaner(training_rows(), TYPES, Cleaning())
    with pytest.raises(RowsError, match=r"no column place\."):
        cleaner.transform(new_rows().drop(columns="place"))
    # A column that is left out anyway need not be there.
    assert len(cleaner.transform(new_rows().drop(columns="country"))) == len(new_rows())


numbers = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=3, max_size=30)


@settings(max_examples=40)
@given(numbers, st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=10))
def test_no_gap_is_left_and_known_numbers_stay(train: list[float | None], new: list[float | None]) -> None:
    known = [v for v in train if v is not None]
    frame = pd.DataFrame({"a": pd.Series(train, dtype=float), "b": np.arange(len(train), dtype=float)})
    rows = pd.DataFrame({"a": pd.Series(new, dtype=float), "b": 0.0})
    cleaner = fit_cleaner(frame, {"a": NUMBER, "b": NUMBER}, Cleaning())
    found = cleaner.transform(rows)
    if "a" in cleaner.dropped:
        assert len(set(known)) < 2
        return
    assert found["a"].notna().all()
    wanted = [float(np.median(known)) if v is None else v for v in new]
    np.testing.assert_allclose(found["a"], wanted)


def test_times_of_day_become_their_hour_and_are_read_from_new_rows() -> None:
    times = pd.to_datetime(pd.Series(["1970-01-01 06:30", "1970-01-01 18:00", "1970-01-01 23:45"]))
    frame = pd.DataFrame({"at": times, "x": [1.0, 2.0, 3.0]})
    types = {"at": ColumnType.DATETIME, "x": ColumnType.NUMBER}
    cleaner = fit_cleaner(frame, types, Cleaning())
    assert cleaner.schema_.field("at").time_of_day
    assert cleaner.transform(frame)["at: hour"].tolist() == [6.5, 18.0, 23.75]
    assert "at: days" not in cleaner.transform(frame)
    new = pd.DataFrame({"at": ["18.00.00", "06.30.00", "1970-01-01T06:30:00", "later", None], "x": 1.0})
    hours = cleaner.schema_.coerce(new)["at"].dt.hour
    assert hours.tolist()[:3] == [18, 6, 6]
    assert hours.isna().tolist() == [False, False, False, True, True]
    assert cleaner.schema_.warnings(new) == ("at: 1 value can't be read as datetime and counts as missing.",)


def test_codes_and_labels_are_repaired_in_training_and_in_new_rows() -> None:
    frame = pd.DataFrame({"co": [1, -200, 3, 4], "fat": ["LF", "low fat", "reg", "Low Fat"]})
    cleaning = Cleaning(missing_codes={"co": (-200.0,)}, merged_labels={"fat": {"LF": "Low Fat", "low fat": "Low Fat"}})
    cleaner = fit_cleaner(frame, {"co": NUMBER, "fat": CATEGORY}, cleaning)
    assert (cleaner.schema_.field("co").minimum, cleaner.schema_.field("co").typical) == (1.0, 3.0)
    assert set(cleaner.schema_.field("fat").levels) == {"Low Fat", "reg"}
    again = Cleaner.model_validate_json(cleaner.model_dump_json())
    new = pd.DataFrame({"co": ["-200", "2", None], "fat": ["low fat", "LF", "reg"]})
    for fitted in (cleaner, again):
        made = fitted.transform(new)
        assert made["co"].tolist() == [3.0, 2.0, 3.0]
        assert made["co: was missing"].tolist() == [1.0, 0.0, 1.0]
        assert made["fat"].tolist() == ["Low Fat", "Low Fat", "reg"]


def test_the_profile_of_a_target_leaves_its_codes_out() -> None:
    column = profile_without(pd.Series([1, -200, 3, None], name="co"), (-200.0,))
    assert (column.name, column.missing, column.minimum, column.maximum, column.median) == ("co", 2, 1.0, 3.0, 2.0)


def test_what_earlier_versions_kept_is_read_and_means_the_same() -> None:
    cleaner = fit_cleaner(training_rows(), TYPES, Cleaning())
    kept = cleaner.model_dump(mode="json")
    # The fields that came later.
    kept.pop("past")
    assert Cleaner.model_validate(kept) == cleaner
    later = {"fills", "impute_constant", "outliers", "isolation", "combinations", "scaling"}
    old = {name: value for name, value in Cleaning().model_dump().items() if name not in later}
    assert Cleaning.model_validate(old) == Cleaning()
    recipe = Recipe(target="y", features=("a",))
    assert Recipe.model_validate(recipe.model_dump(exclude={"history", "target_transform"})) == recipe
