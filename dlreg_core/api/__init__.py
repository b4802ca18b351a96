"""The HTTP API: the same core as the pages and the command line, for programs."""

from dlreg_core.api.routes import routes_below

__all__ = ["routes_below"]
