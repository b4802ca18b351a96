"""Which model files a home has made: it knows them again by their hashes, wherever they were copied to.

``HOME/exported.sha256`` has a line a file, in which nothing but the hash stands: it stays when the run is deleted.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from dlreg_core.errors import NotFoundError
from dlreg_core.runs.atomic_files import read_spec
from dlreg_core.specs import Exported

_NOTES = "exported.sha256"


def note_made(home: Path, digest: str) -> None:
    """Remember that a model file with this SHA-256, in hexadecimal, was made here."""
    # Where nothing can be noted the file is a stranger's later on, which is said and harms nothing.
    with suppress(OSError), (home / _NOTES).open("a", encoding="ascii") as notes:
        notes.write(f"{digest}\n")


def was_made(home: Path, digest: str) -> bool:
    """Tell whether this home has made the model file with this SHA-256."""
    try:
        with (home / _NOTES).open(encoding="ascii", errors="replace") as notes:
            if any(line.strip() == digest for line in notes):
                return True
    except OSError:
        pass
    # Earlier versions noted only the files that the app keeps for downloads.
    return any(_digest(note) == digest for note in (home / "cache" / "exports").glob("*.json"))


def _digest(note: Path) -> str:
    try:
        return read_spec(note, Exported).sha256
    except (NotFoundError, OSError):
        return ""
