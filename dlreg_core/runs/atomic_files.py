"""Writing files so that a reader never sees half of one, and telling whether one is as it was."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dlreg_core.errors import NotFoundError

SpecT = TypeVar("SpecT", bound=BaseModel)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one step: the file is either as it was or complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_new(path: Path, text: str) -> bool:
    """Write `text` to `path` in one step, unless it exists; False if it does. True for exactly one caller."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # A link, unlike a rename, fails where there is a file already.
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        Path(temporary).unlink(missing_ok=True)
    return True


def write_spec(path: Path, spec: BaseModel) -> None:
    """Write `spec` as JSON, in one step."""
    write_text(path, spec.model_dump_json(indent=1) + "\n")


def read_spec(path: Path, kind: type[SpecT]) -> SpecT:
    """Read a spec that `write_spec` wrote.

    Raises
    ------
    NotFoundError
        If the file is not there, or was written by a version whose format this one doesn't know.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError as exc:
        raise NotFoundError(f"{path.parent.name}/{path.name} is not there.") from exc
    except ValidationError as exc:
        raise NotFoundError(
            f"{path.parent.name}/{path.name} can't be read: it is damaged or was written by another version of dlreg."
        ) from exc


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
