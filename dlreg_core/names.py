"""Names and other texts that come from outside: cleaned once, where they come in, and made fit to be shown.

A name stands on pages, in charts, on terminals, in files of other programs. What can't be seen there, or changes how
the rest is read, doesn't belong into one: control characters (among them those that begin orders to a terminal),
characters that turn the direction of writing, those without width, and thousands of characters. Values of a table are
kept as they are, and made `visible` where they are shown.
"""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 200
"""Characters of a name; of a longer one the beginning and the end are kept."""

MOST_OF_UNIT = 40
"""Characters of a unit, which stands behind every number."""

_MOST_MARKS = 8
"""Marks on one character; more are piled up to cover the lines above and below."""
_JOINERS = "\u200c\u200d"
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as nothing."""
_NOTHING = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f")
_SILENT = re.compile(f"[{''.join(_BLANKS | _NOTHING)}\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""What can't be seen although it counts as printable."""
_USUAL = re.compile(r"[\u0020-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u22ff]*")
"""Latin letters, punctuation, currencies, arrows: all of them that are printable are seen."""
_PILED = "Mn" * (_MOST_MARKS + 1)
_NUMBER_SIGNS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Signs that are drawn, although Unicode counts them among the characters that only shape others."""
_JOINED_FROM = "\u0590"
"""From here on are the scripts and pictures in which joiners and variants of a character are written."""


def clean_name(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a name without what can't be seen, in one line, and of bounded length; the same when done again.

    Parameters
    ----------
    text : str
        As it came: from a file, a form, a command, a request.
    most : int
        How many characters it may have.

    Returns
    -------
    str
        In Unicode's composed form (NFC), since names are compared. Empty where nothing of it can be seen.
    """
    if text.isascii() and text.isprintable() and len(text) <= most:
        return " ".join(text.split())
    found = _cleaned(text, most)
    # What was left out may have kept apart what now is composed.
    while (again := _cleaned(found, most)) != found:
        found = again
    return found


def _cleaned(text: str, most: int) -> str:
    composed = unicodedata.normalize("NFC", _shown(unicodedata.normalize("NFC", text)))
    return shortened(" ".join(composed.split()), most)


def visible(text: object) -> str:
    """Return foreign text as one line that can be shown: no control characters, none that turn or hide what follows.

    Parameters
    ----------
    text : object
        A text, or what one is made of.
    """
    return _shown(str(text))


def _shown(text: str) -> str:
    if _is_plain(text):
        return text
    kept: list[str] = []
    marks = 0
    for place, character in enumerate(text):
        after = text[place + 1] if place + 1 < len(text) else ""
        shown = _character(character, kept[-1] if kept else "", after)
        marks = marks + 1 if shown and unicodedata.category(shown) == "Mn" else 0
        if shown and marks <= _MOST_MARKS:
            kept.append(shown)
    return "".join(kept)


def _is_plain(text: str) -> bool:
    """Tell, quickly, that there is nothing to leave out of a text."""
    if not text.isprintable():
        return False
    return bool(_USUAL.fullmatch(text)) or not (
        _SILENT.search(text) or _PILED in "".join(map(unicodedata.category, text))
    )


def _character(character: str, before: str, after: str) -> str:
    """Return what is shown of a character: itself, a space, or nothing."""
    if character.isspace() or character in _BLANKS:
        return " "
    if character in _JOINERS:
        return character if _joins(before) and _joins(after) else ""
    if _is_variant(character):
        return character if _joins(before) and not _is_variant(before) else ""
    kind = unicodedata.category(character)
    hidden = kind in ("Cc", "Cs") or (kind == "Cf" and character not in _NUMBER_SIGNS) or character in _NOTHING
    return "" if hidden else character


def _joins(character: str) -> bool:
    return character >= _JOINED_FROM and unicodedata.category(character)[0] in "LMS"


def _is_variant(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters: the middle of a longer one is left out.

    The end is kept since it is what tells long names apart, such as the answers of one question.
    """
    if len(text) <= most:
        return text
    end = most * 2 // 5
    return f"{text[: most - 1 - end].rstrip()}…{text[-end:].lstrip()}"
