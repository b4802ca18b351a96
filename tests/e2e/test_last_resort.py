"""What is shown where an error was foreseen by nobody: on a page, in a part of it, and after a click."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ROOT, wait_for
from tests.test_packaging import answers, free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

_APP = """
import streamlit as st
import app

app = st.App({script!r}, on_script_error=app.app._on_script_error)
"""
_SCRIPT = """
import streamlit as st
from dlreg_core.errors import PlanError

def fail():
    raise ValueError("by a click")

def refuse():
    raise PlanError("That is too long.", "Choose less.")

@st.fragment
def part():
    if st.button("Part"):
        raise RuntimeError("in a part")

st.title("A page")
st.button("Click", on_click=fail)
st.button("Known", on_click=refuse)
if st.button("Page"):
    with st.columns(2)[1]:
        raise KeyError("on the page")
part()
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve a page that fails when it is asked to, with the app's last resort and settings."""
    tmp_path = tmp_path_factory.mktemp("faulty")
    script, port = tmp_path / "script.py", free_port()
    script.write_text(_SCRIPT)
    (tmp_path / "faulty.py").write_text(_APP.format(script=str(script)))
    command = [sys.executable, "-m", "streamlit", "run", str(tmp_path / "faulty.py"), f"--server.port={port}"]
    environment = {**os.environ, "DLREG_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: answers(f"{url}/_stcore/health") or process.poll() is not None, 60)
            yield url, tmp_path / "log"
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_every_kind_of_failure_ends_in_one_form(tab: Page, faulty: tuple[str, Path]) -> None:
    url, log = faulty
    tab.goto(url)
    for name, reason in (("Click", "by a click"), ("Page", "on the page"), ("Part", "in a part")):
        tab.get_by_role("button", name=name, exact=True).click(timeout=30_000)
        alert = tab.get_by_test_id("stAlert")
        expect(alert).to_contain_text("Nothing is lost")
        number = alert.locator("strong").last.inner_text()
        # Nothing of Streamlit's own box, which leads to other hosts.
        expect(tab.get_by_test_id("stException")).to_have_count(0)
        expect(tab.get_by_text("ChatGPT")).to_have_count(0)
        told = log.read_text().split(f"Error {number} ", 1)[1]
        assert reason in told
        tab.get_by_role("button", name="Show the page again").click()
        expect(alert).to_have_count(0)
        expect(tab.get_by_role("heading", name="A page")).to_be_visible()


def test_an_error_of_the_core_keeps_its_words(tab: Page, faulty: tuple[str, Path]) -> None:
    tab.goto(faulty[0])
    tab.get_by_role("button", name="Known").click(timeout=30_000)
    expect(tab.get_by_test_id("stAlert")).to_contain_text("That is too long. Choose less.")
    tab.get_by_role("button", name="Show the page again").click()
    expect(tab.get_by_role("heading", name="A page")).to_be_visible()
