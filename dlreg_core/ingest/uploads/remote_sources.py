"""Tables from places that the administrator allows: folders of the server, web addresses, buckets of S3."""

from __future__ import annotations

import posixpath
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from dlreg_core.arrow import fs
from dlreg_core.errors import TableError

_PIECE = 4 * 1024**2
_SECONDS = 30
_WEB = ("http", "https")


def place_pieces(place: str, allowed: Sequence[str]) -> Iterator[bytes]:
    """Yield the content of a file piece by piece.

    Parameters
    ----------
    place : str
        An absolute path on the server, or an address that begins with https://, http:// or s3://.
    allowed : sequence of str
        Folders and beginnings of addresses that may be read; those of S3 with options of pyarrow's S3 file system, such
        as ``?region=eu-west-1``. A path counts as what it leads to: a link out of a folder doesn't get there. So do the
        addresses that a web address redirects to.

    Raises
    ------
    TableError
        If the place isn't allowed, or can't be read.
    """
    place = place.strip()
    if not is_allowed(place, allowed):
        raise TableError(
            f"{_short(place)} isn't a place that the administrator allows.",
            f"Choose a file in one of these: {', '.join(allowed)}." if allowed else "Upload the file.",
        )
    try:
        with _opened(place, allowed) as file:
            while piece := file.read(_PIECE):
                yield piece
    except (OSError, ValueError, HTTPException) as exc:
        raise TableError(f"{_short(place)} can't be read.", "Check that it is there and may be read.") from exc


def place_name(place: str) -> str:
    """Return the name of the file at a place."""
    return posixpath.basename(unquote(urlsplit(place.strip()).path)) or "table"


def is_allowed(place: str, allowed: Sequence[str]) -> bool:
    """Tell whether a place lies within one of those that are allowed."""
    return any(_within(place, one) for one in allowed)


def _within(place: str, allowed: str) -> bool:
    inner, outer = urlsplit(place), urlsplit(allowed)
    if not inner.scheme and not outer.scheme:
        file = Path(place)
        return file.is_absolute() and file.resolve().is_relative_to(Path(allowed).resolve())
    if (inner.scheme.lower(), inner.netloc.lower()) != (outer.scheme.lower(), outer.netloc.lower()):
        return False
    # Whatever the server makes of them: dots and encoded signs must not lead out of what is allowed.
    path, start = posixpath.normpath(unquote(inner.path) or "/"), posixpath.normpath(unquote(outer.path) or "/")
    return path == start or path.startswith(start.rstrip("/") + "/")


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = allowed

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not is_allowed(newurl, self._allowed):
            raise urllib.error.URLError("it redirects to an address that isn't allowed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(place: str, allowed: Sequence[str]) -> IO[bytes]:
    scheme = urlsplit(place).scheme.lower()
    if scheme in _WEB:
        opener = urllib.request.build_opener(_Redirects(allowed))
        request = urllib.request.Request(place, headers={"User-Agent": "dlreg"})
        answer: IO[bytes] = opener.open(request, timeout=_SECONDS)
        return answer
    if scheme == "s3":
        # Region, endpoint and the like are the administrator's: what a person adds could name any server.
        options = next(urlsplit(one).query for one in allowed if _within(place, one))
        system, path = fs.FileSystem.from_uri(f"{place.partition('?')[0]}{'?' if options else ''}{options}")
        stream: IO[bytes] = system.open_input_stream(path)
        return stream
    return Path(place).resolve().open("rb")


def _short(place: str) -> str:
    return place if len(place) <= 100 else f"{place[:99]}…"
