"""How long pages take to be quiet in a real browser, after a click and on their first opening.

usage: python -m benchmarks.pages URL RUN [DATASET ...]
A served app, one of its runs, and data sets whose Prepare page has not been opened since the server started. Quiet
means: the script has run, nothing on the page is waited for, and nothing has been drawn for a while, which doesn't
count. Tables are drawn on a canvas; the copy within it for screen readers, a fifth of a second later, is no drawing.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
REPEATS = 5
STILL_MS = 400
WAY = ("Data", "Prepare", "Train", "Leaderboard", "Diagnostics", "Explain", "Predict", "Export", "Runs")

# Watches from before the click on, so that no change is missed; the answer is the time of the last one.
_WATCH = """() => {
  const waiting = '[data-testid=stStatusWidget],[data-testid=stSkeleton],[data-testid=stSpinner]';
  const busy = () => document.querySelector(waiting)
    || document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'running';
  window.seen = {start: performance.now(), last: performance.now()};
  const seen = window.seen, mark = () => { seen.last = performance.now(); };
  const drawn = ({target}) => !(target.nodeType === 1 ? target : target.parentElement)?.closest('canvas');
  const observer = new MutationObserver(changes => { if (changes.some(drawn)) mark(); });
  observer.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
  const timer = setInterval(() => { if (busy()) mark(); }, 20);
  seen.stop = () => { observer.disconnect(); clearInterval(timer); return seen.last - seen.start; };
}"""
_QUIET = f"() => performance.now() - window.seen.last > {STILL_MS}"


def timed(page: Page, act: Callable[[], None], arrived: Callable[[], None]) -> float:
    """Return the seconds from an act until the page is quiet."""
    page.evaluate(_WATCH)
    act()
    arrived()
    page.wait_for_function(_QUIET, timeout=120_000)
    return float(page.evaluate("() => window.seen.stop()")) / 1000


def link(page: Page, name: str) -> Callable[[], None]:
    """Return the click that leads to a page."""
    return page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click


def headed(page: Page, name: str) -> Callable[[], None]:
    """Return what waits for the head of a page."""
    return page.get_by_role("heading", name=name, exact=True, level=1).wait_for


def opened(browser: Browser, address: str) -> Page:
    """Open an address in a fresh tab, and wait until it is quiet."""
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.goto(address)
    page.wait_for_selector("h1", timeout=60_000)
    page.evaluate(_WATCH)
    page.wait_for_function(_QUIET, timeout=120_000)
    return page


def warm(browser: Browser, url: str, run: str) -> dict[str, list[float]]:
    """Return the times of each page after a click in the sidebar, once everything was open once."""
    page = opened(browser, f"{url}/leaderboard?run={run}")
    times: dict[str, list[float]] = {name: [] for name in WAY}
    for turn in range(REPEATS + 1):
        for name in WAY:
            seconds = timed(page, link(page, name), headed(page, name))
            if turn:
                times[name].append(seconds)
    page.context.close()
    return times


def chosen(browser: Browser, url: str, run: str) -> list[float]:
    """Return the times of Diagnostics after another model was chosen."""
    page = opened(browser, f"{url}/diagnostics?run={run}")
    box, times = page.get_by_role("combobox", name="Model").first, []
    for turn in range(REPEATS + 1):
        box.click()
        options = page.get_by_role("option")
        options.first.wait_for()
        seconds = timed(page, options.nth(turn % 2).click, page.get_by_text("off by").first.wait_for)
        times.append(seconds)
    page.context.close()
    return times[1:]


def first_openings(browser: Browser, url: str, datasets: list[str]) -> list[float]:
    """Return the times of Prepare for data sets on which nobody has opened it before."""
    times = []
    for dataset in datasets:
        page = opened(browser, f"{url}/data?dataset={dataset}")
        times.append(timed(page, link(page, "Prepare"), headed(page, "Prepare")))
        page.context.close()
    return times


def main(url: str, run: str, *datasets: str) -> None:
    """Print a line a page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        if datasets:
            show("Prepare, first opening", first_openings(browser, url, list(datasets)))
        for name, times in warm(browser, url, run).items():
            show(name, times)
        show("Diagnostics, another model", chosen(browser, url, run))
        browser.close()


def show(name: str, times: list[float]) -> None:
    """Print the median and the range of some times."""
    print(f"{name:28} {statistics.median(times):6.2f} s   ({min(times):.2f} to {max(times):.2f})", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1].rstrip("/"), *sys.argv[2:])
