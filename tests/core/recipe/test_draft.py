from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.recipe.draft import Draft, draft_of, is_used, load_draft, recipe_of, save_draft, start_draft
from dlreg_core.specs import ColumnType, Dataset
from dlreg_core.splitting import prepare_table


def stored(tmp_path: Path) -> tuple[Dataset, pd.DataFrame]:
    table = pd.DataFrame(
        {
            "id": range(1, 101),
            "size": [i * 7 % 31 + 0.5 for i in range(100)],
            "same": ["a"] * 100,
            "shop": [f"shop {i % 9}" for i in range(100)],
            "price": [i * 13 % 41 + 0.25 for i in range(100)],
        }
    )
    store = DatasetStore(tmp_path)
    dataset = store.add(table.to_csv(index=False).encode(), "t.csv")
    return dataset, store.table(dataset.id)


def started(dataset: Dataset) -> Draft:
    draft = start_draft(dataset)
    assert draft is not None
    return draft


def test_the_first_draft_leaves_out_identifiers_and_constants(tmp_path: Path) -> None:
    dataset, _ = stored(tmp_path)
    draft = start_draft(dataset)
    assert draft is not None
    assert draft.target == "price"
    recipe = recipe_of(dataset, draft)
    assert recipe.features == ("size", "shop")
    assert recipe.cleaning.drop_identifiers


def test_a_table_without_a_possible_target_has_no_draft(tmp_path: Path) -> None:
    dataset = DatasetStore(tmp_path).add(b"a,b\nx,y\nz,y\nx,w\n", "t.csv")
    assert start_draft(dataset) is None


def test_a_ticked_identifier_is_really_used(tmp_path: Path) -> None:
    dataset, table = stored(tmp_path)
    draft = started(dataset).changed(used={"id": True, "size": False})
    recipe = recipe_of(dataset, draft)
    assert recipe.features == ("id", "shop")
    assert not recipe.cleaning.drop_identifiers
    prepare_table(dataset, table, recipe)


def test_another_type_decides_whether_a_column_is_used(tmp_path: Path) -> None:
    dataset, _ = stored(tmp_path)
    draft = started(dataset).changed(types={"id": ColumnType.CATEGORY, "size": ColumnType.NUMBER})
    assert is_used(dataset, draft, "id")
    assert recipe_of(dataset, draft).types == {"id": ColumnType.CATEGORY}


@pytest.mark.parametrize("kind", ["random", "time", "group", "own"])
def test_a_recipe_can_be_changed_again(tmp_path: Path, kind: str) -> None:
    dataset, _ = stored(tmp_path)
    draft = started(dataset).changed(
        unit="$",
        used={"size": False, "id": True},
        kind=kind,
        column={"time": "size", "group": "shop"}.get(kind),
        validation=0.2,
        test=0.25,
        seed=7,
        test_dataset="0" * 16,
    )
    recipe = recipe_of(dataset, draft)
    assert recipe_of(dataset, draft_of(dataset, recipe)) == recipe


def test_with_an_own_test_file_the_share_is_one_of_the_tables_rows(tmp_path: Path) -> None:
    dataset, _ = stored(tmp_path)
    split = recipe_of(dataset, started(dataset).changed(kind="own", validation=0.2, test_dataset="0" * 16)).split
    assert split.validation / (split.train + split.validation) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"used": {"size": False, "shop": False}}, "No column is left"),
        ({"kind": "own"}, "no test file"),
        ({"kind": "time"}, "no column to split by time"),
        ({"validation": 0.6, "test": 0.4}, "leave no rows to train on"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    dataset, _ = stored(tmp_path)
    with pytest.raises(RecipeError, match=message):
        recipe_of(dataset, started(dataset).changed(**changes))


def test_a_table_cannot_judge_itself(tmp_path: Path) -> None:
    dataset, _ = stored(tmp_path)
    with pytest.raises(RecipeError, match="the table itself"):
        recipe_of(dataset, started(dataset).changed(kind="own", test_dataset=dataset.id))


def test_a_draft_is_kept_for_its_owner(tmp_path: Path) -> None:
    dataset, _ = stored(tmp_path)
    draft = started(dataset).changed(used={"size": False}, types={"shop": ColumnType.TEXT}, kind="group")
    assert load_draft(tmp_path, "../ann", dataset.id) is None
    save_draft(tmp_path, "../ann", dataset.id, draft)
    assert load_draft(tmp_path, "../ann", dataset.id) == draft
    assert load_draft(tmp_path, "bob", dataset.id) is None
    next((tmp_path / "drafts").rglob("*.json")).write_text("{}")
    assert load_draft(tmp_path, "../ann", dataset.id) is None
