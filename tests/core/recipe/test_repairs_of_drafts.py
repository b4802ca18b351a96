"""One-click repairs: a draft does what a finding asks for, says so, and takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlreg_core.checks.findings import Repair
from dlreg_core.recipe.draft import Draft, is_repaired, recipe_of, with_repair
from tests.conftest import add_table, small_table

REPAIRS = (
    Repair("leave out", leave_out=("size",)),
    Repair("codes", missing_codes={"size": (-1.0,), "price": (-999.0,)}),
    Repair("labels", merged_labels={"place": {"N": "north"}}),
    Repair("time", split=("time", "built")),
    Repair("group", split=("group", "place")),
    Repair("log", target_transform="log"),
)


@pytest.mark.parametrize("repair", REPAIRS, ids=lambda repair: repair.label)
def test_a_repair_is_made_and_taken_back(tmp_path: Path, repair: Repair) -> None:
    dataset = add_table(tmp_path, small_table())
    draft = Draft(target="price")
    assert not is_repaired(dataset, draft, repair)
    done = with_repair(draft, repair)
    assert is_repaired(dataset, done, repair)
    assert with_repair(done, repair) == done
    recipe_of(dataset, done)
    # Who takes a split back has chosen too: it isn't measured into the draft again.
    assert with_repair(done, repair, wanted=False) == draft.changed(split_chosen=repair.split is not None)


def test_repairs_of_one_column_do_not_undo_each_other(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table())
    first, second = Repair("-1", missing_codes={"size": (-1.0,)}), Repair("-9", missing_codes={"size": (-9.0,)})
    both = with_repair(with_repair(Draft(target="price"), first), second)
    assert both.cleaning.missing_codes == {"size": (-1.0, -9.0)}
    one = with_repair(both, first, wanted=False)
    assert (is_repaired(dataset, one, first), is_repaired(dataset, one, second)) == (False, True)


def test_repeated_rows_are_a_choice_too(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, small_table())
    repair = Repair("repeats", drop_duplicates=True)
    draft = with_repair(Draft(target="price"), repair, wanted=False)
    assert not is_repaired(dataset, draft, repair)
    assert is_repaired(dataset, with_repair(draft, repair), repair)
