"""The route that takes large files piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from dlreg_core.errors import ConflictError, DlregError, NotFoundError
from dlreg_core.ingest.uploads import Uploads
from dlreg_core.jobs.reading import start_reading
from dlreg_core.settings import load_settings

if TYPE_CHECKING:
    from dlreg_core.ingest.uploads import Receiver

_PIECE = 4 * 1024**2


async def receive(request: Request) -> JSONResponse:
    """Take a file that is sent with a ticket, and start to read it."""
    ticket = request.path_params["ticket"]
    told = request.headers.get("content-length", "")
    size = int(told) if told.isdigit() else None
    try:
        receiver = Uploads(load_settings().home).receive(
            ticket, unquote(request.headers.get("x-file-name", "table")), size
        )
        with receiver:
            await _take(request, receiver)
            folder = receiver.finish(size)
        # Not before all of it is there: one that never comes whole holds no process.
        start_reading(folder)
    except ClientDisconnect:
        # Whoever has gone away gets no answer; nothing of the file is kept.
        return JSONResponse({}, status_code=400)
    except DlregError as exc:
        return JSONResponse({"message": exc.message, "hint": exc.hint}, status_code=_status(exc))
    except OSError:
        return JSONResponse(
            {"message": "The server could not keep the file.", "hint": "Its disk may be full."}, status_code=507
        )
    except MemoryError:
        return JSONResponse(
            {"message": "The server ran out of memory while it took the file.", "hint": "Send it again later."},
            status_code=507,
        )
    return JSONResponse({"ticket": ticket}, status_code=202)


async def _take(request: Request, receiver: Receiver) -> None:
    pieces: list[bytes] = []
    waiting = 0
    async for piece in request.stream():
        pieces.append(piece)
        waiting += len(piece)
        if waiting >= _PIECE:
            # Beside the event loop, which serves everybody else meanwhile.
            await run_in_threadpool(receiver.write, b"".join(pieces))
            pieces, waiting = [], 0
    await run_in_threadpool(receiver.write, b"".join(pieces))


def _status(exc: DlregError) -> int:
    if isinstance(exc, NotFoundError):
        return 404
    return 409 if isinstance(exc, ConflictError) else 413
