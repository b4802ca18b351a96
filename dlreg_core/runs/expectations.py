"""What is expected of a run before it starts, and what earlier runs measured for it.

These objects are all that the pages, the worker and the prediction process exchange about it; how the expectations
come about is the business of `dlreg_core.training`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from dlreg_core.specs import FamilySpeed, Spec

SPEEDS_FILE = "speeds.json"
"""Name of the file in a finished training task that keeps a `MeasuredSpeeds`."""


class ModelOutlook(Spec):
    """What is expected of one family of networks.

    ``memory_mb`` is what the whole worker holds at its peak while the family's smallest network is trained, and
    ``seconds_fewest`` the time of the shortest training that is worth it. ``epochs`` is how many the first training is
    expected to get, 0 where none is expected.
    """

    family: str
    title: str
    fits: bool
    reason: str = ""
    """Why it doesn't fit, as a sentence without its subject: "needs about 5.2 GB of memory, 3.1 GB are free"."""
    lacks: Literal["", "memory", "time"] = ""
    """What is missing. Memory rules the family out; time is only an expectation, which measuring may refute."""
    memory_mb: float
    largest_size: int = -1
    """The largest of the catalogue's sizes whose memory fits; -1 where not even the smallest does."""
    seconds_fewest: float
    epochs: int = 0
    close: bool = False
    """True where a machine that is somewhat quicker or slower than expected decides whether it fits into the time."""
    late: bool = False
    """True where its training will end after the time limit: it is the quickest, and there would be no network
    otherwise."""


class Outlook(Spec):
    """What is expected of a run: memory, disk, and what fits into its budget.

    ``rows`` and ``features`` are those that the networks learn from, after cleaning. ``memory_mb`` is the peak of the
    worker, ``disk_mb`` what the run's folder will take, ``seconds_startup`` what passes before the first network is
    measured, ``crowding`` how many times longer all takes because of what else the machine does now. Megabytes are 10^6
    bytes.
    """

    rows: int
    features: int
    memory_mb: float
    memory_free_mb: float
    disk_mb: float
    disk_free_mb: float
    models: tuple[ModelOutlook, ...]
    seconds_startup: float
    crowding: float = 1.0
    seconds_for_all: float | None = None
    """A budget with which every network that fits into the memory would have its time, on a somewhat slow machine too
    that does nothing else; None where this one is enough, or none that can be chosen is."""
    lacks: Literal["", "memory", "disk", "time"] = ""
    """For lack of what the run is refused."""
    refusal: str = ""
    """Why the run can't be carried out, in one sentence with both numbers; empty where it can."""
    hint: str = ""
    """What to change so that it can."""

    @property
    def counts(self) -> tuple[int, int]:
        """How many networks there will be: the fewest and the most, since the time is nearly enough for some.

        One that is trained however late is there in any case.
        """
        fewest = sum(model.fits and (model.late or not model.close) for model in self.models)
        most = sum(model.fits or model.close for model in self.models)
        # A run never ends with nothing: the quickest network is trained in any case.
        return min(max(1, fewest), most), most

    def model(self, family: str) -> ModelOutlook:
        """Return the outlook of `family`; ``KeyError`` if it wasn't asked for."""
        for model in self.models:
            if model.family == family:
                return model
        raise KeyError(family)


class MeasuredSpeeds(Spec):
    """How fast the families trained in one run: the content of ``speeds.json``.

    ``rows`` and ``features`` are those of the training rows as the networks get them.
    """

    # A later version may note more; what this one needs is enough.
    model_config = ConfigDict(frozen=True, extra="ignore")

    rows: int = Field(ge=1)
    features: int = Field(ge=1)
    device: Literal["cpu", "gpu"]
    families: dict[str, FamilySpeed]
    crowding: float = Field(default=1.0, ge=1.0, allow_inf_nan=False)
    """How many times longer everything took because of what else the machine did; 1 where that wasn't kept."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for speed in self.families.values():
            if not (0 <= speed.fixed < math.inf and 0 < speed.epoch < math.inf):
                raise ValueError("a training takes a finite time, and an epoch more than none")
        return self


def recent_speeds(home: Path, most: int = 20) -> tuple[MeasuredSpeeds, ...]:
    """Return what the newest training tasks of a home measured, the newest first.

    Files that can't be read are left out: they could only make an expectation better.

    Parameters
    ----------
    home : Path
        The home that holds the runs.
    most : int
        Look at this many files at most.
    """
    found: list[tuple[float, Path]] = []
    for path in home.glob(f"runs/*/tasks/*/{SPEEDS_FILE}"):
        try:
            found.append((path.stat().st_mtime, path))
        except OSError:
            # Its run may be deleted at this moment.
            continue
    records: list[MeasuredSpeeds] = []
    for _, path in sorted(found, reverse=True)[:most]:
        try:
            records.append(MeasuredSpeeds.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError):
            continue
    return tuple(records)
