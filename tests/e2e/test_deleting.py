"""A data set is deleted as a person would do it: selected in the list, asked about once, and gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, Position, expect

from tests.e2e.test_journey import SOON, visit
from tests.e2e.test_preparing import upload

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(180)]

FIRST_ROW: Position = {"x": 18, "y": 52}
"""The box of the first row, below the head of the table."""


def test_a_data_set_is_deleted_from_the_list(page: Page, server: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("stays.csv", "goes.csv"):
        pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", name[0]]).to_csv(tmp_path / name, index=False)
        upload(page, server, tmp_path / name)
        expect(page.get_by_text("60 rows").first).to_be_visible(timeout=SOON)
    visit(page, "Runs")
    # The one that was opened last stands first.
    page.get_by_test_id("stDataFrame").first.click(position=FIRST_ROW)
    page.get_by_role("button", name="Delete", exact=True).click(timeout=SOON)
    expect(page.get_by_text("This can't be taken back.")).to_be_visible(timeout=SOON)
    expect(page.get_by_test_id("stPopoverBody").get_by_text("goes.csv")).to_be_visible()
    page.get_by_role("button", name="Delete data set").click()
    expect(page.get_by_text("Deleted goes.csv.")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Select a data set to open or delete it.")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("1 data set takes")).to_be_visible(timeout=SOON)
    # The copy of the table for screen readers.
    list_ = page.get_by_test_id("stDataFrame").first
    expect(list_).to_contain_text("stays.csv", timeout=SOON)
    expect(list_).not_to_contain_text("goes.csv")
