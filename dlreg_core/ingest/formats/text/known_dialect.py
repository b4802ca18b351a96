"""A file of rows that should be like those of a known one → how to read it, by what is known."""

from __future__ import annotations

from collections.abc import Collection

from dlreg_core.ingest.formats.signatures import is_feather, is_json, is_parquet, is_workbook
from dlreg_core.ingest.formats.text.csv_dialect import DELIMITERS, records
from dlreg_core.ingest.formats.text.encoding import encoding_by_start, to_utf8
from dlreg_core.names import clean_name
from dlreg_core.specs import Dialect, Reading

_SAMPLE = 262_144
_MOST_ABOVE = 30
_SAMPLE_RECORDS = 200
_SEPARATOR = "sep="


def reading_like(content: bytes, known: Dialect, names: Collection[str], levels: Collection[str]) -> Reading:
    """Say how to read a file that should hold columns which are known.

    The header is the record that holds the most of the names, and what separates them there separates all fields: with
    a single row that is the only evidence there is. A file that isn't UTF-8 is in the encoding of the known one, unless
    it can't be.

    Parameters
    ----------
    content : bytes
        The file, unpacked.
    known : Dialect
        How the known file was read.
    names : collection of str
        Names of columns that the file should have.
    levels : collection of str
        Texts that it may hold.

    Returns
    -------
    Reading
        What is known; all else is left to be guessed.
    """
    if is_parquet(content) or is_feather(content) or is_workbook(content) or is_json(content):
        return Reading()
    encoding = _encoding(content, known.encoding, (*names, *levels))
    text, _ = to_utf8(content, encoding)
    sample = text[:_SAMPLE].decode("utf-8", errors="ignore")
    if sample[:8].lower().lstrip('"').startswith(_SEPARATOR):
        return Reading(encoding=encoding)
    found = max(_headers(sample, known, frozenset(map(clean_name, names))), default=(0, 0.0, False, "", 0))
    if found[0]:
        return Reading(encoding=encoding, delimiter=found[3], header=found[4])
    # Names that were made up stand in no file.
    return Reading(encoding=encoding, header="none" if known.header_row is None else None)


def _headers(sample: str, known: Dialect, names: frozenset[str]) -> list[tuple[int, float, bool, str, int]]:
    """Return, for each delimiter, how many names its best header holds, and how well the rows fit that."""
    found = []
    for delimiter in dict.fromkeys((known.delimiter, *DELIMITERS)):
        if not delimiter:
            continue
        rows = _records(sample, delimiter)
        hits = [len(names & {clean_name(field) for field in fields}) for _, fields in rows[:_MOST_ABOVE]]
        if not hits or not max(hits):
            continue
        best = hits.index(max(hits))
        line, header = rows[best]
        below = rows[best + 1 :]
        fits = sum(len(fields) == len(header) for _, fields in below) / len(below) if below else 1.0
        found.append((hits[best], fits, delimiter == known.delimiter, delimiter, line - 1))
    return found


def _records(sample: str, delimiter: str) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    for line, fields in records(sample, delimiter):
        found.append((line, fields))
        if len(found) == _SAMPLE_RECORDS:
            break
    return found


def _encoding(content: bytes, known: str, texts: Collection[str]) -> str | None:
    """Return the encoding that a file is in, where that of the known one tells; None to have it guessed."""
    if encoding_by_start(content) is not None or content.isascii() or not known or known.startswith("utf"):
        return None
    other = _decoded(content, known)
    if other is None:
        return None
    plain = _decoded(content, "utf-8")
    if plain is None:
        return known
    # By chance a few bytes of another encoding are UTF-8 too: what is known stands in the right one.
    foreign = [text for text in texts if not text.isascii()]
    return known if _hits(other, foreign) > _hits(plain, foreign) else None


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _hits(text: str, known: list[str]) -> int:
    return sum(one in text for one in known)
