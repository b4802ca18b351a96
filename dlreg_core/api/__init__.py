"""The HTTP API, and the door of the server that it shares with the pages."""

from dlreg_core.api.middleware import guards, start_line
from dlreg_core.api.routes import routes_below

__all__ = ["guards", "routes_below", "start_line"]
