"""Data and Prepare in a real browser: what their tests without one can't click."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.test_journey import LONG, SOON, button, title

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def upload(page: Page, server: str, path: Path) -> None:
    """Upload a file on Data."""
    page.goto(server)
    title(page, "Start with a table")
    page.locator("input[type=file]").first.set_input_files(str(path))
    title(page, "Data")


def prepare(page: Page) -> None:
    """Go on to Prepare."""
    button(page, "Continue: choose what to predict")
    title(page, "Prepare")
    # It comes last: until then the page grows, and what is clicked by its place moves away.
    expect(page.get_by_role("button", name="Continue: train")).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stStatusWidget")).to_be_hidden(timeout=LONG)


def rides(rows: int = 240) -> pd.DataFrame:
    """Return rides with a date, two units, and a fare that drifts."""
    rng = np.random.default_rng(0)
    way = rng.uniform(0.1, 9, rows).round(2).tolist()
    return pd.DataFrame(
        {
            "place": rng.choice(["north", "south", "west"], rows),
            "way": [f"{km} km" if row % 3 else f"{round(km * 1000)} m" for row, km in enumerate(way)],
            "day": pd.date_range("2024-01-01", periods=rows).strftime("%Y-%m-%d"),
            "fare": (np.array(way) + rng.normal(0, 1, rows).cumsum()).round(2),
        }
    )


def grid(page: Page, place: int = 0) -> Locator:
    """Return the words of a table, which are drawn, and stand in the page for screen readers."""
    return page.get_by_test_id("stDataFrame").nth(place).locator("table[role=grid]")


def test_a_file_is_read_differently_with_a_live_preview(page: Page, server: str, tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text("when;value\n" + "".join(f"{day:02d}/0{day % 9 + 1}/2024;{day},5\n" for day in range(1, 13)))
    upload(page, server, file)
    page.get_by_text("Read it differently").click()
    expect(page.get_by_text("This is how it is read now.")).to_be_visible(timeout=SOON)
    expect(grid(page)).to_contain_text("when", timeout=SOON)
    page.get_by_text("Has a header").click()
    # The preview changes at once, the table itself not yet.
    expect(grid(page)).to_contain_text("column_1", timeout=SOON)
    expect(page.get_by_text("12 rows × 2 columns").first).to_be_visible()
    button(page, "Read it this way")
    expect(page.get_by_text("13 rows × 2 columns").first).to_be_visible(timeout=SOON)


def test_cells_are_pasted_from_a_spreadsheet(page: Page, server: str) -> None:
    page.goto(server)
    title(page, "Start with a table")
    button(page, "Paste from a spreadsheet")
    cells = "size\tprice\n" + "\n".join(f"{size}\t{2 * size + 1}" for size in range(30, 60))
    box = page.get_by_role("textbox", name="Cells, with the names")
    box.fill(cells)
    # What was typed is handed over when the box is left.
    box.blur()
    button(page, "Use these cells")
    expect(page.get_by_text("pasted table: 30 rows × 2 columns")).to_be_visible(timeout=SOON)


@pytest.mark.soak
def test_units_are_converted_with_one_click(page: Page, server: str, tmp_path: Path) -> None:
    file = tmp_path / "rides.csv"
    rides().to_csv(file, index=False)
    upload(page, server, file)
    prepare(page)
    expect(grid(page)).to_contain_text("so the column is read as text", timeout=SOON)
    page.get_by_text("Convert way into km, as numbers").click()
    expect(grid(page)).to_contain_text("Converted into km.", timeout=SOON)
    # A reload loses nothing.
    page.reload()
    expect(page.get_by_role("checkbox", name="Convert way into km, as numbers")).to_be_checked(timeout=SOON)


@pytest.mark.soak
def test_a_column_is_made_ordinal_in_the_table(page: Page, server: str, tmp_path: Path) -> None:
    file = tmp_path / "more rides.csv"
    rides(250).to_csv(file, index=False)
    upload(page, server, file)
    prepare(page)
    expect(grid(page)).to_contain_text("category", timeout=SOON)
    choose_type(page, column="place", word="ordinal")
    expect(page.get_by_text("place: north < south < west")).to_be_visible(timeout=SOON)
    expect(grid(page)).to_contain_text("ordinal", timeout=SOON)


def choose_type(page: Page, *, column: str, word: str) -> None:
    """Choose a type in the table of columns, with the mouse and the keyboard."""
    table = page.get_by_test_id("stDataFrame").first
    cells = grid(page).locator("tbody tr").filter(has_text=column).locator("td")
    row = int(cells.first.get_attribute("id").split("-")[-1])  # type: ignore[union-attr]
    # The chart above is drawn last of all, and moves what stands below it.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=SOON)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=SOON)
    box = table.bounding_box()
    assert box is not None
    height = box["height"] / (grid(page).locator("tbody tr").count() + 1)
    # By the table, not by the page: it is scrolled into view, and clicked once it stands still.
    table.dblclick(position={"x": 220, "y": height * (row + 1.5)}, timeout=SOON)
    # What is typed before the list is open goes nowhere.
    expect(page.locator("#portal input").last).to_be_focused(timeout=SOON)
    page.keyboard.type(word)
    page.keyboard.press("Enter")


def test_what_a_random_split_would_hide_is_asked(page: Page, server: str, tmp_path: Path) -> None:
    file = tmp_path / "rides again.csv"
    rides(260).to_csv(file, index=False)
    upload(page, server, file)
    prepare(page)
    # Measured beside the page, which shows it by itself.
    page.get_by_text("What was measured of each column").click(timeout=LONG)
    expect(page.get_by_text("fewer than 10 values").first).to_be_visible(timeout=SOON)
