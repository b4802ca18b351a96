"""The routes under ``/api``, which the server adds to the app."""

from __future__ import annotations

from importlib.resources import as_file, files

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

from dlreg_core.api.upload_route import receive
from dlreg_core.networks import all_answers


def _networks(_request: Request) -> JSONResponse:
    return JSONResponse(all_answers())


def _network(request: Request) -> JSONResponse:
    key = request.path_params["key"]
    for answer in all_answers():
        if answer["key"] == key.upper():
            return JSONResponse(answer)
    return JSONResponse({"error": f"There is no network called {key}; /api/networks lists them."}, status_code=404)


def _drawing(_request: Request) -> FileResponse:
    """Send the library that draws figures, which pages load only to save one as a file."""
    with as_file(files("plotly") / "package_data" / "plotly.min.js") as path:
        return FileResponse(path, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


def routes_below(base: str = "") -> tuple[Route, ...]:
    """Return the routes, below the path that the app is served under."""
    root = f"/{base.strip('/')}" if base.strip("/") else ""
    return (
        Route(f"{root}/api/drawing.js", _drawing),
        Route(f"{root}/api/networks", _networks),
        Route(f"{root}/api/networks/{{key}}", _network),
        Route(f"{root}/api/uploads/{{ticket}}", receive, methods=["PUT"]),
    )
