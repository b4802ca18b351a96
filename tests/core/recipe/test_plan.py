"""What a person can choose while preparing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from dlreg_core.cleaning import fit_cleaner, form_fields, row_frame, row_values, typical_row
from dlreg_core.cleaning.schema import schema_of
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.recipe.choices import column_choices, preview_steps, target_choices
from dlreg_core.recipe.draft import Draft, draft_of, is_used, recipe_of, start_draft
from dlreg_core.specs import Cleaning, ColumnType, Dataset, Recipe
from dlreg_core.splitting import prepare_table
from tests.conftest import add_table, small_table


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Dataset, pd.DataFrame]:
    table = small_table(200)
    table.loc[[1, 2, 3], "price"] = np.nan
    table.loc[[4, 5], "place"] = None
    table["price"] = table["price"].where(table.index != 7, table["price"][6])
    table = pd.concat([table, table.iloc[[20, 21, 1]]], ignore_index=True)
    dataset = add_table(tmp_path, table)
    return dataset, DatasetStore(tmp_path).table(dataset.id)


def test_only_numbers_can_be_targets_and_a_telling_name_is_suggested(stored: tuple[Dataset, pd.DataFrame]) -> None:
    choices, suggestion = target_choices(stored[0])
    assert suggestion == "price"
    assert {c.name for c in choices if c.possible} - {"id"} == {"size", "price"}
    reasons = {c.name: c.reason for c in choices}
    assert reasons["place"] == "holds categories, not numbers"
    assert reasons["built"] == "holds dates, not numbers"
    assert reasons["country"] == "is the same in every row"
    assert reasons["price"] == ""


def test_the_last_fitting_name_is_suggested(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(50, 3)), columns=["sales", "price", "weight"])
    assert target_choices(add_table(tmp_path, table))[1] == "price"
    plain = table.set_axis(["aa", "bb", "cc"], axis=1)
    assert target_choices(add_table(tmp_path, plain, "p.csv"))[1] == "cc"
    text = pd.DataFrame({"a": ["x", "y"] * 20, "b": ["u", "v", "w", "x"] * 10})
    assert target_choices(add_table(tmp_path, text, "t.csv"))[1] is None


def test_relations_are_spearmans_for_numbers_and_dates(stored: tuple[Dataset, pd.DataFrame]) -> None:
    dataset, table = stored
    found = {c.name: c for c in column_choices(dataset, table, "price")}
    both = table[["size", "price"]].dropna()
    assert found["size"].relation == pytest.approx(abs(spearmanr(both["size"], both["price"]).statistic))
    dated = table[["built", "price"]].dropna()
    wanted = abs(spearmanr(dated["built"].astype("int64"), dated["price"]).statistic)
    assert found["built"].relation == pytest.approx(wanted)
    assert found["country"].relation == 0.0
    assert (found["country"].used, found["size"].used) == (False, True)
    assert found["place"].missing == 2
    assert "price" not in found


def test_the_relation_of_a_category_is_the_corrected_correlation_ratio(stored: tuple[Dataset, pd.DataFrame]) -> None:
    dataset, table = stored
    found = {c.name: c for c in column_choices(dataset, table, "price")}["place"].relation
    known = table[["place", "price"]].dropna()
    within = sum(((g - g.mean()) ** 2).sum() for _, g in known.groupby("place")["price"])
    whole = ((known["price"] - known["price"].mean()) ** 2).sum()
    n, k = len(known), known["place"].nunique()
    # Kelley's epsilon squared: 1 - (within / (n - k)) / (whole / (n - 1)).
    assert found == pytest.approx(np.sqrt(max(0, 1 - (within / (n - k)) / (whole / (n - 1)))))


def test_steps_are_counted_as_they_would_be_made(stored: tuple[Dataset, pd.DataFrame]) -> None:
    dataset, table = stored
    features = tuple(c for c in dataset.column_names if c != "price")
    off = Cleaning(drop_duplicates=False, drop_constant=False, drop_identifiers=False)
    steps = {s.key: s for s in preview_steps(dataset, table, Recipe(target="price", features=features, cleaning=off))}
    known = table[table["price"].notna()]
    assert steps["missing_target"].count == table["price"].isna().sum() == 4
    assert steps["drop_duplicates"].count == known.duplicated().sum() == 2
    assert (steps["drop_constant"].count, steps["drop_constant"].columns) == (1, ("country",))
    assert steps["impute_categories"].count == 2
    assert steps["impute_numbers"].count == table["size"].isna().sum()
    assert steps["impute_numbers"].columns == ("size",)


def test_a_draft_makes_a_recipe_and_a_recipe_its_draft(stored: tuple[Dataset, pd.DataFrame]) -> None:
    dataset, table = stored
    draft = start_draft(dataset, unit="$")
    assert draft is not None
    recipe = recipe_of(dataset, draft)
    assert recipe.target == "price"
    assert "country" not in recipe.features
    assert recipe_of(dataset, draft_of(dataset, recipe)) == recipe
    wished = Draft(target="price", used={"country": True, "place": False}, types={"size": ColumnType.CATEGORY})
    recipe = recipe_of(dataset, wished)
    assert {"country", "size"} <= set(recipe.features)
    assert "place" not in recipe.features
    assert recipe.types == {"size": ColumnType.CATEGORY}
    assert recipe_of(dataset, draft_of(dataset, recipe)) == recipe
    assert prepare_table(dataset, table, recipe).types["size"] is ColumnType.CATEGORY


def test_drafts_that_make_no_recipe_are_told(stored: tuple[Dataset, pd.DataFrame]) -> None:
    dataset, _ = stored
    nothing = dict.fromkeys(dataset.column_names, False)
    for draft, sentence in (
        (Draft(target="price", used=nothing), "No column is left"),
        (Draft(target="price", kind="own"), "no test file"),
        (Draft(target="price", kind="time"), "no column to split by time"),
        (Draft(target="price", validation=0.5, test=0.5), "leave no rows to train"),
    ):
        with pytest.raises(RecipeError, match=sentence):
            recipe_of(dataset, draft)
    assert not is_used(dataset, Draft(target="price"), "country")


def test_a_form_shows_and_returns_a_row(stored: tuple[Dataset, pd.DataFrame]) -> None:
    _, table = stored
    types = {"size": ColumnType.NUMBER, "place": ColumnType.CATEGORY, "built": ColumnType.DATETIME}
    schema = schema_of(table[list(types)], types)
    middle = typical_row(schema)
    assert middle["size"] == table["size"].median()
    assert middle["place"] == table["place"].mode()[0]
    shown = row_values(schema, table.iloc[[4]])
    assert shown == {
        "size": table["size"][4],
        "place": None,
        "built": table["built"][4].isoformat(),
    }
    again = schema.coerce(row_frame(schema, shown))
    pd.testing.assert_frame_equal(again, schema.coerce(table.iloc[[4]]).reset_index(drop=True))


def test_a_form_asks_for_what_matters_first() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "same": ["x", "x"], "b": [3.0, 1.0], "c": [0.0, 5.0]})
    types = {"a": ColumnType.NUMBER, "same": ColumnType.CATEGORY, "b": ColumnType.NUMBER, "c": ColumnType.NUMBER}
    fields = form_fields(fit_cleaner(frame, types, Cleaning()), ("c", "same"))
    assert [f.name for f in fields] == ["c", "a", "b"]


def test_a_text_that_differs_in_every_row_says_nothing_about_the_target(stored: tuple[Dataset, pd.DataFrame]) -> None:
    dataset, table = stored
    found = column_choices(dataset, table.assign(place=[f"text {i}" for i in range(len(table))]), "price")
    assert {c.name: c for c in found}["place"].relation == 0.0


def test_the_relation_is_that_of_the_column_as_it_is_used(stored: tuple[Dataset, pd.DataFrame]) -> None:
    dataset, table = stored
    texts = table.assign(size=[f"{v} km" if i % 2 else f"{1000 * v} m" for i, v in enumerate(table["size"])])
    texts["size"] = texts["size"].where(table["size"].notna(), None)
    types, order = {"size": ColumnType.NUMBER}, ("west", "north", "south")
    cleaning = Cleaning(units={"size": "km"}, orders={"place": order})
    found = {c.name: c for c in column_choices(dataset, texts, "price", types, cleaning)}
    both = table[["size", "price"]].dropna()
    assert found["size"].relation == pytest.approx(abs(spearmanr(both["size"], both["price"]).statistic))
    known = table[["place", "price"]].dropna()
    ranks = known["place"].map(order.index)
    assert found["place"].relation == pytest.approx(abs(spearmanr(ranks, known["price"]).statistic))
