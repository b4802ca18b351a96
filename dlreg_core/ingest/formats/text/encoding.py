"""From the bytes of a text file to clean UTF-8 and the name of the encoding that it came in."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import CharsetMatch, from_bytes

from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.signatures import control_share
from dlreg_core.ingest.formats.text.latin_encodings import IMPLAUSIBLE, latin_encoding

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # UTF-32's little-endian mark begins with UTF-16's, so it is asked first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Tables from Western Europe and America are by far the most frequent, so cp1252 wins where the bytes leave it open.
_CANDIDATES = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "euc_kr", "big5")
_FEW_LETTERS = 2
_NEIGHBOURS = re.compile(rb"[\x80-\xff]{2}")
SAMPLE = 262_144
BEFORE = 1024
"""Bytes that are looked at from the first one on that isn't ASCII, and before it."""
_MAX_CONTROL_SHARE = 0.01


def to_utf8(content: bytes, encoding: str | None = None) -> tuple[bytes, str]:
    """Return `content` as UTF-8 without a byte-order mark, and the encoding it was in.

    Parameters
    ----------
    content : bytes
        A text file as it was uploaded.
    encoding : str, optional
        The encoding that it is in; it is guessed without it.

    Returns
    -------
    tuple of (bytes, str)
        UTF-8 text, and a name that Python's codecs know.

    Raises
    ------
    TableError
        If the bytes are no readable text.
    """
    found = encoding or _encoding(content)
    try:
        text = content.decode(found)
        clean = content if found == "utf-8" else text.encode("utf-8")
    except (UnicodeError, LookupError) as exc:
        raise unreadable_error(found, encoding) from exc
    check_is_text(clean)
    return clean.removeprefix(codecs.BOM_UTF8), found


def unreadable_error(found: str, said: str | None) -> TableError:
    """Return what to say where a text isn't in the encoding that it, or a person, says it is in."""
    return TableError(
        f"The file is not readable as {found.upper()}{'' if said else ', which it announces itself as'}.",
        "Choose another encoding, or save it again as CSV in UTF-8.",
    )


def _encoding(content: bytes) -> str:
    told = encoding_by_start(content)
    if told:
        return told
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy_encoding(content)
    return "utf-8"


def encoding_by_start(content: bytes) -> str | None:
    """Return the encoding that a file's first bytes tell: by a byte-order mark, or by every other byte being zero."""
    for mark, name in _BOMS:
        if content.startswith(mark):
            return name
    return _utf16_without_mark(content)


def _utf16_without_mark(content: bytes) -> str | None:
    sample = content[:4096]
    if len(sample) < 4 or len(content) % 2:
        return None
    even, odd = sample[0::2], sample[1::2]
    if odd.count(0) > 0.6 * len(odd) and even.count(0) == 0:
        return "utf-16-le"
    if even.count(0) > 0.6 * len(even) and odd.count(0) == 0:
        return "utf-16-be"
    return None


def _legacy_encoding(content: bytes) -> str:
    # Plain ASCII says nothing about the encoding: the sample is what surrounds the first other bytes.
    beyond_ascii = re.search(rb"[\x80-\xff]", content)
    first = beyond_ascii.start() if beyond_ascii else 0
    for encoding in legacy_encodings(content[max(0, first - BEFORE) : first + SAMPLE]):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def legacy_encodings(sample: bytes) -> tuple[str, ...]:
    """Return the encodings that bytes which are no UTF-8 may be in, the likeliest first; the last one fits anything."""
    matches = list(from_bytes(sample, cp_isolation=list(_CANDIDATES)))
    order = _in_order(matches, sample)
    # Statistics of letters are weak on names of places; the letters that a language has at all aren't.
    latin = latin_encoding(sample) if order[:1] in (["cp1252"], ["cp1250"]) else None
    return (*([latin] if latin else ()), *order, "latin-1")


def _in_order(matches: list[CharsetMatch], sample: bytes) -> list[str]:
    """Return the likeliest encodings first; where nothing tells a language, that is Western Europe's."""
    # One or two single letters are too few to tell a language.
    few = len(set(sample) - set(range(128))) <= _FEW_LETTERS and not _NEIGHBOURS.search(sample)
    best = matches[0] if matches else None
    western = [m for m in matches if best and "cp1252" in m.could_be_from_charset and m.chaos <= best.chaos]
    likely = best is None or best in western or few or (western and best.coherence == 0)
    if likely and not IMPLAUSIBLE.search(sample.decode("cp1252", errors="replace")):
        return ["cp1252"]
    if best is None:
        return []
    others = [m.encoding for m in matches if "cp1252" not in m.could_be_from_charset]
    return [*others[:1], best.encoding]


def check_is_text(text: bytes) -> None:
    """Raise ``TableError`` where UTF-8 text, or its beginning, holds what no text table does."""
    if control_share(text) > _MAX_CONTROL_SHARE:
        raise TableError(
            "The file is not a text table: it holds binary data.",
            "Export the table as CSV and try again.",
        )
    position = text.find(b"\x00")
    if position >= 0:
        raise nul_error(text.count(b"\n", 0, position) + 1)


def nul_error(line: int) -> TableError:
    """Return what to say of a NUL byte on a line, counted from 1."""
    return TableError(
        f"Line {line:,} holds a NUL byte, which no text table may contain.",
        "The file is damaged or was cut off while it was written; export it again.",
    )
