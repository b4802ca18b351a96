"""The routes under ``/api``, which the server adds to the app."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dlreg_core.api.uploads import receive
from dlreg_core.training.catalogue import all_answers


def _networks(_request: Request) -> JSONResponse:
    return JSONResponse(all_answers())


def _network(request: Request) -> JSONResponse:
    key = request.path_params["key"]
    for answer in all_answers():
        if answer["key"] == key.upper():
            return JSONResponse(answer)
    return JSONResponse({"error": f"There is no network called {key}; /api/networks lists them."}, status_code=404)


def routes_below(base: str = "") -> tuple[Route, ...]:
    """Return the routes, below the path that the app is served under."""
    root = f"/{base.strip('/')}" if base.strip("/") else ""
    return (
        Route(f"{root}/api/networks", _networks),
        Route(f"{root}/api/networks/{{key}}", _network),
        Route(f"{root}/api/uploads/{{ticket}}", receive, methods=["PUT"]),
    )
