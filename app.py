"""The composition root: the browser app and the server's own work, in one process."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from dlreg_core.api import guards, routes_below, start_line  # noqa: E402 - the line above makes it importable
from dlreg_core.jobs import open_dispatcher  # noqa: E402
from dlreg_core.logs import keep_plain  # noqa: E402
from dlreg_core.runs import keep_private  # noqa: E402
from dlreg_core.scoring import open_scorer  # noqa: E402
from dlreg_core.settings import load_settings  # noqa: E402
from pages._ui.shared import error_display, late_requests  # noqa: E402


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """Look after runs while the server lives: start what waits, find what went on without it."""
    keep_private()
    dispatcher = open_dispatcher(load_settings())
    dispatcher.start()
    where = (st.get_option(f"server.{name}") for name in ("address", "port", "baseUrlPath"))
    print(start_line(*where), flush=True)
    try:
        yield None
    finally:
        dispatcher.stop()
        open_scorer().close()


keep_plain()
late_requests.ignore()
app = st.App(
    ROOT / "pages" / "_ui" / "router.py",
    routes=routes_below(st.get_option("server.baseUrlPath")),
    middleware=guards(Path(st.__file__).with_name("static") / "index.html"),
    lifespan=lifespan,
    on_script_error=error_display.unexpected,
)
