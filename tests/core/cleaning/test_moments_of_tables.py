"""Dates, times and durations on their way from a stored table to what is learned, and in new rows."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.checks.findings import findings
from dlreg_core.cleaning import coerce_column, fit_cleaner
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.inference.known_cells import read_known
from dlreg_core.recipe.choices import column_choices, target_choices
from dlreg_core.recipe.draft import Draft, is_repaired, recipe_of, start_draft, with_repair
from dlreg_core.specs import Cleaning, ColumnFormat, ColumnType, Dataset
from dlreg_core.splitting import prepare_table

FINISH = [f"{2 + at // 50}:{at * 7 % 60:02d}:{at * 13 % 60:02d}" for at in range(90)]
DAYS = [f"{day:%Y-%m-%d}" for day in pd.date_range("2016-01-01", periods=90, freq="31D")]


def stored(folder: Path, **columns: list[str]) -> tuple[Dataset, pd.DataFrame]:
    lines = [",".join(columns), *(",".join(cells) for cells in zip(*columns.values(), strict=True))]
    store = DatasetStore(folder)
    dataset = store.add("\n".join(lines).encode(), "t.csv")
    return dataset, store.table(dataset.id)


def test_times_are_a_number_of_seconds_as_a_target(tmp_path: Path) -> None:
    dataset, rows = stored(tmp_path, age=[str(20 + at % 41) for at in range(90)], finish=FINISH)
    choices, suggestion = target_choices(dataset)
    assert [choice.possible for choice in choices] == [True, True]
    # Nobody says that the times are durations: they aren't what is suggested.
    assert suggestion == "age"
    draft = start_draft(dataset, "finish")
    assert draft is not None
    assert draft.unit == "s"
    prepared = prepare_table(dataset, rows, recipe_of(dataset, draft))
    seconds = pd.to_timedelta(FINISH).total_seconds().to_numpy()
    np.testing.assert_array_equal(prepared.y_train, seconds[prepared.rows_train])
    assert column_choices(dataset, rows, "finish")[0].relation > 0


def test_dates_are_no_target(tmp_path: Path) -> None:
    dataset, rows = stored(tmp_path, size=[str(at % 7) for at in range(90)], day=DAYS)
    assert [choice.possible for choice in target_choices(dataset)[0]] == [True, False]
    with pytest.raises(RecipeError, match="only a number"):
        prepare_table(dataset, rows, recipe_of(dataset, Draft(target="day", used={"size": True})))


def test_times_of_a_column_are_read_as_seconds_in_new_rows_too(tmp_path: Path) -> None:
    dataset, rows = stored(tmp_path, price=[f"{at * 1.5}" for at in range(90)], finish=FINISH)
    step = next(found.step for found in findings(dataset, rows) if found.code == "times")
    assert step is not None
    draft = Draft(target="price")
    made = with_repair(draft, step)
    assert is_repaired(dataset, made, step)
    assert not is_repaired(dataset, draft, step)
    recipe = recipe_of(dataset, made)
    prepared = prepare_table(dataset, rows, recipe)
    cleaner = fit_cleaner(prepared.taught, prepared.types, recipe.cleaning, prepared.day_first)
    new = pd.DataFrame({"finish": ["2:21:09", "26:30:00", "90 min"]})
    assert cleaner.transform(new)["finish"].tolist() == [8469.0, 95_400.0, 5400.0]


def test_a_few_texts_among_dates_count_as_missing_where_that_is_wanted(tmp_path: Path) -> None:
    written = [f"{pd.Timestamp(day):%m/%d/%y}" for day in DAYS[:-2]]
    dataset, rows = stored(tmp_path, sold=[*written, "unknown", "tbd"], price=[f"{at * 1.5}" for at in range(90)])
    step = next(found.step for found in findings(dataset, rows) if found.code == "not-dates")
    assert step is not None
    made = with_repair(Draft(target="price"), step)
    assert is_repaired(dataset, made, step)
    assert with_repair(made, step, wanted=False) == Draft(target="price")
    recipe = recipe_of(dataset, made)
    prepared = prepare_table(dataset, rows, recipe)
    cleaner = fit_cleaner(prepared.taught, prepared.types, recipe.cleaning, prepared.day_first)
    field = cleaner.schema_.field("sold")
    assert (field.type, field.day_first, str(field.minimum)[:10]) == (ColumnType.DATETIME, False, DAYS[0])
    read = cleaner.schema_.coerce(pd.DataFrame({"sold": ["03/04/20", "soon"]}))["sold"]
    assert read[0] == pd.Timestamp(2020, 3, 4)
    assert pd.isna(read[1])


@pytest.mark.parametrize(
    "values",
    [
        ["1700-05-05", "9999-12-31", "0001-01-01", "2020-01-01"],
        [date(1700, 5, 5), datetime(9999, 12, 31), datetime(1, 1, 1), datetime(2020, 1, 1)],
        np.array(["1700-05-05", "9999-12-31", "0001-01-01", "2020-01-01"], dtype="datetime64[s]"),
    ],
    ids=["texts", "dates", "seconds"],
)
def test_dates_of_other_centuries_end_no_prediction(values: list[object], tmp_path: Path) -> None:
    rows = pd.DataFrame({"start": pd.to_datetime(DAYS)})
    cleaner = fit_cleaner(rows, {"start": ColumnType.DATETIME}, Cleaning())
    new = pd.DataFrame({"start": values})
    found = cleaner.schema_.coerce(new)["start"]
    assert found.tolist()[::3] == [pd.Timestamp(1700, 5, 5), pd.Timestamp(2020, 1, 1)]
    assert found.isna().tolist() == [False, True, True, False]
    assert np.isfinite(cleaner.transform(new)["start: days"]).all()
    missing, far = cleaner.warnings(new)
    assert "2 values can't be read" in missing
    assert "1 value lies far outside 2016-01-01 to" in far


def test_new_dates_are_read_one_by_one_in_the_order_that_is_known() -> None:
    texts = pd.Series(["03/04/2024", "13/04/2024", "04/13/2024", "2024-Q2", "x", None])
    found = coerce_column(texts, ColumnType.DATETIME, day_first=True)
    expected = ["2024-04-03", "2024-04-13", None, "2024-04-01", None, None]
    pd.testing.assert_series_equal(found, pd.to_datetime(pd.Series(expected)))


@pytest.mark.parametrize(
    ("form", "texts", "read"),
    [
        (ColumnFormat(kind="date"), ["2010-11", "Jan-31", "2010Q2"], ["2010-11-01", "2031-01-01", "2010-04-01"]),
        (ColumnFormat(kind="date", day_first=True), ["1.2.13", "9999-12-31"], ["2013-02-01", None]),
        (ColumnFormat(kind="date", year_first=True), ["13-01-05", "2013-02-03"], ["2013-01-05", "2013-02-03"]),
    ],
)
def test_a_moment_alone_means_what_it_means_in_its_column(
    form: ColumnFormat, texts: list[str], read: list[str | None]
) -> None:
    expected = pd.to_datetime(pd.Series(read))
    for text, moment in zip(texts, expected, strict=True):
        found = read_known([text], form)
        assert pd.Timestamp(found.values[0]) == moment or (pd.isna(moment) and pd.isna(found.values[0]))
        assert found.how == ("unreadable" if pd.isna(moment) else "as-known",)
    np.testing.assert_array_equal(read_known(texts, form).values, expected.to_numpy(dtype="datetime64[ns]"))


def test_durations_alone_mean_seconds() -> None:
    form = ColumnFormat(kind="number", unit="s")
    found = read_known(["2:09:37", "26:30:00", "72:15", "2 h", "90", "later"], form)
    np.testing.assert_array_equal(found.values, [7777, 95_400, 4335, 7200, 90, np.nan])
    assert found.how == ("as-known", "as-known", "as-known", "converted", "as-known", "unreadable")
