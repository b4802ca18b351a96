from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.datasets.sample_tables import SAMPLES, sample_path
from dlreg_core.networks import default_plan
from dlreg_core.recipe.choices import StepPreview
from dlreg_core.runs.expectations import ModelOutlook, Outlook
from dlreg_core.runs.training_progress import ModelProgress, ModelState
from dlreg_core.specs import (
    Cleaning,
    Combination,
    Dataset,
    Dialect,
    History,
    NumberFill,
    OutlierRule,
    PastColumn,
    Recipe,
    RowCounts,
    Split,
    TrainPlan,
)
from dlreg_core.wording.plan_text import (
    best_words,
    budget_words,
    clock,
    outlook_words,
    plan_words,
    recipe_words,
    state_words,
)
from dlreg_core.wording.table_text import (
    cleaning_words,
    dialect_words,
    readable_moments,
    repair_words,
    rows_words,
    table_words,
    target_words,
    values_words,
)


@pytest.fixture(scope="module")
def housing(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return DatasetStore(tmp_path_factory.mktemp("home")).add(sample_path(SAMPLES[0]))


def test_a_table_in_words(housing: Dataset) -> None:
    assert table_words(housing) == "9 numbers, 1 category · 1 % of total_bedrooms missing"
    assert dialect_words(housing.dialect) == "Read as: commas, UTF-8, header in the first line"
    assert values_words(housing.column("housing_median_age")) == "1 to 52"
    assert values_words(housing.column("ocean_proximity")) == "<1H OCEAN, INLAND, NEAR OCEAN, …"
    words = target_words(housing.column("median_house_value"), "$")
    assert words == "From $14,999 to $500,001, half of them below $180,000."


def test_values_are_exact_and_years_are_years(tmp_path: Path) -> None:
    dataset = DatasetStore(tmp_path).add(b"year,one,n\n1983,2013,1234567\n2020,2013,5\n2001,2013,7\n")
    assert [values_words(c) for c in dataset.columns] == ["1983 to 2020", "2013", "5 to 1,234,567"]


def test_other_dialects() -> None:
    odd = Dialect(delimiter=";", encoding="latin-1", decimal=",", header_row=None)
    assert dialect_words(odd) == "Read as: semicolons, LATIN-1, decimal comma, no header"
    assert dialect_words(None).startswith("Read as: Parquet")


def test_gaps_of_several_columns(tmp_path: Path) -> None:
    dataset = DatasetStore(tmp_path).add(b"a,b,when\n1,,2024-01-01\n,,2024-01-02\n2,5,2024-01-03\n4,6,2024-02-01\n")
    assert table_words(dataset) == "2 numbers, 1 date · 2 columns with gaps, up to 50 % missing"
    assert values_words(dataset.column("when")) == "2024-01-01 to 2024-02-01"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (StepPreview("impute_numbers", "", 207, "values", ("beds",)), "Fill 207 missing numbers in beds"),
        (StepPreview("impute_categories", "", 1, "values", tuple("abcd")), "Fill 1 missing category in 4 columns"),
        (StepPreview("drop_duplicates", "", 1, "rows"), "Leave out 1 row that repeats an earlier one"),
        (StepPreview("drop_constant", "", 2, "columns", ("a", "b")), "Leave out a, b, which never change"),
        (
            StepPreview("missing_target", "", 1200, "rows"),
            "1,200 rows have no target and are left out: nothing can be learned from them.",
        ),
        (StepPreview("other", "Do something", 3, "rows"), "Do something"),
    ],
)
def test_repairs(step: StepPreview, words: str) -> None:
    assert repair_words(step) == words


def test_rows_that_are_left_out() -> None:
    counts = RowCounts(train=1, validation=1, test=1, dropped_missing_target=1200, dropped_duplicates=3)
    assert rows_words(counts) == "Left out: 1,200 without a target, 3 repeated."
    assert rows_words(RowCounts(train=1, validation=1, test=1)) == ""


def test_times() -> None:
    assert [budget_words(s) for s in (30, 120, 28800)] == ["30 s", "2 min", "8 h"]
    assert [clock(s) for s in (7.9, 72, 7500)] == ["0:07", "1:12", "2:05:00"]


def test_a_plan_in_words() -> None:
    words = plan_words(TrainPlan(models=("TABM",)), 3, 14_448, 9)
    assert words.startswith("1 network and 3 baselines learn from 14,448 rows with 9 columns, ")
    assert "in about 2 min" in words
    model = ModelOutlook(family="TABM", title="TabM", fits=False, lacks="time", memory_mb=1, seconds_fewest=9)
    known = Outlook(
        rows=9, features=9, memory_mb=1, memory_free_mb=9, disk_mb=1, disk_free_mb=9, models=(model,), seconds_startup=1
    )
    assert plan_words(default_plan(), 4, 9, 9, known).startswith("4 of the 5 chosen networks and 4 baselines ")
    # One for which the time is nearly enough may be there or not.
    close = known.model_copy(
        update={"models": (model.model_copy(update={"close": True}), model, model.model_copy(update={"fits": True}))}
    )
    assert plan_words(default_plan(), 4, 9, 9, close).startswith("3 to 4 of the 5 chosen networks and 4 baselines ")
    # What is refused has no such count.
    refused = known.model_copy(update={"refusal": "No."})
    assert plan_words(default_plan(), 4, 9, 9, refused).startswith("5 networks and 4 baselines ")


