"""A column that somebody named by hand: the one that is meant, or those that may be."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from dlreg_core.names import clean_name

_NEAR = 0.6
_MOST_NEAR = 3
_MOST_LISTED = 12


def named_column(name: str, known: Sequence[str]) -> str | None:
    """Return the column that a name stands for: it may have what was left out of the file's name, or lack it.

    Parameters
    ----------
    name : str
        As somebody typed it, or copied it from the first line of the file.
    known : sequence of str
        The names of the columns.
    """
    tidy, clean = " ".join(name.split()), clean_name(name)
    return next((one for one in (name, tidy, clean) if one in known), None)


def near_names(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that are named nearly so, the nearest first, three at most."""
    folded: dict[str, str] = {}
    for one in known:
        folded.setdefault(one.casefold(), one)
    wanted = " ".join(name.split()).casefold()
    return tuple(folded[one] for one in get_close_matches(wanted, list(folded), _MOST_NEAR, _NEAR))


def names_hint(name: str, known: Sequence[str]) -> str:
    """Say which column may be meant, or which there are."""
    near = near_names(name, known)
    if near:
        *first, last = [f'"{one}"' for one in near]
        return f"Did you mean {', '.join(first)} or {last}?" if first else f"Did you mean {last}?"
    more = f" and {len(known) - _MOST_LISTED:,} more" if len(known) > _MOST_LISTED else ""
    return f"It has {', '.join(known[:_MOST_LISTED])}{more}."
