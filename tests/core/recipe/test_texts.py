"""Cleaning steps from a file: what the documentation shows is read, and what isn't known is told in a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dlreg_core.errors import PlanError
from dlreg_core.recipe.parse_recipe import CleaningSteps, steps_from_file, transform_from_text
from dlreg_core.specs import NumberFill, PastColumn
from tests.conftest import ROOT


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
