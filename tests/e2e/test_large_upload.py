"""A large file goes through a real browser in pieces, and a broken one says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dlreg_core.ingest.formats.large_files import LARGE
from tests.e2e.test_journey import LONG, SOON

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HEADER = b"order,size,place,price\n"


def large_file(path: Path, last: bytes = b"") -> int:
    """Write a file that is read in pieces; return its rows."""
    lines = b"".join(b"%d,%d.5,place %d,%d\n" % (i, i % 97, i % 7, 3 * (i % 97)) for i in range(100_000))
    times = LARGE // len(lines) + 1
    with path.open("wb") as file:
        file.write(HEADER)
        for _ in range(times):
            file.write(lines)
        file.write(last)
    return 100_000 * times


def send(page: Page, path: Path) -> None:
    page.get_by_label("Large file").set_input_files(path)


def test_a_large_file_is_sent_and_profiled(page: Page, server: str, tmp_path: Path) -> None:
    rows = large_file(tmp_path / "large.csv")
    page.goto(server)
    expect(page.get_by_text("Send a file over 200 MB")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    send(page, tmp_path / "large.csv")
    heading = page.get_by_role("heading", name=f"large.csv: {rows:,} rows × 4 columns")
    expect(heading).to_be_visible(timeout=LONG)
    expect(page.get_by_role("heading", name="Columns", exact=True)).to_be_visible(timeout=LONG)


@pytest.mark.soak
def test_a_broken_file_says_what_is_wrong_and_another_can_follow(page: Page, server: str, tmp_path: Path) -> None:
    rows = large_file(tmp_path / "broken.csv", b"1,2\n")
    page.goto(server)
    send(page, tmp_path / "broken.csv")
    expect(page.get_by_text(f"Line {rows + 2:,} has 2 fields, but the first line has 4 fields.")).to_be_visible(
        timeout=LONG
    )
    (tmp_path / "small.csv").write_bytes(HEADER + b"".join(b"%d,%d,north,%d\n" % (i, i, i) for i in range(50)))
    send(page, tmp_path / "small.csv")
    expect(page.get_by_role("heading", name="small.csv: 50 rows × 4 columns")).to_be_visible(timeout=LONG)
