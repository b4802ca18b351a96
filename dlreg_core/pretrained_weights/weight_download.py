"""Fetching files from the hub: the only place of this program that asks another host, and only when it is called."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlreg_core.errors import FetchError
from dlreg_core.networks import Pretrained

_HUB = "https://huggingface.co"
_PATIENCE_SECONDS = 10.0

DownloadProgress = Callable[[str, int, int], None]
"""Told the file, the bytes that are there, and how many there will be (0 while that isn't known)."""


def download(chosen: Pretrained, target: Path, place: Path, progress: DownloadProgress | None = None) -> None:
    """Fetch all files of a family's weights.

    Parameters
    ----------
    chosen : Pretrained
        The family.
    target : Path
        An empty folder.
    place : Path
        Where the files belong, for the message when they can't be fetched.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    FetchError
        If a file could not be fetched; the message names it, and the hint where to put it instead.
    """
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
    except ImportError as exc:
        raise FetchError("huggingface-hub, which fetches weights, isn't installed.", _by_hand(chosen, place)) from exc
    from httpx import HTTPError, head

    endpoint = os.environ.get("HF_ENDPOINT") or _HUB
    # Its warnings are about trying again; what comes of it is told here.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    for file in chosen.files:
        bar = None if progress is None else _told(file, progress)
        try:
            # The hub's client tries again for half a minute where nobody answers.
            head(endpoint, timeout=_PATIENCE_SECONDS)
            hf_hub_download(chosen.repository, file, local_dir=target, endpoint=endpoint, tqdm_class=bar)
        except (GatedRepoError, RepositoryNotFoundError) as exc:
            raise FetchError(
                f"{file} of {chosen.title} is only handed out by {chosen.source} to people who are signed in there.",
                f"Ask for access there and set HF_TOKEN. {_by_hand(chosen, place)}",
            ) from exc
        # No connection, a proxy's refusal, a full disk: the cause is one click away.
        except (HfHubHTTPError, HTTPError, OSError) as exc:
            raise FetchError(
                f"{file} of {chosen.title} could not be fetched from {chosen.source}.", _by_hand(chosen, place)
            ) from exc


def _by_hand(chosen: Pretrained, place: Path) -> str:
    them = "it" if len(chosen.files) == 1 else "them"
    return f"Without a way there, download {' and '.join(chosen.files)} elsewhere and put {them} into {place}."


def _told(file: str, progress: DownloadProgress) -> type[Any]:
    """Return a progress bar that shows nothing, and tells."""
    from tqdm.std import tqdm

    class Told(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **(kwargs | {"file": io.StringIO(), "disable": False}))

        def update(self, n: float | None = 1) -> bool | None:
            changed: bool | None = super().update(n)
            progress(file, int(self.n), int(self.total or 0))
            return changed

    return Told
