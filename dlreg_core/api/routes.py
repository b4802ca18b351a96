"""The routes under ``/api``, which the server adds to the app."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dlreg_core.training.catalogue import all_answers


def _networks(_request: Request) -> JSONResponse:
    return JSONResponse(all_answers())


def _network(request: Request) -> JSONResponse:
    key = request.path_params["key"]
    for answer in all_answers():
        if answer["key"] == key.upper():
            return JSONResponse(answer)
    return JSONResponse({"error": f"There is no network called {key}; /api/networks lists them."}, status_code=404)


ROUTES = (Route("/api/networks", _networks), Route("/api/networks/{key}", _network))
