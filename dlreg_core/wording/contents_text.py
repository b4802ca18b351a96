"""What a model file holds of the rows that were learned from, and how it was checked, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlreg_core.specs import DataHeld, Exported

_NAMED = 6
_BY_HEART = "What a network has learned of single rows can't be looked up."


def held_words(held: DataHeld | None) -> tuple[str, ...]:
    """Return, a sentence each, what a model file holds of the rows; empty where nobody looked into it."""
    if held is None:
        return ()
    found = [_reference_words(held)]
    if held.last is not None:
        found.append(
            f"The last rows of the table ({_named(held.last.columns)}) are in it, {held.last.rows:,} moments, as the "
            "past of new rows."
        )
    if held.similar is not None:
        found.append(
            f"{held.similar.rows:,} training rows ({_named(held.similar.columns)}) are in it, standardised, to fill "
            "gaps by similar rows."
        )
    if held.context:
        verb = "holds" if len(held.context) == 1 else "hold"
        found.append(
            f"{_named(held.context)} {verb} the rows learned from, up to {held.context_rows:,}, all columns and the "
            "target, and read them with every prediction."
        )
    found += _column_words(held)
    if held.found:
        counted = (f"{one.found:,} of {one.looked:,} of {name}" for name, one in held.found.items())
        found.append(f"Of values that were looked for in the fitted model itself, it holds {_named(counted)}.")
    return (*found, _BY_HEART)


def _reference_words(held: DataHeld) -> str:
    if not held.reference_rows:
        return "No rows are in it to test itself with, and no typical values."
    text = f"{held.reference_rows:,} test rows are in it with their predictions, to test itself with"
    if not held.blanked:
        return f"{text}."
    return f"{text}; identifiers and texts ({_named(held.blanked)}) are empty there."


def _column_words(held: DataHeld) -> list[str]:
    """Return what the description of the columns says of values."""
    found = []
    if held.ranges:
        found.append(f"The smallest and the largest value of {_named(held.ranges)}.")
    if held.typical:
        found.append(f"A typical value of {_named(held.typical)}: the median, the most frequent one, the middle date.")
    if held.levels:
        found.append(f"Values that occur: {_named(f'{count:,} of {name}' for name, count in held.levels.items())}.")
    if held.terms:
        counted = (f"{count:,} of {name}" for name, count in held.terms.items())
        found.append(f"Words and pairs of words that several rows share: {_named(counted)}.")
    return found


def checked_words(made: Exported) -> str:
    """Return how a model file was checked when it was written, and whether it can check itself."""
    apart = "exactly" if made.max_relative_difference == 0 else f"to within {made.max_relative_difference:.0e}"
    count = made.reference_rows
    if made.held is None or made.held.reference_rows:
        return f"The file was read again, and {count} reference rows came out as they should, {apart}."
    rows = "a made-up row" if made.made_up else f"{count} test rows"
    return (
        f"The file was read again, and {rows} came out as {'it' if made.made_up else 'they'} should, {apart}. "
        "Without rows in it, the file can tell elsewhere that it is intact, not that it still predicts the same."
    )


def _named(names: Iterable[str]) -> str:
    listed: Sequence[str] = tuple(names)
    if len(listed) > _NAMED:
        return f"{', '.join(listed[: _NAMED - 1])} and {len(listed) - _NAMED + 1:,} more"
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1]))) if listed else ""
