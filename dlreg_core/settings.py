"""What an administrator can set, by environment variables with the prefix ``DLREG_``."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The administrator's settings; every field is an environment variable ``DLREG_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="DLREG_", frozen=True)

    home: Path = Field(default_factory=lambda: user_data_path("dlreg", appauthor=False))
    """Where everything is kept: data sets, runs and the index."""

    database: str = ""
    """SQLAlchemy URL of the index; empty means SQLite inside ``home``."""

    slots: int = Field(default=1, ge=1)
    """How many runs train at the same time."""

    max_upload_mb: int = Field(default=200, ge=1)
    """Largest file that the browser may upload, in megabytes."""

    owner: str = "local"
    """Whom data sets and runs belong to while there is no sign-in."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        # Workers start in other folders than the server: a relative home would mean another place there.
        return value.expanduser().resolve()

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the index."""
        return self.database or f"sqlite:///{self.home / 'dlreg.db'}"


def load_settings() -> Settings:
    """Read the settings from the environment."""
    return Settings()
