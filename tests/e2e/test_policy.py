"""The content security policy in a real browser: what pages need is allowed; the fixture fails where one complains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from dlreg_core.charts.points import MOST_SVG_POINTS
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


def test_a_page_of_another_server_gets_no_frame_and_no_answer(page: Page, server: str) -> None:
    """It stands in a tab of its own, whose complaints are what is looked for."""
    elsewhere = page.context.browser
    assert elsewhere is not None
    tab = elsewhere.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.route("http://evil.example/", lambda route: route.fulfill(body=f"<iframe src='{server}'></iframe>"))
    tab.goto("http://evil.example/")
    tried = "address => new Promise(done => { const s = new WebSocket(address); s.onclose = e => done(e.code); })"
    assert tab.evaluate(tried, f"{server.replace('http', 'ws')}/_stcore/stream") == 1006
    tried = "address => fetch(address, {method: 'PUT', body: 'a,b'}).then(() => 'came in', () => 'refused')"
    assert tab.evaluate(tried, f"{server}/api/uploads/x") == "refused"
    assert any("frame-ancestors" in text for text in said)
    tab.close()
