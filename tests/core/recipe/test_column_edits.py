"""What the draft becomes by what a person says of the columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.recipe.column_edits import ColumnEdit, with_column_edits
from dlreg_core.recipe.draft import Draft, is_used, type_of
from dlreg_core.specs import ColumnType, Dataset
from tests.conftest import add_table

N, C = ColumnType.NUMBER, ColumnType.CATEGORY


@pytest.fixture
def dataset(home: Path) -> Dataset:
    count = 60
    sizes = ["low", "medium", "high"]
    return add_table(
        home,
        pd.DataFrame(
            {
                "code": [f"K{i:04d}" for i in range(count)],
                "rooms": [i % 5 + 0.5 for i in range(count)],
                "colour": [("red", "green", "blue")[i % 3] for i in range(count)],
                "grade": [sizes[i % 3] for i in range(count)],
                "price": [1.5 * i for i in range(count)],
            }
        ),
    )


def proposed(dataset: Dataset, draft: Draft) -> dict[str, ColumnEdit]:
    """Return what the table of columns shows before anything is edited."""
    return {
        name: ColumnEdit(
            is_used(dataset, draft, name), type_of(dataset, draft, name), bool(dataset.column(name).ordered)
        )
        for name in dataset.column_names
        if name != draft.target
    }


def edited(dataset: Dataset, draft: Draft, order: tuple[str, ...] = (), **edits: ColumnEdit) -> Draft:
    return with_column_edits(dataset, draft, proposed(dataset, draft) | edits, lambda _: order)


def test_what_is_proposed_is_not_kept(dataset: Dataset) -> None:
    draft = Draft(target="price")
    assert edited(dataset, draft) is draft


def test_what_differs_is_kept_and_forgotten_again(dataset: Dataset) -> None:
    draft = Draft(target="price")
    without = edited(dataset, draft, rooms=ColumnEdit(False, N))
    assert without.used == {"rooms": False}
    as_levels = edited(dataset, without, rooms=ColumnEdit(False, C))
    assert (as_levels.used, as_levels.types) == ({"rooms": False}, {"rooms": C})
    assert edited(dataset, as_levels, rooms=ColumnEdit(True, N)) == draft


def test_an_identifier_with_another_type_is_used(dataset: Dataset) -> None:
    assert dataset.column("code").type is ColumnType.IDENTIFIER
    found = edited(dataset, Draft(target="price"), code=ColumnEdit(False, ColumnType.TEXT))
    assert is_used(dataset, found, "code")


def test_a_category_gets_an_order_where_there_is_one(dataset: Dataset) -> None:
    order = ("red", "green", "blue")
    found = edited(dataset, Draft(target="price"), order, colour=ColumnEdit(True, C, ordinal=True))
    assert found.cleaning.orders == {"colour": order}
    # Levels that can't be put in an order leave the column as it was.
    assert edited(dataset, Draft(target="price"), (), colour=ColumnEdit(True, C, ordinal=True)).types == {}


def test_an_order_that_the_profile_knows_can_be_taken_away_and_given_back(dataset: Dataset) -> None:
    known = dataset.column("grade").ordered
    assert known == ("low", "medium", "high")
    plain = edited(dataset, Draft(target="price"), grade=ColumnEdit(True, C))
    assert plain.cleaning.orders == {"grade": ()}
    assert edited(dataset, plain, grade=ColumnEdit(True, C, ordinal=True)).cleaning.orders == {}