def test_an_outlook_in_words() -> None:
    fits = ModelOutlook(
        family="FASTAI", title="FastAI", fits=True, memory_mb=860, largest_size=0, seconds_fewest=4, epochs=20
    )
    late = ModelOutlook(
        family="REALMLP",
        title="RealMLP",
        fits=False,
        reason="needs about 40 s to train to something useful, and no time will be left for it",
        lacks="time",
        memory_mb=1160,
        largest_size=0,
        seconds_fewest=40,
    )
    large = late.model_copy(
        update={"title": "TabM", "lacks": "memory", "reason": "needs about 25 GB of memory, 21 GB are free"}
    )
    outlook = Outlook(
        rows=14_448,
        features=10,
        memory_mb=1160,
        memory_free_mb=21_040,
        disk_mb=60.3,
        disk_free_mb=70_000,
        models=(fits,),
        seconds_startup=8.5,
    )
    needs = "Needs about 1.2 GB of memory (21 GB are free) and 60 MB of disk."
    assert outlook_words(outlook) == needs
    assert outlook_words(outlook.model_copy(update={"models": (fits, large, late)})) == (
        f"{needs} TabM will be skipped: it needs about 25 GB of memory, 21 GB are free. "
        "RealMLP will probably be skipped: it needs about 40 s to train to something useful, "
        "and no time will be left for it."
    )
    both = outlook.model_copy(update={"models": (late, fits, late.model_copy(update={"title": "TabM"}))})
    assert outlook_words(both) == (
        f"{needs} RealMLP and TabM will probably be skipped, since the time is too short for them."
    )
    assert outlook_words(both.model_copy(update={"seconds_for_all": 300.0})).endswith(
        " With 5 min, all networks would be trained."
    )
    close = [fits.model_copy(update={"close": True}), late.model_copy(update={"close": True})]
    assert outlook_words(both.model_copy(update={"models": (*close, fits, late)})) == (
        f"{needs} RealMLP will probably be skipped: it needs about 40 s to train to something useful, and no time will "
        "be left for it. Whether there is time for FastAI and RealMLP shows when the speed here is measured."
    )
    assert outlook_words(both.model_copy(update={"seconds_for_all": 300.0, "crowding": 3.0})).endswith(
        " With 5 min, all networks would be trained, once the machine is free."
    )
    alone = outlook.model_copy(update={"models": (fits.model_copy(update={"late": True, "seconds_fewest": 70}),)})
    assert outlook_words(alone) == (
        f"{needs} The time is too short for any network: FastAI is trained all the same, which needs about 1 min, and "
        "the run will take longer."
    )
    assert outlook_words(outlook.model_copy(update={"crowding": 1.4})) == needs
    assert outlook_words(outlook.model_copy(update={"crowding": 2.52})) == (
        f"{needs} The machine is busy at the moment: everything takes about 2.5 times as long."
    )
    refused = {"lacks": "disk", "refusal": "The run needs about 4 GB of disk, and 300 MB are free.", "hint": "Delete."}
    assert outlook_words(outlook.model_copy(update=refused)) == f"{refused['refusal']} Delete."


def test_a_recipe_in_words() -> None:
    recipe = Recipe(target="price", features=("a", "b"))
    assert recipe_words(recipe) == "Predict price from 2 columns, judged on a random 15 % of the rows."
    by_time = recipe.model_copy(update={"split": Split(kind="time", column="day")})
    assert recipe_words(by_time).endswith("judged on the newest 15 % of the rows by day.")


def test_models_in_words() -> None:
    training = ModelProgress("TabM", ModelState.TRAINING, validation=47_532.7, epoch=43, epochs=100)
    assert state_words(training) == "training 43 %"
    assert state_words(ModelProgress("TabM")) == "waiting"
    assert state_words(ModelProgress("TabM", ModelState.STOPPED)) == "not finished"
    assert best_words(training, "$") == "Best so far: TabM, RMSE $47,500 on the validation rows."
    assert best_words(None, "$") == "No network has learned anything yet."


def test_moments_are_shown_as_people_write_them() -> None:
    days = pd.to_datetime(pd.Series(["2024-01-02", None]))
    rows = pd.DataFrame(
        {"day": days, "moment": days + pd.Timedelta("90min"), "none": pd.to_datetime(pd.Series([None, None]))}
    )
    rows["at"] = pd.to_datetime(["1970-01-01 18:00", "1970-01-01 06:30"])
    shown = readable_moments(rows.assign(n=[1, 2]))
    assert shown["day"].fillna("").tolist() == ["2024-01-02", ""]
    assert shown["moment"].iloc[0] == "2024-01-02 01:30:00"
    assert shown["at"].tolist() == ["18:00:00", "06:30:00"]
    assert shown["none"].isna().all()
    assert shown["n"].tolist() == [1, 2]


def test_what_was_chosen_beyond_the_usual_cleaning_is_told() -> None:
    plain = Recipe(target="price", features=("a", "b"))
    assert cleaning_words(plain) == ""
    cleaning = Cleaning(
        impute_numbers="knn",
        fills={"b": NumberFill(method="mean")},
        outliers={"a": OutlierRule(), "b": OutlierRule(act="remove")},
        combinations=(Combination(kind="ratio", left="a", right="b"),),
        scaling={"a": "robust"},
    )
    recipe = plain.model_copy(
        update={
            "cleaning": cleaning,
            "history": History(order="day", columns=(PastColumn(kind="lag", column="a"),)),
            "target_transform": "log",
        }
    )
    assert cleaning_words(recipe) == (
        "outliers in a clipped; training rows with outliers left out; missing numbers filled with the mean of similar "
        "rows; gaps of b filled with the mean; added: a ÷ b, a: 1 row before; scaled: a; price learned as its logarithm"
    )
