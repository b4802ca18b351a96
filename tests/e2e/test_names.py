"""Names that are addresses, pictures and orders, in a real browser: they are shown, and they are text."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journey import SOON
from tests.e2e.test_preparing import prepare, upload

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NAMES = (
    "https://evil.example/a",
    "www.evil.example",
    "mail@evil.example",
    ":material/delete: :smile: :streamlit:",
    "![i](http://evil.example/i.png) <img src=x>",
    "price -> cost",
    "hidden\u202e\u200b",
)
LINK = "a[href*='evil'], img[src*='evil'], img[src='x']"


def test_names_are_text_on_pages(page: Page, server: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.normal(size=300).round(3) for name in NAMES})
    # Each name is told about: its column repeats that of another.
    for name in NAMES:
        table[f"{name} again"] = table[name]
    table["y"] = table[NAMES[0]] + rng.normal(size=300)
    path = tmp_path / "https:__www.evil.example :smile: \u202e.csv"
    table.to_csv(path, index=False)
    upload(page, server, path)
    told = page.get_by_test_id("stMain")
    expect(told).to_contain_text("https:__www", timeout=SOON)
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=SOON)
    page.get_by_text(re.compile(r"^\d+ more$")).first.click()
    for name in (*NAMES[:6], "hidden"):
        expect(told.get_by_text(_seen(name)).first).to_be_attached(timeout=SOON)
    assert page.locator(LINK).count() == 0
    assert page.get_by_role("img", name="delete icon").count() == 0
    assert page.get_by_alt_text("Streamlit logo").count() == 0
    assert "😄" not in told.inner_text() and "→ cost" not in told.inner_text()
    prepare(page)
    assert page.locator(LINK).count() == 0


def _seen(name: str) -> str:
    """Return a name as a page has it: broken where it would be taken for an address or a picture."""
    breaks = {"://": ":\u2060//", "www.": "www\u2060.", "@": "\u2060@", "->": "-\u2060>"}
    breaks |= {":material": ":\u2060material", ":smile": ":\u2060smile", ":streamlit": ":\u2060streamlit"}
    for plain, broken in breaks.items():
        name = name.replace(plain, broken)
    return name
