"""What a file is when it is no text table, told from its first bytes."""

from __future__ import annotations

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
)
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_WORKBOOK_PARTS = (b"xl/workbook", b"opendocument.spreadsheet")
_DOCUMENT_PARTS: tuple[tuple[bytes, str], ...] = (
    (b"word/document", "a Word document"),
    (b"ppt/presentation", "a PowerPoint presentation"),
    (b"opendocument.text", "an OpenDocument text"),
)
_PACKED: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (_ZIP, "ZIP"),
)
_TEXT: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML document"),
    (b"{\\rtf", "an RTF document"),
)
_ALLOWED_CONTROLS = frozenset(b"\t\n\r\f\x1a")
_SAMPLE = 65_536


def foreign_kind(content: bytes) -> str | None:
    """Name the kind of file that `content` is, or return None where it may be a text table.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    str or None
        Such as ``"a PNG image"``.
    """
    if content.startswith(_ZIP):
        return next((kind for part, kind in _DOCUMENT_PARTS if part in content), "a ZIP archive")
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((kind for magic, kind in _TEXT if start.startswith(magic)), None)


def packed_kind(content: bytes) -> str | None:
    """Name how `content` is packed; None where it isn't, or where it is a kind of document that only looks so."""
    if content.startswith(_ZIP) and (is_workbook(content) or any(part in content for part, _ in _DOCUMENT_PARTS)):
        return None
    return next((kind for magic, kind in _PACKED if content.startswith(magic)), None)


def is_workbook(content: bytes) -> bool:
    """Tell whether `content` is a workbook of Excel, old or new, or of OpenDocument."""
    return content.startswith(_OLE) or (content.startswith(_ZIP) and any(part in content for part in _WORKBOOK_PARTS))


def is_feather(content: bytes) -> bool:
    """Tell whether `content` is an Arrow file, as Feather is since its second version."""
    return content.startswith(b"ARROW1")


def is_json(content: bytes) -> bool:
    """Tell whether `content` holds JSON objects: a list of them, or one on each line."""
    start = content[:4096].removeprefix(b"\xef\xbb\xbf").translate(None, b" \t\r\n")
    return start.startswith((b'{"', b"[{", b"{}", b"[]"))


def is_parquet(content: bytes) -> bool:
    """Tell whether `content` is a Parquet file."""
    return content.startswith(b"PAR1")


def control_share(content: bytes) -> float:
    """Return the share of control characters among the first bytes: text holds hardly any."""
    sample = content[:_SAMPLE]
    if not sample:
        return 0.0
    controls = sum(sample.count(byte) for byte in range(32) if byte not in _ALLOWED_CONTROLS)
    return controls / len(sample)
