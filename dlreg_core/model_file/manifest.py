"""What a model file says of itself."""

from __future__ import annotations

import platform
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from pydantic import Field

from dlreg_core.cleaning import Schema
from dlreg_core.specs import DataHeld, LeaderboardRow, Name, RowCounts, Spec, Unit, now

FORMAT = "dlreg-model"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"

TIED = ("autogluon.tabular", "scikit-learn")
"""Packages whose stored objects only their own version reads with certainty."""


class Manifest(Spec):
    """The manifest of a model file.

    Attributes
    ----------
    inputs : Schema
        The raw columns that the model needs: types, ranges and levels.
    versions : dict
        Versions of Python and of the packages that made the file.
    metrics : LeaderboardRow
        The model's figures on the test rows, in the target's unit.
    held : DataHeld or None
        What the file holds of the rows that were learned from; None in files of earlier versions.
    files : dict
        SHA-256 of every other member, by name.
    """

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    name: Name
    target: str
    unit: Unit
    model: str
    family: str
    inputs: Schema
    versions: dict[str, str]
    metrics: LeaderboardRow
    rows: RowCounts
    dataset_sha256_prefix: str
    held: DataHeld | None = None
    tolerance: float = 1e-5
    created: datetime = Field(default_factory=now)
    files: dict[str, str] = Field(default_factory=dict)


def python_minor() -> str:
    """Return this interpreter's version without its last part, such as 3.11."""
    return ".".join(platform.python_version_tuple()[:2])


def version_differences(wanted: dict[str, str]) -> tuple[list[str], list[str]]:
    """Compare the versions of a model file with those that are installed.

    Returns
    -------
    fatal, harmless : list of str
        One phrase for each difference; with a fatal one the file can't be read with certainty.
    """
    fatal: list[str] = []
    harmless: list[str] = []
    for name, theirs in wanted.items():
        mine = python_minor() if name == "python" else _installed(name)
        if mine != theirs:
            phrase = f"{name} {theirs} was used, {mine or 'none'} is here"
            (fatal if name in ("python", *TIED) else harmless).append(phrase)
    return fatal, harmless


def _installed(name: str) -> str | None:
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return None
