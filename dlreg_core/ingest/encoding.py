"""From the bytes of a text file to clean UTF-8 and the name of the encoding that it came in."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import CharsetMatch, from_bytes

from dlreg_core.errors import TableError
from dlreg_core.ingest.signatures import control_share

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
# Signs that stand before letters, or within words, are letters of another encoding: "£ódŸ" is Łódź.
_IMPLAUSIBLE = re.compile(r"[£¥¦¹³¼¾¶][a-zß-öø-ÿ]|[a-zß-öø-ÿ](¿[a-z]|[¹¼¾¶])")
_FEW_LETTERS = 2
_NEIGHBOURS = re.compile(rb"[\x80-\xff]{2}")
_SAMPLE = 262_144
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
        raise TableError(
            f"The file is not readable as {found.upper()}{'' if encoding else ', which it announces itself as'}.",
            "Choose another encoding, or save it again as CSV in UTF-8.",
        ) from exc
    _check_is_text(clean)
    return clean.removeprefix(codecs.BOM_UTF8), found


def _encoding(content: bytes) -> str:
    for mark, name in _BOMS:
        if content.startswith(mark):
            return name
    wide = _utf16_without_mark(content)
    if wide:
        return wide
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy_encoding(content)
    return "utf-8"


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
    sample = content[max(0, first - 1024) : first + _SAMPLE]
    matches = list(from_bytes(sample, cp_isolation=list(_CANDIDATES)))
    for encoding in (*_in_order(matches, sample), "latin-1"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _in_order(matches: list[CharsetMatch], sample: bytes) -> list[str]:
    """Return the likeliest encodings first; where nothing tells a language, that is Western Europe's."""
    # One or two single letters are too few to tell a language.
    few = len(set(sample) - set(range(128))) <= _FEW_LETTERS and not _NEIGHBOURS.search(sample)
    best = matches[0] if matches else None
    western = [m for m in matches if best and "cp1252" in m.could_be_from_charset and m.chaos <= best.chaos]
    likely = best is None or best in western or few or (western and best.coherence == 0)
    if likely and not _IMPLAUSIBLE.search(sample.decode("cp1252", errors="replace")):
        return ["cp1252"]
    if best is None:
        return []
    others = [m.encoding for m in matches if "cp1252" not in m.could_be_from_charset]
    return [*others[:1], best.encoding]


def _check_is_text(text: bytes) -> None:
    if control_share(text) > _MAX_CONTROL_SHARE:
        raise TableError(
            "The file is not a text table: it holds binary data.",
            "Export the table as CSV and try again.",
        )
    position = text.find(b"\x00")
    if position >= 0:
        line = text.count(b"\n", 0, position) + 1
        raise TableError(
            f"Line {line:,} holds a NUL byte, which no text table may contain.",
            "The file is damaged or was cut off while it was written; export it again.",
        )
