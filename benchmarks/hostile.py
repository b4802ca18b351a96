"""Damaged files of every kind: what comes of them, how long it takes, and how much memory the reader needs.

usage: python benchmarks/hostile.py [--files 300] [--seed 0] [--kinds CSV,xlsx,...]

Each file is a small honest one in which bytes were changed, left out, repeated or exchanged for a number that means
much; most packed documents are changed within their parts and packed again, so that the damage gets past the checksums.
They are read as the app reads them, by the process with limits. What is no table and no error of ours is printed, and
makes the exit status 1.
"""

from __future__ import annotations

import argparse
import collections
import io
import os
import random
import re
import struct
import sys
import tempfile
import threading
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import psutil
import pyarrow.feather  # noqa: F401 - what makes the files needs it

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dlreg_core.errors import TableError, WorkError  # noqa: E402
from dlreg_core.jobs.reading.handed_files import ReaderBackedStore  # noqa: E402
from dlreg_core.jobs.reading.reader_client import Readers  # noqa: E402
from tests.hostile.helpers import making  # noqa: E402

KINDS = ("CSV", "xlsx", "xls", "xlsb", "ods", "Parquet", "Feather", "JSON")
OUTCOMES = ("read", "refused", "reader ended", "UNHANDLED")
_NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**40, 2**63 - 1]
_DIGITS = re.compile(rb"[0-9]+")
_PIECES = (b",", b'"', b"\n", b"\x00", b"\xff\xfe", b"1e999", b"9999999", b"XFD1048576", b"<c>", b"{", b"[", b"]")


class Memory:
    """Follows the highest resident memory of the reading processes and of this one."""

    def __init__(self, readers: Readers) -> None:
        self.readers, self.highest, self.own = readers, 0, 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        me = psutil.Process()
        while True:
            self.own = max(self.own, me.memory_info().rss)
            for pid in self.readers.processes():
                with suppress(psutil.Error):
                    self.highest = max(self.highest, psutil.Process(pid).memory_info().rss)
            time.sleep(0.01)


def mutated(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        if not data:
            break
        at, how = chance.randrange(len(data)), chance.randrange(9)
        if how == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            data[at] = chance.randrange(256)
        elif how == 2:
            number = chance.choice(_NUMBERS)
            width = chance.choice([size for size in (1, 2, 4, 8) if number < 256**size])
            data[at : at + width] = number.to_bytes(width, "little")
        elif how == 3:
            del data[at : at + chance.randint(1, 64)]
        elif how == 4:
            data[at:at] = chance.choice(_PIECES)
        elif how == 5:
            start = chance.randrange(len(data))
            data[at:at] = data[start : start + chance.randint(1, 200)] * chance.choice((1, 2, 50))
        elif how == 6:
            del data[at:]
        elif found := _DIGITS.search(data, at):
            # A number that is written as text, which leaves everything around it as it was.
            data[found.start() : found.end()] = str(chance.choice(_NUMBERS)).encode()
    return bytes(data)


def mutated_within(content: bytes, chance: random.Random) -> bytes:
    """Change parts of an archive and pack it again."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    # What the sheets hold is what matters most.
    name = chance.choice([one for one in parts if "sheet" in one or "content" in one] * 4 + list(parts))
    parts[name] = mutated(parts[name], chance)
    return making.zipped(parts)


def mutated_biff(content: bytes, chance: random.Random) -> bytes:
    """Change the records of an old workbook, behind the header that leads to them."""
    return content[:1536] + mutated(content[1536:], chance) + struct.pack("<I", 0)


def damaged(kind: str, content: bytes, chance: random.Random) -> bytes:
    if kind in ("xlsx", "xlsb", "ods") and chance.random() < 0.7:
        return mutated_within(content, chance)
    if kind == "xls" and chance.random() < 0.7:
        return mutated_biff(content, chance)
    return mutated(content, chance)


def tried(handed: ReaderBackedStore, content: bytes) -> tuple[str, str]:
    """Return what came of a file, and the sentence or the error."""
    try:
        handed.add(content, "file")
    except TableError as exc:
        said = f"{exc.message} {exc.hint}"
        ended = "of memory" in said or "broke down" in said or "longer than" in said
        return ("reader ended" if ended else "refused"), said
    except WorkError as exc:
        return "UNHANDLED", str(exc)
    except Exception as exc:  # noqa: BLE001 - this is what is looked for
        return "UNHANDLED", repr(exc)
    return "read", ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--sentences", action="store_true", help="print how often each sentence was said")
    options = parser.parse_args()
    wrong, sentences = 0, collections.Counter[str]()
    print("| Kind | Files | Read | Refused | Reader ended | Unhandled | Median ms | Longest s | Reader's highest MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        os.environ["DLREG_HOME"] = place
        honest = making.every_kind(making.table(150))
        own = 0
        for kind in options.kinds.split(","):
            readers = Readers()
            readers.prepare()
            memory, handed = Memory(readers), ReaderBackedStore(Path(place), "fuzzing", readers)
            handed.add(honest[kind], "honest")
            chance, counts, times = random.Random(f"{options.seed} {kind}"), collections.Counter[str](), []
            for _ in range(options.files):
                content = damaged(kind, honest[kind], chance)
                began = time.monotonic()
                outcome, said = tried(handed, content)
                times.append(time.monotonic() - began)
                counts[outcome] += 1
                sentences[f"{kind}: {said}"] += 1
                if outcome == "UNHANDLED":
                    wrong += 1
                    kept = Path(tempfile.gettempdir()) / f"unhandled-{kind}-{options.seed}-{wrong}"
                    kept.write_bytes(content)
                    print(f"{kept}: {said}", file=sys.stderr)
            own = max(own, memory.own)
            readers.close()
            figures = [options.files, *(counts[one] for one in OUTCOMES)]
            figures += [f"{1000 * sorted(times)[len(times) // 2]:,.0f}", f"{max(times):,.1f}"]
            print("|", " | ".join(map(str, [kind, *figures, f"{memory.highest / 1e6:,.0f}"])), "|", flush=True)
    print(f"\nThis process, in the place of the server: {own / 1e6:,.0f} MB at most.")
    if options.sentences:
        for said, count in sentences.most_common():
            print(count, said)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
