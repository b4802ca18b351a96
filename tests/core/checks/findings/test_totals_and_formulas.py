"""Rows that sum up the others, formulas without results, tables wrapped in JSON, and names that are nearly right."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pandas as pd
import pytest

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.cleaning import repaired
from dlreg_core.errors import RecipeError, TableError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.inference.name_suggestions import named_column, near_names
from dlreg_core.recipe.draft import is_repaired, recipe_of, start_draft, with_repair
from dlreg_core.specs import ColumnType, Dataset
from dlreg_core.splitting import check_recipe
from tests.core.ingest.formats.test_formats import workbook


def found(text: str, code: str, target: str | None = None) -> tuple[Dataset, pd.DataFrame, list[Finding]]:
    dataset, rows = read_dataset(text.encode())
    return dataset, rows, [finding for finding in findings(dataset, rows, target) if finding.code == code]


def sums(last: str) -> str:
    rows = [(f"R{i}", 1000 + 37 * i, 3100 + 118 * i) for i in range(30)]
    total = f"{last},{sum(row[1] for row in rows)},{sum(row[2] for row in rows)}"
    return "\n".join(["region,households,energy", *(",".join(map(str, row)) for row in rows), total])


@pytest.mark.parametrize("last", ["Total", "Grand total", "Gesamt", "R30"])
def test_a_row_of_totals_is_told_and_can_be_left_out(last: str) -> None:
    dataset, rows, told = found(sums(last), "total-row", "energy")
    assert "is the sum of the rows above it in households and energy" in told[0].text
    step = told[0].step
    draft = start_draft(dataset, "energy")
    assert step is not None and draft is not None
    after = with_repair(draft, step)
    assert is_repaired(dataset, after, step)
    left = repaired(rows, recipe_of(dataset, after).cleaning)["energy"]
    assert left.isna().tolist() == [False] * 30 + [True]


def test_without_a_target_there_is_advice_alone() -> None:
    told = found(sums("Total"), "total-row")[2]
    assert (told[0].repair, told[0].step) == ("Delete it in the file.", None)


def test_a_last_row_like_others_is_no_total() -> None:
    text = "region,a,b\n" + "".join(f"R{i},{i},{i * 3}\n" for i in range(1, 20))
    assert not found(text, "total-row")[2]
    assert not found(text + "Total,3,4\n", "total-row")[2]


def test_formulas_without_results_are_said_to_be_that() -> None:
    content = workbook(Sheet=[["a", "b", "total"], *([i, i * 3, 0] for i in range(1, 21))])
    dataset, rows = read_dataset(without_results(content))
    column = dataset.column("total")
    assert (column.type, column.note_code) == (ColumnType.CONSTANT, "no-results")
    assert "formulas whose results the file doesn't hold" in column.note
    assert [f.code for f in findings(dataset, rows) if "total" in f.columns] == ["no-results"]
    draft = start_draft(dataset, "total")
    assert draft is not None
    with pytest.raises(RecipeError) as caught:
        check_recipe(dataset, recipe_of(dataset, draft))
    assert "save it there" in (caught.value.hint or "")


def without_results(content: bytes) -> bytes:
    """Write the third column as programs do that can't calculate."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            text = re.sub(r'<c r="C(\d+)"><v>[^<]*</v></c>', r'<c r="C\1"><f>A\1+B\1</f><v /></c>', text)
            new.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_of_objects_within_an_object_is_the_table(indent: int | None) -> None:
    rows = [{"a": i, "y": i * 2} for i in range(5)]
    dataset, table = read_dataset(json.dumps({"count": 5, "data": rows}, indent=indent).encode())
    assert (dataset.rows, table["y"].tolist()) == (5, [0, 2, 4, 6, 8])
    with pytest.raises(TableError, match="2 lists of objects"):
        read_dataset(json.dumps({"data": rows, "more": rows}).encode())


def test_many_words_among_numbers_can_be_counted_as_missing() -> None:
    fees = ["included" if i % 5 == 0 else f'"R$1,{i:03d}"' for i in range(100)]
    text = "area,fee,rent\n" + "".join(f"{i},{fee},{i * 3}\n" for i, fee in enumerate(fees))
    dataset, rows, told = found(text, "not-numbers", "rent")
    step = told[0].step
    draft = start_draft(dataset, "rent")
    assert step is not None and step.units == {"fee": "R$"} and draft is not None
    recipe = recipe_of(dataset, with_repair(draft, step))
    assert recipe.types == {"fee": ColumnType.NUMBER}
    numbers = repaired(rows, recipe.cleaning)["fee"]
    assert (int(numbers.isna().sum()), numbers[1]) == (20, 1001)


@pytest.mark.parametrize("written", ["Life expectancy ", " Life  expectancy", "Life expectancy"])
def test_white_space_of_the_file_belongs_to_no_name(written: str) -> None:
    assert named_column(written, ["Life expectancy", "GDP"]) == "Life expectancy"


def test_near_names_are_offered() -> None:
    assert near_names("life expectency", ["Life expectancy", "GDP"]) == ("Life expectancy",)
    assert named_column("life expectancy", ["Life expectancy"]) is None
    assert near_names("zzz", ["Life expectancy", "GDP"]) == ()
