"""A served app and a real browser, for all tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import ROOT, wait_for
from tests.test_packaging import answers, free_port
from tests.watching import Watch

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
NOT_THERE = "the server responded with a status of 404"
QUIET = ["--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the app from a home of its own; fails where it asks another machine."""
    folder = tmp_path_factory.mktemp("served")
    port = free_port()
    command = [sys.executable, "-m", "dlreg_core.cli", "serve", "--port", str(port)]
    watch = Watch(folder)
    environment = {**watch.environment, "DLREG_HOME": str(folder / "home")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: answers(f"{url}/_stcore/health") or process.poll() is not None, 60)
            assert process.poll() is None, (folder / "log").read_text()
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)
    # Neither the server nor what it started, such as training, asked another machine.
    assert watch.seen() == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium; without it the test is skipped, except in CI."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS + QUIET)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """Open a tab that fails the test when the page complains or asks another host."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    # What the content security policy forbids is said on the console alone. A deep link first asks for a file below the
    # page's own address, and gets a harmless 404.
    tab.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" and NOT_THERE not in said.text else None,
    )
    tab.on(
        "request",
        lambda r: complaints.append(r.url) if r.url.startswith("http") and not r.url.startswith(server) else None,
    )
    yield tab
    context.close()
    assert complaints == []
