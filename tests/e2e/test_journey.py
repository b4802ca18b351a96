"""The whole way in a real browser: from an uploaded file to a model file that predicts in a fresh process.

Set DLREG_SCREENSHOTS to a folder to keep a picture of every page; README's are made in this way.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SAMPLE = ROOT / "assets" / "samples" / "concrete_strength.csv"
SOON, LONG = 30_000, 180_000

_MEASURED = """() => [...document.querySelectorAll('[data-testid=stDataFrameResizable]')]
  .every(table => !table.checkVisibility() || table.offsetWidth > 100)"""


def keep_picture(page: Page, name: str) -> None:
    """Keep a picture of the page where that is asked for."""
    folder = os.environ.get("DLREG_SCREENSHOTS")
    if folder:
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=SOON)
        page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')", timeout=SOON)
        # Those in a tab that isn't open stay hidden.
        for chart in page.locator(".js-plotly-plot").filter(visible=True).all():
            expect(chart.locator(".main-svg").first).to_be_visible(timeout=SOON)
        # A table is a narrow box until its columns have been measured.
        page.wait_for_function(_MEASURED, timeout=SOON)
        expect(page.get_by_test_id("stToast")).to_have_count(0, timeout=SOON)
        page.mouse.move(0, 0)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), animations="disabled")


def button(page: Page, name: str) -> None:
    """Click a button by its name."""
    page.get_by_role("button", name=name).first.click(timeout=SOON)


def title(page: Page, name: str, timeout: float = SOON) -> None:
    """Wait until a page is shown."""
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible(timeout=timeout)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def visit(page: Page, name: str) -> None:
    """Go to a page by the sidebar."""
    page.locator("[data-testid=stSidebarNav]").get_by_role("link", name=name).click()
    title(page, name)


def shorten_the_budget(page: Page) -> None:
    """Move the slider of the time to its shortest value with the keyboard."""
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "30 s", timeout=SOON)


def start_training(page: Page, server: str) -> None:
    """Upload the sample as a file and start a run on it."""
    page.goto(server)
    title(page, "Start with a table")
    keep_picture(page, "start")
    page.locator("input[type=file]").first.set_input_files(str(SAMPLE))
    expect(page.get_by_text("1,030 rows").first).to_be_visible(timeout=SOON)
    keep_picture(page, "data")
    button(page, "Continue: choose what to predict")
    title(page, "Prepare")
    expect(page.get_by_text("compressive_strength_mpa").first).to_be_visible(timeout=SOON)
    page.get_by_role("textbox", name="Unit").fill("MPa")
    page.keyboard.press("Enter")
    keep_picture(page, "prepare")
    button(page, "Continue: train")
    # The way on waits until it is measured whether a random split flatters.
    title(page, "Train", LONG)
    if not os.environ.get("DLREG_SCREENSHOTS"):
        shorten_the_budget(page)
    button(page, "Start training")
    expect(page.get_by_role("button", name="Cancel").first).to_be_visible(timeout=SOON)


@pytest.mark.timeout(600)
def test_from_upload_to_a_model_file_that_predicts(page: Page, server: str, tmp_path: Path) -> None:
    start_training(page, server)
    expect(page.get_by_text("Best so far").first).to_be_visible(timeout=LONG)
    if os.environ.get("DLREG_SCREENSHOTS"):
        # Later there is more to see.
        expect(page.get_by_text("Training TabM").first).to_be_visible(timeout=LONG)
    keep_picture(page, "train")
    # A reload in the middle loses nothing: the address holds the run.
    page.reload()
    title(page, "Train")
    expect(page.get_by_role("button", name="Cancel").first).to_be_visible(timeout=SOON)
    expect(
        page.get_by_text("rows it has never seen").or_(page.get_by_role("button", name="See the leaderboard")).first
    ).to_be_visible(timeout=LONG)
    visit(page, "Leaderboard")
    expect(page.get_by_text("MPa on average").first).to_be_visible(timeout=SOON)
    keep_picture(page, "leaderboard")
    visit(page, "Diagnostics")
    expect(page.locator(".js-plotly-plot").nth(3)).to_be_visible(timeout=SOON)
    keep_picture(page, "diagnostics")
    visit(page, "Explain")
    expect(page.get_by_text(re.compile("matters? most")).first).to_be_visible(timeout=SOON)
    keep_picture(page, "explain")
    visit(page, "Predict")
    expect(page.get_by_text("90 %").first).to_be_visible(timeout=LONG)
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=LONG)
    keep_picture(page, "predict")
    visit(page, "Runs")
    keep_picture(page, "runs")
    visit(page, "Export")
    with page.expect_download(timeout=LONG) as started:
        page.get_by_role("button", name="Download model").click(timeout=LONG)
    keep_picture(page, "export")
    check_model_file(Path(started.value.path()), tmp_path)


def check_model_file(path: Path, folder: Path) -> None:
    """Unpack the downloaded file and predict with it in a fresh process, without this program's own modules."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "model")
    out = folder / "out.csv"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, str(folder / "model" / "predict.py"), str(SAMPLE), str(out)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out)
    error = (table["prediction"] - table["compressive_strength_mpa"]).abs().mean()
    assert error < table["compressive_strength_mpa"].std() / 2


