"""The content security policy in a real browser: what pages need is allowed; the fixture fails where one complains."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from dlreg_core.charts.base.dot_density import MOST_SVG_POINTS
from tests.e2e.test_journey import LONG, SOON
from tests.e2e.test_preparing import prepare, upload

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_charts_tables_and_saved_figures_break_no_rule(page: Page, server: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    size = rng.uniform(20, 200, MOST_SVG_POINTS + 100)
    table = pd.DataFrame({"size": size, "age": rng.uniform(0, 90, len(size)), "price": 3 * size + rng.normal(0, 9)})
    table.to_csv(tmp_path / "houses.csv", index=False)
    upload(page, server, tmp_path / "houses.csv")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=SOON)
    prepare(page)
    # So many points are drawn by the graphics card, with programs that are made in the browser.
    page.get_by_text("How does price go with a column?").click()
    expect(page.locator(".js-plotly-plot .gl-canvas").first).to_be_visible(timeout=LONG)
    page.get_by_text("Figures and their data").click()
    with page.expect_download(timeout=LONG) as saved:
        page.get_by_role("button", name="PNG").click(timeout=SOON)
    assert saved.value.path().read_bytes()[:4] == b"\x89PNG"


class Elsewhere(BaseHTTPRequestHandler):
    """Another program on this machine; a browser keeps pages of the internet from it by itself."""

    framed = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<iframe src='{self.framed}'></iframe>".encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_page_of_another_server_gets_no_frame_and_no_answer(browser: Browser, server: str) -> None:
    Elsewhere.framed = server
    elsewhere = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    tab = browser.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(f"http://127.0.0.1:{elsewhere.server_port}")
    tried = "address => new Promise(done => { const s = new WebSocket(address); s.onclose = e => done(e.code); })"
    assert tab.evaluate(tried, f"{server.replace('http', 'ws')}/_stcore/stream") == 1006
    # A browser sends this without asking first.
    tried = "address => fetch(address, {method: 'POST', mode: 'no-cors', body: 'a,b'}).then(() => 'came', () => 'not')"
    assert tab.evaluate(tried, f"{server}/api/networks") == "not"
    tab.close()
    elsewhere.shutdown()
    elsewhere.server_close()
    assert any("frame-ancestors" in text for text in said), said
    assert any("WebSocket" in text and "Unexpected response code: 403" in text for text in said), said
    assert any("status of 403" in text or "NotSameOrigin" in text for text in said), said
