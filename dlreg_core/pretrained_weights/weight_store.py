"""The weights of the pre-trained networks: what is on the disk, what may be fetched, and under which licence.

Each family has a folder of its own, with its files under the names that they have on the hub, and `weights.json` with
their checksums. Files that somebody put there by hand count as well.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from filelock import FileLock

from dlreg_core.errors import ConflictError, FetchError, NotFoundError
from dlreg_core.networks import Pretrained, pretrained
from dlreg_core.pretrained_weights import licence_consent, weight_download
from dlreg_core.runs import read_spec, sha256, write_spec
from dlreg_core.settings import Settings, load_settings
from dlreg_core.specs import Spec, VersionedSpec, now

_NOTE = "weights.json"
Downloads = Literal["yes", "no", "ask"]


class WeightStatus(StrEnum):
    """How it stands with a family's weights."""

    ON_DISK = "on disk"
    ABSENT = "not fetched yet"
    NO_DOWNLOADS = "downloads not allowed"
    NO_LICENCE = "licence not accepted"
    NO_PACKAGE = "not installed"
    DAMAGED = "damaged"


class KeptFile(Spec):
    """A file of weights as it was when it came."""

    sha256: str
    size: int


class WeightManifest(VersionedSpec):
    """The content of ``weights.json``: what came from where, and when."""

    source: str
    when: datetime
    files: dict[str, KeptFile]


@dataclass(frozen=True)
class WeightState:
    """How it stands with a family's weights.

    Attributes
    ----------
    key : str
        The family.
    status : WeightStatus
        The first thing that is in the way, if any.
    words : str
        The same as a part of a sentence, with what can be done about it.
    folder : Path
        Where its files are or belong.
    sha256 : dict of str to str
        Checksums by file, as far as they were noted.
    """

    key: str
    status: WeightStatus
    words: str
    folder: Path
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """True where a training may use it: its weights are here, or may be fetched."""
        return self.status in (WeightStatus.ON_DISK, WeightStatus.ABSENT)


