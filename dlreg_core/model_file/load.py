"""Reading a model file: parse, then check, and only then load.

What is loaded at the end is pickled, and pickled objects run code. The hashes show that a file is as it was written,
not by whom: load model files only from people you trust.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path

from pydantic import BaseModel, ValidationError

from dlreg_core.errors import BundleError
from dlreg_core.model_file.manifest import FORMAT, FORMAT_VERSION, MANIFEST, Manifest, version_differences
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.runs import sha256

_MOST_BYTES = 8_000_000_000
_MOST_MEMBERS = 20_000


class _Format(BaseModel):
    """What every manifest says, of whatever version."""

    format: str
    format_version: int


def load_bundle(path: Path, folder: Path) -> tuple[Pipeline, Manifest]:
    """Unpack, check and load a model file.

    Parameters
    ----------
    path : Path
        The model file.
    folder : Path
        An empty folder to unpack into; it must outlive the pipeline.

    Raises
    ------
    BundleError
        If the file is no model file, is damaged, or was made by versions that differ; the message says what differs.
    """
    _unpack(path, folder)
    return checked_pipeline(folder)


def checked_pipeline(folder: Path) -> tuple[Pipeline, Manifest]:
    """Check an unpacked model file against its manifest, and load it. See `load_bundle`."""
    manifest = _read_manifest(folder)
    present = {str(f.relative_to(folder)): f for f in folder.rglob("*") if f.is_file()}
    present.pop(MANIFEST)
    for kind, names in (
        ("lacks", sorted(manifest.files.keys() - present.keys())),
        ("has the unknown member", sorted(present.keys() - manifest.files.keys())),
        ("has a changed", sorted(n for n, f in present.items() if manifest.files.get(n, "") != sha256(f))),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise BundleError(f"The model file {kind} {names[0]}{more}.", "Download it again from where it was made.")
    fatal, _ = version_differences(manifest.versions)
    if fatal:
        raise BundleError(
            f"The model file needs other versions: {'; '.join(fatal)}.",
            "Install what its requirements.txt names, or use its own predict.py in such an environment.",
        )
    return Pipeline(folder / "model"), manifest


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _audit(infos)
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as exc:
        # The last two: members that are encrypted, or packed in a way that Python doesn't know.
        raise BundleError(f"{path.name} is no readable model file.", "Choose a file that was exported here.") from exc


def _audit(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse members that would land elsewhere, are links, or unpack to more than any model."""
    if len(infos) > _MOST_MEMBERS or sum(info.file_size for info in infos) > _MOST_BYTES:
        raise BundleError("The model file unpacks to more than any model.", "Choose a file that was exported here.")
    for info in infos:
        outside = info.filename.startswith(("/", "\\")) or ".." in Path(info.filename).parts or ":" in info.filename
        if outside or stat.S_ISLNK(info.external_attr >> 16):
            raise BundleError(
                "The model file holds a member that would land outside its folder.",
                "Don't use it: it was not exported here.",
            )


def _read_manifest(folder: Path) -> Manifest:
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        # The format first: another version's manifest may have other fields.
        found = _Format.model_validate_json(text)
        if (found.format, found.format_version) != (FORMAT, FORMAT_VERSION):
            raise BundleError(
                f"The model file has the format {found.format} {found.format_version}, "
                f"and this program reads {FORMAT} {FORMAT_VERSION}.",
                "Use the program's version that made it.",
            )
        return Manifest.model_validate_json(text)
    except (OSError, UnicodeDecodeError, ValidationError) as exc:
        raise BundleError("The file has no readable manifest.", "Choose a file that was exported here.") from exc
