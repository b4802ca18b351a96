"""Levels with an order: their places are what the networks get, in new rows too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from dlreg_core.cleaning import Cleaner, fit_cleaner
from dlreg_core.recipe.choices import preview_steps
from dlreg_core.recipe.draft import Draft, draft_of, level_order_of, recipe_of
from dlreg_core.specs import Cleaning, Column, ColumnType, Dataset
from tests.conftest import add_table

ORDER = ("small", "medium", "large")
TYPES = {"size": ColumnType.CATEGORY, "n": ColumnType.NUMBER}


def rows() -> pd.DataFrame:
    return pd.DataFrame({"size": ["large", "small", None, "medium", "small"], "n": [1.0, 2.0, 3.0, 4.0, 5.0]})


def test_levels_become_their_places() -> None:
    cleaner = fit_cleaner(rows(), TYPES, Cleaning(orders={"size": ORDER}))
    cleaned = cleaner.transform(rows())
    # The gap gets the median of 3, 1, 2, 1, and a flag.
    assert cleaned["size"].tolist() == [3.0, 1.0, 1.5, 2.0, 1.0]
    assert cleaned["size: was missing"].tolist() == [0, 0, 1, 0, 0]
    assert cleaner.level_columns == ()


def test_the_order_survives_being_written_and_read() -> None:
    cleaner = fit_cleaner(rows(), TYPES, Cleaning(orders={"size": ORDER}))
    again = Cleaner.model_validate_json(cleaner.model_dump_json())
    pd.testing.assert_frame_equal(again.transform(rows()), cleaner.transform(rows()))
    field = again.schema_.field("size")
    assert (field.order, field.levels) == (ORDER, ORDER)


def test_new_levels_are_missing_and_told() -> None:
    cleaner = fit_cleaner(rows(), TYPES, Cleaning(orders={"size": ORDER}))
    new = pd.DataFrame({"size": ["huge", "large"], "n": [1, 2]})
    assert cleaner.transform(new)["size"].tolist() == [1.5, 3.0]
    assert cleaner.schema_.warnings(new) == (
        "size: 1 level has no place in the order small to large and counts as missing (huge).",
    )


def test_a_level_of_the_order_that_training_never_held_has_its_place() -> None:
    cleaner = fit_cleaner(rows(), TYPES, Cleaning(orders={"size": (*ORDER, "huge")}))
    new = pd.DataFrame({"size": ["huge"], "n": [1]})
    assert cleaner.transform(new)["size"].tolist() == [4.0]
    assert cleaner.schema_.warnings(new) == ()


def test_an_order_of_other_levels_changes_nothing() -> None:
    cleaner = fit_cleaner(rows(), TYPES, Cleaning(orders={"size": ("a", "b")}))
    assert cleaner.level_columns == ("size",)


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.choice([*ORDER], 80)
    size[:3] = ""
    return pd.DataFrame({"size": size, "stars": rng.integers(1, 6, 80), "price": rng.normal(0, 1, 80)})


def test_the_profile_s_order_is_part_of_the_recipe_unless_a_person_says_otherwise(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, table())
    draft = Draft(target="price")
    assert level_order_of(dataset, draft, "size") == ORDER
    assert recipe_of(dataset, draft).cleaning.orders == {"size": ORDER}
    plain = draft.changed(cleaning=Cleaning(orders={"size": ()}))
    recipe = recipe_of(dataset, plain)
    assert recipe.cleaning.orders == {}
    # And it stays so when the recipe is changed again.
    assert recipe_of(dataset, draft_of(dataset, recipe)) == recipe
    other = recipe_of(dataset, draft.changed(cleaning=Cleaning(orders={"size": ORDER[::-1]})))
    assert recipe_of(dataset, draft_of(dataset, other)) == other
    numbers = draft.changed(types={"size": ColumnType.TEXT})
    assert recipe_of(dataset, numbers).cleaning.orders == {}


def test_gaps_of_ordinal_columns_are_filled_as_numbers(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, table())
    draft = Draft(target="price", cleaning=Cleaning(orders={"size": ("small", "medium")}))
    made = table()
    made["size"] = made["size"].replace("", None)
    steps = {step.key: step for step in preview_steps(dataset, made, recipe_of(dataset, draft))}
    assert steps["impute_categories"].count == 0
    assert steps["impute_numbers"].columns == ("size",)
    assert steps["impute_numbers"].count == 3 + int((made["size"] == "large").sum())


def test_profiles_of_earlier_versions_can_be_read() -> None:
    column = Column(name="a", type=ColumnType.CATEGORY, missing=0, distinct=3)
    old = Dataset(id="x", name="x", file_bytes=1, rows=3, columns=(column,)).model_dump(mode="json")
    for field in ("ordered", "outliers"):
        old["columns"][0].pop(field)
    assert Dataset.model_validate(old).columns[0].ordered == ()
