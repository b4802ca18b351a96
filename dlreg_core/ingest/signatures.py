"""What a file is when it is no text table, told from its first bytes."""

from __future__ import annotations

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"ARROW1", "an Arrow or Feather file"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
)
_ZIP = b"PK\x03\x04"
_ZIP_PARTS: tuple[tuple[bytes, str], ...] = (
    (b"xl/", "an Excel workbook"),
    (b"word/", "a Word document"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet"),
)
_TEXT: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML document"),
    (b"{\\rtf", "an RTF document"),
    (b'{"', "a JSON document"),
    (b"[{", "a JSON document"),
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
        return next((kind for part, kind in _ZIP_PARTS if part in content), "a ZIP archive")
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((kind for magic, kind in _TEXT if start.startswith(magic)), None)


def is_gzip(content: bytes) -> bool:
    """Tell whether `content` is compressed with gzip."""
    return content.startswith(b"\x1f\x8b")


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
