"""What a person says of the columns to predict from, and what the draft becomes by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dlreg_core.recipe.draft import Draft, is_used, type_of
from dlreg_core.specs import ColumnType, Dataset


class ColumnEdit(NamedTuple):
    """What a person says of one column: whether it is used, its type, and whether its levels have an order."""

    used: bool
    type: ColumnType
    ordinal: bool = False


def with_column_edits(
    dataset: Dataset, draft: Draft, edits: Mapping[str, ColumnEdit], first_order: Callable[[str], tuple[str, ...]]
) -> Draft:
    """Return a draft that keeps of the edits what differs from what the profile proposes.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    draft : Draft
        What was chosen so far.
    edits : mapping of str to ColumnEdit
        What is said now, of every column but the target.
    first_order : callable
        From a column's name to the order of its levels to start from; empty where they can't be put in one.

    Returns
    -------
    Draft
        The same object where nothing has changed.
    """
    orders = _orders(dataset, draft, edits, first_order)
    used = {name: use for name, use in draft.used.items() if name == draft.target}
    types: dict[str, ColumnType] = {}
    for name, edit in edits.items():
        column = dataset.column(name)
        # What can't be put in an order stays what it was.
        orderless = edit.ordinal and not orders.get(name, column.ordered)
        kind = type_of(dataset, draft, name) if orderless else edit.type
        if kind is not column.type:
            types[name] = kind
        # Whoever gives an identifier another type means to use it, without having to tick it as well.
        used[name] = edit.used or (name in types and name not in draft.types and name not in draft.used)
    plain = Draft(target=draft.target, types=types)
    used = {name: use for name, use in used.items() if use is not is_used(dataset, plain, name)}
    if (used, types, orders) == (draft.used, draft.types, draft.cleaning.orders):
        return draft
    return draft.changed(used=used, types=types, cleaning=draft.cleaning.model_copy(update={"orders": orders}))


def _orders(
    dataset: Dataset, draft: Draft, edits: Mapping[str, ColumnEdit], first_order: Callable[[str], tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the orders that a person chose, with what was made ordinal, or no longer is."""
    orders = {name: order for name, order in draft.cleaning.orders.items() if name in edits}
    for name, edit in edits.items():
        known = dataset.column(name).ordered
        if edit.ordinal and not orders.get(name, known):
            orders[name] = known or first_order(name)
        elif not edit.ordinal and edit.type is ColumnType.CATEGORY and known:
            orders[name] = ()
        elif not edit.ordinal:
            orders.pop(name, None)
        if orders.get(name) == known:
            orders.pop(name, None)
    return orders
