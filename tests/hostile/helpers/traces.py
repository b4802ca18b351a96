"""Looking for a value of a table in every file below a folder, packed ones too."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

TEXT = "Wqx7Zebrafinch"
NUMBER = 73219.625
"""Both stand in one row of a table, and nowhere else. The number is the same in four bytes and in eight."""


def traces(folder: Path) -> dict[str, set[str]]:
    """Return the files that hold either of them, by their place below `folder`, each with which it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            held = {name for content in unpacked(path.read_bytes()) for name in _held(content)}
            if held:
                found[str(path.relative_to(folder))] = held
    return found


def _held(content: bytes) -> Iterator[str]:
    if any(TEXT.encode(code) in content for code in ("utf-8", "utf-16-le", "utf-16-be")):
        yield "text"
    numbers = [struct.pack(code, NUMBER) for code in ("<d", ">d", "<f", ">f")]
    if str(NUMBER).encode() in content or any(number in content for number in numbers):
        yield "number"


def unpacked(content: bytes) -> Iterator[bytes]:
    """Yield what a file holds as it is, and whatever can be unpacked of it."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from unpacked(archive.read(name))
    elif content.startswith(b"\x28\xb5\x2f\xfd"):
        yield from unpacked(pa.input_stream(pa.BufferReader(content), compression="zstd").read())
    elif content.startswith(b"PAR1"):
        frame = parquet.read_table(pa.BufferReader(content)).to_pandas()
        for name in frame.columns:
            yield " ".join(map(str, frame[name])).encode()
            if pd.api.types.is_numeric_dtype(frame[name]):
                yield frame[name].to_numpy(dtype="<f8").tobytes()
    elif content[:1] == b"\x78":
        # joblib's files.
        try:
            yield zlib.decompress(content)
        except zlib.error:
            return