class Weights:
    """The weights of one home.

    Parameters
    ----------
    home : Path
        Where it is kept what somebody has agreed to.
    folder : Path
        Where the weights are.
    downloads : {"yes", "no", "ask"}
        What the administrator says about fetching weights; ``ask`` leaves it to people.
    """

    def __init__(self, home: Path, folder: Path, downloads: Downloads = "ask") -> None:
        self.home = home
        self.folder = folder
        self._downloads: Downloads = downloads

    def folder_of(self, key: str) -> Path:
        """Return where the files of a family are or belong."""
        return self.folder / pretrained(key).key

    @property
    def downloads(self) -> Downloads:
        """Whether weights may be fetched; ``ask`` while nobody has answered."""
        answer = licence_consent.consents(self.home).downloads
        if self._downloads != "ask" or answer is None:
            return self._downloads
        return "yes" if answer.allowed else "no"

    @property
    def asks(self) -> bool:
        """True where people may answer whether weights are fetched; False where the administrator has."""
        return self._downloads == "ask"

    def allow_downloads(self, who: str, *, allowed: bool = True) -> None:
        """Keep somebody's answer to whether weights may be fetched.

        Raises
        ------
        ConflictError
            If the administrator has settled it.
        """
        if not self.asks:
            word = "allowed" if self._downloads == "yes" else "forbidden"
            raise ConflictError(f"Downloads are {word} by the setting DLREG_ALLOW_DOWNLOADS.")
        licence_consent.answer_downloads(self.home, who, allowed=allowed)

    def accept_licence(self, key: str, who: str) -> None:
        """Keep that somebody accepts the licence of a family's weights.

        Raises
        ------
        ConflictError
            If that licence asks nobody.
        """
        chosen = pretrained(key)
        if not chosen.asks_consent:
            raise ConflictError(f"{chosen.title} is free to use under {chosen.weights_licence}: there is no need.")
        licence_consent.accept_licence(self.home, chosen.key, who)

    def accepted(self, key: str) -> licence_consent.Acceptance | None:
        """Return who accepted the licence of a family's weights, and when."""
        return licence_consent.accepted(licence_consent.consents(self.home), pretrained(key).key)

    def state(self, key: str) -> WeightState:
        """Return how it stands with a family's weights; nothing is loaded and nobody is asked."""
        chosen = pretrained(key)
        status, words = self._standing(chosen)
        note = self._note(chosen)
        checksums = {name: kept.sha256 for name, kept in note.files.items()} if note is not None else {}
        return WeightState(chosen.key, status, words, self.folder_of(key), checksums)

    def fetch(self, key: str, progress: weight_download.DownloadProgress | None = None) -> Path:
        """Fetch the weights of a family, unless they are there, and return their folder.

        Files that were put there by hand are taken as they are, and their checksums noted.

        Parameters
        ----------
        key : str
            The family.
        progress : callable, optional
            Told how far it is.

        Raises
        ------
        ConflictError
            If their licence wasn't accepted, or the answer to whether weights may be fetched was no.
        FetchError
            If a file could not be fetched, or has changed since it came.
        """
        chosen, place = pretrained(key), self.folder_of(key)
        if chosen.asks_consent and self.accepted(key) is None:
            raise ConflictError(
                f"Nobody has accepted the licence of {chosen.title}, {chosen.weights_licence}.",
                f"Read it at {chosen.licence_place}, then accept it on Train or with "
                f"dlreg models --accept-licence {chosen.key}.",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / f".{chosen.key}.lock"):
            if self._complete(chosen):
                return self._checked(chosen)
            if self.downloads == "no":
                raise ConflictError(
                    f"Weights may not be fetched here, so {chosen.title} can't be used.",
                    f"Put {' and '.join(chosen.files)} of {chosen.source} into {place}.",
                )
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=f".{chosen.key}-") as temporary:
                fetched = Path(temporary)
                weight_download.download(chosen, fetched, place, progress)
                _write_note(chosen, fetched)
                # What the hub's client keeps for itself stays behind.
                place.mkdir(exist_ok=True)
                for name in (*chosen.files, _NOTE):
                    shutil.move(fetched / name, place / name)
        return place

    def _standing(self, chosen: Pretrained) -> tuple[WeightStatus, str]:
        place = self.folder_of(chosen.key)
        if any(find_spec(name) is None for name in chosen.packages):
            return WeightStatus.NO_PACKAGE, f"not installed: {chosen.install}"
        if chosen.asks_consent and self.accepted(chosen.key) is None:
            return WeightStatus.NO_LICENCE, f"its licence isn't accepted: {chosen.weights_licence}"
        if not self._complete(chosen):
            return self._absent(place)
        if self._changed(chosen):
            return WeightStatus.DAMAGED, f"its files have changed since they came: delete {place}"
        return WeightStatus.ON_DISK, "on the disk"

    def _absent(self, place: Path) -> tuple[WeightStatus, str]:
        match self.downloads:
            case "yes":
                return WeightStatus.ABSENT, "fetched when it is first trained"
            case "no":
                return WeightStatus.NO_DOWNLOADS, f"downloads aren't allowed: put its files into {place}"
            case _:
                return WeightStatus.NO_DOWNLOADS, "nobody has allowed downloads yet"

    def _complete(self, chosen: Pretrained) -> bool:
        place = self.folder_of(chosen.key)
        return all((place / name).is_file() for name in chosen.files)

    def _note(self, chosen: Pretrained) -> WeightManifest | None:
        try:
            return read_spec(self.folder_of(chosen.key) / _NOTE, WeightManifest)
        except NotFoundError:
            return None

    def _changed(self, chosen: Pretrained) -> bool:
        """Tell by their sizes whether files differ from what was noted: hashing them would take a second each time."""
        note, place = self._note(chosen), self.folder_of(chosen.key)
        return note is not None and any(
            name not in note.files or note.files[name].size != (place / name).stat().st_size for name in chosen.files
        )

    def _checked(self, chosen: Pretrained) -> Path:
        """Return the folder of weights that are there, after comparing their checksums or noting them."""
        place, note = self.folder_of(chosen.key), self._note(chosen)
        if note is None:
            _write_note(chosen, place)
        elif any(name not in note.files or note.files[name].sha256 != sha256(place / name) for name in chosen.files):
            raise FetchError(f"The weights of {chosen.title} have changed since they came.", f"Delete {place}.")
        return place


def open_weights(settings: Settings | None = None) -> Weights:
    """Return the weights that the settings name."""
    settings = settings or load_settings()
    return Weights(settings.home, settings.weights_folder, settings.allow_downloads)


def _write_note(chosen: Pretrained, folder: Path) -> None:
    files = {name: KeptFile(sha256=sha256(folder / name), size=(folder / name).stat().st_size) for name in chosen.files}
    write_spec(folder / _NOTE, WeightManifest(source=chosen.source, when=now(), files=files))
