"""What is typed makes what is ticked makes, and what isn't known is told in a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dlreg_core.errors import PlanError
from dlreg_core.recipe.draft import Draft, draft_of, recipe_of
from dlreg_core.recipe.parse_recipe import (
    CleaningSteps,
    TypedRecipe,
    draft_from_texts,
    steps_from_file,
    transform_from_text,
)
from dlreg_core.specs import Cleaning, NumberFill, PastColumn, Recipe, Split
from tests.conftest import ROOT, add_table, small_table


def test_the_documented_file_is_read(tmp_path: Path) -> None:
    shown = re.search(r"```json\n(.*?)```", (ROOT / "docs" / "cleaning.md").read_text(), re.DOTALL)
    assert shown is not None
    path = tmp_path / "steps.json"
    path.write_text(shown[1])
    steps = steps_from_file(path)
    assert steps.cleaning.fills == {"age": NumberFill(method="constant", constant=0.0)}
    assert steps.cleaning.missing_codes == {"heat": (-200.0,)}
    assert steps.history is not None
    assert steps.history.columns[1] == PastColumn(kind="exponential", column="heat", rows=14)
    path.write_text("{}")
    assert steps_from_file(path) == CleaningSteps()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"cleaning": {"impute_numbers": "guess"}}, r"steps at cleaning\.impute_numbers"),
        ({"cleaning": {"combinations": [{"kind": "ratio", "left": "a", "right": "a"}]}}, "two different columns"),
        ({"history": {"order": "day", "columns": []}}, r"at history\.columns"),
        ({"more": 1}, "at more"),
        ("[", "isn't a description"),
    ],
)
def test_what_isnt_known_is_told(content: object, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "steps.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(PlanError, match=sentence):
        steps_from_file(path)


def test_a_file_that_isnt_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="can't be read"):
        steps_from_file(tmp_path / "none.json")


def test_transforms_have_names() -> None:
    assert transform_from_text("box-cox") == "box-cox"
    with pytest.raises(PlanError, match="no transform square"):
        transform_from_text("square")


def typed_recipe(home: Path, **typed: object) -> Recipe:
    dataset = add_table(home, small_table())
    return recipe_of(dataset, draft_from_texts(dataset, TypedRecipe(target="price", **typed)))


def test_what_is_typed_and_what_is_ticked_make_the_same_recipe(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table())
    assert typed_recipe(tmp_path) == recipe_of(dataset, Draft(target="price"))
    ticked = Draft(target="price", used={"size": False}, kind="time", column="built", gap=7.0, target_transform="log")
    assert typed_recipe(tmp_path, drop="size", split="time:built", gap=7.0, transform="log") == recipe_of(
        dataset, ticked
    )


def test_columns_that_say_nothing_about_new_rows_are_features_where_cleaning_keeps_them(tmp_path: Path) -> None:
    assert "id" not in typed_recipe(tmp_path).features
    kept = typed_recipe(tmp_path, steps=CleaningSteps(cleaning=Cleaning(drop_identifiers=False)))
    assert "id" in kept.features
    assert not kept.cleaning.drop_identifiers


def test_an_own_test_file_leaves_the_usual_shares(tmp_path: Path) -> None:
    dataset, own = add_table(tmp_path, small_table()), typed_recipe(tmp_path, test_dataset="0" * 16)
    assert own.split == Split(kind="own", test_dataset="0" * 16)
    assert recipe_of(dataset, draft_of(dataset, own)) == own


def test_a_split_that_was_typed_is_not_measured(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table())
    chosen = {
        split: draft_from_texts(dataset, TypedRecipe(target="price", split=split)).split_chosen
        for split in ("auto", "random", "group:place")
    }
    assert chosen == {"auto": False, "random": True, "group:place": True}
