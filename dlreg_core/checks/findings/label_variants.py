"""Labels of a category column that are written in several ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from dlreg_core.checks.findings.finding import Finding, Repair, listed_names
from dlreg_core.specs import ColumnType, Dataset

_MOST_LEVELS = 1000
_LISTED = 3
_LONGEST_PREFIX = 4
_LEFT_OUT = 3
"""A prefix stands for a word where it leaves out so many letters at least: "day" isn't short for "days"."""

# A sign between letters joins them; at the end of "A-" or in "C++" it means something.
_FILLER = re.compile(r"[\s_.,;:'’`\"()\[\]/&]+|(?<=\w)-+(?=\w)")
_SPACE = re.compile(r"[\s_]+")
_WORDS = re.compile(r"[^\W\d_]+")


def inconsistent_labels(dataset: Dataset, table: pd.DataFrame) -> Iterator[Finding]:
    """Find category columns whose levels are likely one label in several spellings.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows.
    """
    for column in dataset.columns:
        if column.type is not ColumnType.CATEGORY or column.distinct > _MOST_LEVELS:
            continue
        groups = same_labels([str(level) for level in table[column.name].value_counts().index])
        if groups:
            told = [listed_names([f'"{level}"' for level in group]) for group in groups[:_LISTED]]
            more = f"; and {len(groups) - _LISTED} more" if len(groups) > _LISTED else ""
            text = f"these look like one label written in several ways: {'; '.join(told)}{more}."
            repair = "Merge them: every spelling counts as a category of its own."
            # The most frequent spelling comes first; a whole word says more than its abbreviation.
            kept = {label: max(group, key=lambda one: len(_key(one))) for group in groups for label in group}
            merged = {label: whole for label, whole in kept.items() if label != whole}
            step = Repair(f"Merge the spellings in {column.name}", merged_labels={column.name: merged})
            yield Finding((column.name,), text, "inconsistent-labels", "medium", repair, step)


def same_labels(levels: Sequence[str]) -> list[list[str]]:
    """Group levels that are likely one label.

    Two levels are one label where they differ in case, spaces and punctuation only ("low fat", "Low-Fat"), or where one
    is an abbreviation of the other: its initials ("LF") or its beginning ("reg" for "Regular"), and of no other level.

    Parameters
    ----------
    levels : sequence of str
        Different texts.

    Returns
    -------
    list of list of str
        The groups of two levels or more, and the levels in each, in the order given.
    """
    spellings: dict[str, list[str]] = {}
    for level in levels:
        spellings.setdefault(_key(level), []).append(level)
    owners = _owners(spellings)
    groups: dict[str, set[str]] = {}
    for key, found in spellings.items():
        groups.setdefault(_last(key, owners), set()).update(found)
    return [[level for level in levels if level in group] for group in groups.values() if len(group) > 1]


def _key(level: str) -> str:
    """Return a level without what two spellings of one label differ in."""
    plain = level.strip().casefold()
    # In numbers points and signs carry the meaning: 1.5 isn't 15, and 1-2 isn't 12.
    if any(letter.isdigit() for letter in plain):
        return _SPACE.sub("", plain)
    return _FILLER.sub("", plain) or plain


def _owners(spellings: dict[str, list[str]]) -> dict[str, str]:
    """Return what each key is short for: the key of the only label that it can mean."""
    meant: dict[str, set[str]] = {}
    for key, found in spellings.items():
        for short in {short for level in found for short in _abbreviations(key, level)} - {key}:
            meant.setdefault(short, set()).add(key)
    owners = {short: next(iter(keys)) for short, keys in meant.items() if short in spellings and len(keys) == 1}
    letters = [key for key in spellings if len(key) == 1 and key.isalpha()]
    # One letter is no evidence, but several that all find a word are: M and F beside Male and Female.
    if len(letters) < 2 or any(letter not in owners for letter in letters):
        return {short: key for short, key in owners.items() if len(short) > 1}
    return owners


def _abbreviations(key: str, level: str) -> Iterator[str]:
    words = [word.casefold() for word in _WORDS.findall(level)]
    if len(words) > 1:
        yield "".join(word[0] for word in words)
    elif key.isalpha():
        yield key[0]
        yield from (key[:length] for length in range(2, min(_LONGEST_PREFIX, len(key) - _LEFT_OUT) + 1))


def _last(key: str, owners: dict[str, str]) -> str:
    while key in owners:
        key = owners[key]
    return key