def test_a_cancelled_run_is_over_and_can_be_deleted(page: Page, server: str) -> None:
    start_training(page, server)
    page.get_by_role("button", name="Cancel").first.click()
    button(page, "Cancel this run")
    expect(page.get_by_text("cancelled").first).to_be_visible(timeout=SOON)
    visit(page, "Runs")
    # The runs, and the data sets that they learned from.
    expect(page.locator("[data-testid=stDataFrame]")).to_have_count(2, timeout=SOON)


@pytest.mark.soak
def test_a_run_is_finished_early_and_continued(page: Page, server: str) -> None:
    start_training(page, server)
    expect(page.get_by_text("Thin: the networks before it").first).to_be_visible(timeout=LONG)
    button(page, "Finish now, keep the best")
    expect(page.get_by_role("button", name="Finish now, keep the best")).to_be_disabled(timeout=SOON)
    expect(page.get_by_text("Finishing:").first).to_be_visible(timeout=SOON)
    expect(page.get_by_text("The networks are trained.")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("MPa on average").first).to_be_visible(timeout=SOON)
    visit(page, "Train")
    expect(page.get_by_text("It finished early, as asked.")).to_be_visible(timeout=SOON)
    button(page, "Continue for")
    button(page, "See the results so far")
    title(page, "Leaderboard")
    expect(page.get_by_text("More networks are being trained").first).to_be_visible(timeout=SOON)
    expect(page.get_by_text("MPa on average").first).to_be_visible(timeout=SOON)
    # What was said of the first part is gone before the second is waited for.
    expect(page.get_by_text("The networks are trained.")).to_have_count(0, timeout=SOON)
    visit(page, "Train")
    expect(page.get_by_text("The networks are trained.")).to_be_visible(timeout=LONG)
    title(page, "Leaderboard")


def test_what_is_no_table_gets_one_plain_sentence(page: Page, server: str, tmp_path: Path) -> None:
    page.goto(server)
    title(page, "Start with a table")
    wrong = tmp_path / "picture.csv"
    wrong.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    page.locator("input[type=file]").first.set_input_files(str(wrong))
    expect(page.locator("[data-testid=stAlert]").first).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_every_page_answers_on_a_deep_link(page: Page, server: str) -> None:
    for path, name in (
        ("data", "Start with a table"),
        ("prepare", "Prepare"),
        ("train", "Train"),
        ("leaderboard", "Leaderboard"),
        ("diagnostics", "Diagnostics"),
        ("explain", "Explain"),
        ("predict", "Predict"),
        ("export", "Export"),
        ("runs", "Runs"),
    ):
        page.goto(f"{server}/{path}")
        title(page, name)
        expect(page.get_by_text("Page not found")).to_have_count(0)
