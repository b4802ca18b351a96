"""How often the program claims what is not so, and how often it finds what is: every sentence that claims something.

usage: uv run python benchmarks/claims.py [KEY ...] [--tables 200] [--jobs 1] [--list]

For each claim, so many tables are made without the thing and as many with it, and the program's own functions say what
they say. Quick models or errors of a known size stand in for networks, so that thousands of tables take minutes. A
false alarm is the sentence on a table without the thing; at most 5 % of them may have one, beyond what the number of
tables leaves to luck. Power is the sentence on a table with it. The intervals are Clopper and Pearson's (1934), 95 %.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
    os.environ.setdefault(_threads, "1")

from claimed import CLAIMS, measure  # noqa: E402 - libraries read the number of threads when they are loaded
from scipy.stats import binomtest  # noqa: E402

MOST_FALSE = 0.05


def share(count: int, tables: int) -> str:
    """Return a share with its interval: "2.5 % (0.8–5.7)"."""
    interval = binomtest(count, tables).proportion_ci()
    return f"{100 * count / tables:.1f} % ({100 * interval.low:.1f}–{100 * interval.high:.1f})"


def too_often(false: int, tables: int) -> bool:
    """Return True where so many false alarms can't be luck of a claim that is false in 5 % of the tables."""
    return bool(binomtest(false, tables, MOST_FALSE, alternative="greater").pvalue < 0.05)


def main() -> int:
    """Print the table; 1 where a claim is false too often."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("keys", nargs="*", metavar="KEY", help="which claims; all of them if left out")
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="print the keys and the claims, and stop")
    chosen = parser.parse_args()
    if chosen.list:
        print("\n".join(f"{key}: {claim.name}" for key, claim in CLAIMS.items()))
        return 0
    keys, tables = chosen.keys or list(CLAIMS), chosen.tables
    print("| claim | without it | false alarms | with it | power | seconds |\n|---|---|---|---|---|---|")
    bad = []
    # Each process asks for another claim; tables of one claim aren't divided, so that a seed is always the same table.
    with ProcessPoolExecutor(chosen.jobs) as pool:
        found = {key: pool.submit(_timed, key, tables) for key in keys}
        for key in keys:
            (false, true), seconds = found[key].result()
            claim, mark = CLAIMS[key], ""
            if too_often(false, tables):
                bad.append(key)
                mark = " **too often**"
            cells = (claim.name, claim.without_words, share(false, tables) + mark, claim.with_words)
            print(f"| {' | '.join(cells)} | {share(true, tables)} | {seconds:.0f} |", flush=True)
    print(f"\n{tables} tables each. Above 5 %: {', '.join(bad) or 'none'}.")
    return 1 if bad else 0


def _timed(key: str, tables: int) -> tuple[tuple[int, int], float]:
    start = time.perf_counter()
    found = measure(key, tables)
    return found, time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
