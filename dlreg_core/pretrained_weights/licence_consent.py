"""What somebody has agreed to: licences of weights, and that weights are fetched from the internet."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from filelock import FileLock
from pydantic import Field

from dlreg_core.networks import pretrained
from dlreg_core.runs import read_spec, write_spec
from dlreg_core.specs import Spec, VersionedSpec, now

_FILE = "consent.json"


class Acceptance(Spec):
    """That somebody accepted a licence."""

    licence: str
    who: str
    when: datetime


class Answer(Spec):
    """Whether weights may be fetched, as somebody answered once."""

    allowed: bool
    who: str
    when: datetime


class Consents(VersionedSpec):
    """The content of ``consent.json``."""

    licences: dict[str, Acceptance] = Field(default_factory=dict)
    downloads: Answer | None = None


def consents(home: Path) -> Consents:
    """Return what has been agreed to in a home.

    Raises
    ------
    NotFoundError
        If the file is there and can't be read.
    """
    path = home / _FILE
    return read_spec(path, Consents) if path.exists() else Consents()


def accepted(found: Consents, key: str) -> Acceptance | None:
    """Return the acceptance of a family's present licence; an older one under another name doesn't count."""
    acceptance = found.licences.get(key)
    return acceptance if acceptance is not None and acceptance.licence == pretrained(key).weights_licence else None


def accept_licence(home: Path, key: str, who: str) -> None:
    """Note that somebody accepts the licence of a family's weights."""
    chosen = pretrained(key)
    with _held(home):
        found = consents(home)
        acceptance = Acceptance(licence=chosen.weights_licence, who=who, when=now())
        write_spec(home / _FILE, found.model_copy(update={"licences": found.licences | {chosen.key: acceptance}}))


def answer_downloads(home: Path, who: str, *, allowed: bool) -> None:
    """Note whether weights may be fetched."""
    with _held(home):
        answer = Answer(allowed=allowed, who=who, when=now())
        write_spec(home / _FILE, consents(home).model_copy(update={"downloads": answer}))


def _held(home: Path) -> FileLock:
    home.mkdir(parents=True, exist_ok=True)
    return FileLock(home / f".{_FILE}.lock")
