"""What an administrator can set, by environment variables with the prefix ``DLREG_``."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dlreg_core.errors import InputError

AUTHORITY = re.compile(
    r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?)(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
"""A name of a server as an address bar shows it, with a port or without."""

_READ = ("DLREG_", "HOME", "XDG_DATA_HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA")
"""Beginnings of the environment variables that settings are read from, directly or for where a home is by default."""


class Settings(BaseSettings):
    """The administrator's settings; every field is an environment variable ``DLREG_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="DLREG_", frozen=True)

    home: Path = Field(default_factory=lambda: user_data_path("dlreg", appauthor=False))
    """Where everything is kept: data sets, runs and the index."""

    database: str = ""
    """SQLAlchemy URL of the index; empty means SQLite inside ``home``."""

    slots: int = Field(default=0, ge=0)
    """How many runs train on the processor at the same time; 0 means one for every two cores. A GPU always takes one
    run at a time."""

    max_upload_mb: int = Field(default=200, ge=1)
    """Largest file that the browser may upload in one piece, in megabytes; the server holds it in memory."""

    max_large_upload_mb: int = Field(default=5_000, ge=1)
    """Largest file that the browser may send in pieces, in megabytes; the server writes it to disk as it comes."""

    reader_memory_mb: int = Field(default=0, ge=0)
    """Memory that reading one file may take, in megabytes; 0 means a quarter of the machine's, from 1.5 to 4 GB."""

    stand_by: bool = True
    """Whether a process with everything loaded stands by while somebody prepares a run, so that training begins at
    once; it takes about 0.9 GB of memory meanwhile."""

    owner: str = "local"
    """Whom data sets and runs belong to while there is no sign-in."""

    silence_report_seconds: float = Field(default=60.0, gt=0)
    """A run without a sign of life for this long is reported."""

    silence_end_seconds: float = Field(default=300.0, gt=0)
    """A run without a sign of life for this long is ended."""

    keep_days: float = Field(default=0.0, ge=0)
    """Runs that ended longer ago than this are deleted, and so are data sets that no run uses and nobody has opened
    since; 0 keeps both until somebody deletes them."""

    weights_dir: Path | None = None
    """Where the weights of pre-trained networks are kept; empty means inside ``home``."""

    allow_downloads: Literal["yes", "no", "ask"] = "ask"
    """Whether those weights may be fetched from the internet; ``ask`` leaves it to whoever uses the app."""

    places: str = ""
    """Where tables may be read from besides uploads: folders of the server and beginnings of addresses (https://,
    s3://), separated by commas; empty for nowhere."""

    hosts: str = ""
    """Names that people open the app by besides those of this machine for itself, with the port where it isn't the
    usual one or the server's own, separated by commas."""

    @field_validator("home", "weights_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        # Workers start in other folders than the server: a relative home would mean another place there.
        return value.expanduser().resolve() if value is not None else None

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: str) -> str:
        for name in _listed(value):
            if not AUTHORITY.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no name of a server; write dlreg.example.org, or dlreg.example.org:8443 with a port"
                )
        return value

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Names that people open the app by, besides those of this machine for itself."""
        return _listed(self.hosts)

    @property
    def allowed_places(self) -> tuple[str, ...]:
        """Folders and beginnings of addresses that tables may be read from."""
        return _listed(self.places)

    @property
    def weights_folder(self) -> Path:
        """Where the weights of pre-trained networks are kept."""
        return self.weights_dir or self.home / "weights"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the index."""
        return self.database or f"sqlite:///{self.home / 'dlreg.db'}"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def load_settings() -> Settings:
    """Read the settings from the environment; one object as long as it doesn't change.

    Raises
    ------
    InputError
        If one of them has a value that it can't have.
    """
    said = tuple(sorted((name, value) for name, value in os.environ.items() if name.upper().startswith(_READ)))
    return _settings(said, Path.cwd())


@lru_cache(maxsize=16)
def _settings(said: tuple[tuple[str, str], ...], folder: Path) -> Settings:
    # Pages ask dozens of times for each click, and reading takes milliseconds. The folder counts for relative paths.
    del said, folder
    try:
        return Settings()
    except ValidationError as exc:
        wrong = exc.errors()[0]
        name = f"DLREG_{'_'.join(map(str, wrong['loc'])).upper()}"
        raise InputError(f"{name} can't be used: {wrong['msg'].removeprefix('Value error, ')}.") from exc
