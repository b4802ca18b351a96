"""How long a table takes from a file to its profile, and how much memory: against pandas and duckdb, in one run.

    uv run python benchmarks/ingest.py [--rows 10000000] [--repeats 3] [--small PATH]

Every measurement is a process of its own; memory is the highest sum of what it and its children had resident. The large
file goes through a real browser too: the time is from choosing the file until its profile is on the page, and the
transfer is the part of it until the server has the last byte.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import pyarrow as pa
from pyarrow import csv

ROOT = Path(__file__).resolve().parents[1]
FLIGHTS = ROOT.parent / "shared" / "data" / "nycflights13_flights.csv"
PORT = 8793

PANDAS = "import pandas, sys; pandas.read_csv(sys.argv[1])"
DUCKDB = """
import duckdb, sys
connection = duckdb.connect()
connection.execute("set enable_progress_bar = false")
connection.execute(f"copy (from read_csv('{sys.argv[1]}')) to '{sys.argv[2]}/duckdb.parquet' (format parquet)")
connection.execute(f"summarize from '{sys.argv[2]}/duckdb.parquet'").fetchall()
"""
OURS = """
import sys
from pathlib import Path
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
DatasetStore(Path(sys.argv[2]) / "home").add_large(Path(sys.argv[1]))
"""


def write_large(path: Path, rows: int) -> None:
    """Write a table of twelve columns: numbers, categories, a date, gaps, about 100 bytes a row."""
    random = np.random.default_rng(0)
    regions = np.array(["north", "south", "east", "west", "centre"])
    kinds = np.array([f"kind {i:03d}" for i in range(200)])
    with path.open("wb") as file:
        writer = None
        for start in range(0, rows, 500_000):
            n = min(500_000, rows - start)
            size, latitude = random.lognormal(4.5, 0.4, n).round(2), random.normal(50, 2, n).round(5)
            age = random.integers(0, 120, n)
            sold = np.datetime64("2015-01-01T00:00:00") + random.integers(0, 10 * 365 * 86400, n).astype("m8[s]")
            table = pa.table(
                {
                    "order": np.arange(start, start + n),
                    "size": size,
                    "age": age,
                    "latitude": latitude,
                    "longitude": random.normal(9, 3, n).round(5),
                    "distance": pa.array(random.exponential(3, n).round(3), mask=random.random(n) < 0.02),
                    "region": regions[random.integers(0, 5, n)],
                    "kind": kinds[random.integers(0, 200, n)],
                    "sold": pa.array(sold).cast(pa.timestamp("s")).cast(pa.string()),
                    "moisture": random.random(n).round(6),
                    "energy": random.normal(200, 40, n).round(3),
                    "price": (1000 * size - 300 * age + random.normal(0, 5000, n)).round(2),
                }
            )
            options = csv.WriteOptions(quoting_style="none")
            writer = writer or csv.CSVWriter(file, table.schema, write_options=options)
            writer.write_table(table)
        assert writer is not None
        writer.close()


@contextmanager
def watched(process: psutil.Process) -> Iterator[list[float]]:
    """Measure the highest memory, in MB, of a process and its children."""
    peak, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            try:
                family = [process, *process.children(recursive=True)]
                peak[0] = max(peak[0], sum(member.memory_info().rss for member in family) / 1024**2)
            except psutil.Error:
                continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def measured(code: str, path: Path) -> tuple[float, float]:
    """Return the seconds that a program takes with a file, and its memory in MB."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", code, str(path), folder], cwd=ROOT)
        with watched(psutil.Process(process.pid)) as peak:
            assert process.wait() == 0
        return time.perf_counter() - began, peak[0]


def through_the_browser(path: Path) -> tuple[float, float, float]:
    """Return the seconds until the profile is shown, those of the transfer, and the server's memory in MB."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, "-m", "dlreg_core.cli", "serve", "--port", str(PORT)]
        environment = {**os.environ, "DLREG_HOME": f"{folder}/home"}
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{PORT}"
            until(lambda: answers(f"{address}/_stcore/health"))
            with sync_playwright() as playwright, watched(psutil.Process(server.pid)) as peak:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.set_default_timeout(600_000)
                page.goto(address)
                page.get_by_text("Send a file over").wait_for()
                began = time.perf_counter()
                with page.expect_response(lambda response: "/api/uploads/" in response.url):
                    page.get_by_label("Large file").set_input_files(path)
                sent = time.perf_counter() - began
                page.get_by_role("heading", name=path.name).wait_for()
                page.get_by_role("heading", name="Columns", exact=True).wait_for()
                shown = time.perf_counter() - began
                browser.close()
            return shown, sent, peak[0]
        finally:
            server.terminate()
            server.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1):
            return True
    except OSError:
        return False


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the server doesn't answer"
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--small", type=Path, default=FLIGHTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.csv"
        write_large(large, options.rows)
        for path in (options.small, large):
            print(f"\n{path.name}: {path.stat().st_size / 1e6:,.0f} MB")
            print(f"{'':26}{'seconds':>9}{'MB':>9}")
            times: dict[str, list[tuple[float, float]]] = {}
            browsed = []
            for _ in range(options.repeats):
                for name, code in (("pandas.read_csv", PANDAS), ("duckdb", DUCKDB), ("dlreg, from disk", OURS)):
                    times.setdefault(name, []).append(measured(code, path))
                browsed.append(through_the_browser(path))
            for name, found in times.items():
                print(f"{name:26}{median(t for t, _ in found):>9.1f}{max(m for _, m in found):>9,.0f}")
            shown, sent = median(b[0] for b in browsed), median(b[1] for b in browsed)
            print(f"{'dlreg, browser':26}{shown:>9.1f}{max(b[2] for b in browsed):>9,.0f}")
            print(f"{'  of it the transfer':26}{sent:>9.1f}")
            ratios = [b[0] / (d[0] + b[1]) for b, d in zip(browsed, times["duckdb"], strict=True)]
            print(f"browser / (duckdb + transfer): {median(ratios):.2f}  ({', '.join(f'{r:.2f}' for r in ratios)})")


if __name__ == "__main__":
    main()
