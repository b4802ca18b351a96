"""A header → what the columns are called: cleaned once, apart from each other, the same in every file."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.inference.numbers.text_numbers import unwrapped
from dlreg_core.names import MOST_CHARACTERS, clean_name, shortened

_MARKS = (4, 16)
"""Hexadecimal digits by which names that would be equal are told apart; the second where the first are equal too."""


@dataclass(frozen=True)
class ColumnNames:
    """The names of the columns of a file.

    Attributes
    ----------
    tidy : tuple of str
        What the columns are called.
    written : dict of str to str
        How those stand in the file that had to be cleaned; white space doesn't count.
    """

    tidy: tuple[str, ...]
    written: dict[str, str]

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns whose name was cut, lacks something that can't be seen, or was marked to stay apart."""
        return tuple(name for name, raw in self.written.items() if unicodedata.normalize("NFC", raw) != name)


def name_columns(header: Sequence[str]) -> tuple[str, ...]:
    """Return what columns are called; see `names_of`."""
    return names_of(header).tidy


def names_of(header: Sequence[str]) -> ColumnNames:
    """Clean the names of a header: empty ones are filled in, repeated ones refused.

    Names that differ only in what is left out stay apart: one that stands so in the file keeps its name, the others are
    marked by what stands there. So they have the same names in every file, whatever the order of its columns.

    Parameters
    ----------
    header : sequence of str
        As it stands in the file.

    Raises
    ------
    TableError
        If two columns have the same name.
    """
    plain = unwrapped(pa.array([name.strip() for name in header], pa.string())).to_pylist()
    raw = [" ".join(name.split()) for name in plain]
    clean = [clean_name(name) for name in raw]
    _check_repeated(raw, clean)
    names = _apart(raw, clean)
    taken = set(names)
    for index, name in enumerate(names):
        if not name:
            candidate = f"column_{index + 1}"
            while candidate in taken:
                candidate += "_"
            names[index] = candidate
            taken.add(candidate)
    return ColumnNames(tuple(names), {name: one for name, one in zip(names, raw, strict=True) if one and one != name})


def _check_repeated(raw: Sequence[str], clean: Sequence[str]) -> None:
    positions: dict[str, list[int]] = {}
    for position, (written, name) in enumerate(zip(raw, clean, strict=True), start=1):
        if name:
            positions.setdefault(written, []).append(position)
    repeated = [where for where in positions.values() if len(where) > 1]
    if repeated:
        listed = "; ".join(f'"{clean[where[0] - 1]}" in columns {", ".join(map(str, where))}' for where in repeated[:5])
        raise TableError(f"Several columns have the same name: {listed}.", "Give every column a name of its own.")


def _apart(raw: Sequence[str], clean: Sequence[str]) -> list[str]:
    """Return the names with marks where several would be equal; empty ones stay so."""
    names = list(clean)
    for digits in _MARKS:
        counts = Counter(names)
        for place, name in enumerate(names):
            if name and counts[name] > 1 and raw[place] != name:
                names[place] = _marked(raw[place], digits)
    return names


def _marked(raw: str, digits: int) -> str:
    mark = f" ({hashlib.sha256(raw.encode('utf-8', 'replace')).hexdigest()[:digits]})"
    return shortened(clean_name(raw), MOST_CHARACTERS - len(mark)) + mark


def names_as_known(written: Mapping[str, str], names: Sequence[str], known: Collection[str]) -> dict[str, str]:
    """Return, by name, what a file's columns are called in another table: the one that a model has learned from.

    Where that has two columns whose names would be equal, and this file only one of them, it is still told which. What
    learned before names were cleaned knows them as they stood.

    Parameters
    ----------
    written : mapping of str to str
        `ColumnNames.written` of the file.
    names : sequence of str
        What its columns are called.
    known : collection of str
        What the other table's are called.
    """
    other = {clean_name(name): name for name in known if clean_name(name) != name}
    found: dict[str, str] = {}
    for name in names:
        raw = written.get(name, name)
        meant = [raw, *(_marked(raw, digits) for digits in _MARKS)] if raw != name else []
        meant += [other[name]] if name in other and name not in known else []
        target = next((one for one in meant if one in known), name)
        if target != name and target not in names:
            found[name] = target
    return found
