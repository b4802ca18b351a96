"""How often the 95 % interval of an RMSE holds the true one, and how often a comparison of equals is called no luck.

usage: uv run python benchmarks/errors.py [--tables 1000] [--part all|rmse|versus]

RMSE: of errors of a known kind and of 60 to 1,000 test rows, the percentile bootstrap against what `bootstrap_rmse`
gives. Versus: two equally good models, whose errors are mostly those of the rows; the percentile bootstrap of
`compare`, and beside it the bootstrap-t of the logarithm of the ratio.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from dlreg_core.evaluation.bootstrap import bootstrap_rmse, percentiles, resampled_means
from dlreg_core.evaluation.model_comparison import compare

Floats = NDArray[np.float64]
TRUE = {"normal": 1.0, "t, 5 degrees": 5 / 3, "t, 3 degrees": 3.0, "lognormal": np.e * (np.e - 1)}
"""Variance of the errors of each kind."""
ROWS = (60, 200, 1000)


def errors(kind: str, rows: int, random: np.random.Generator) -> Floats:
    """Return errors of one kind with mean 0."""
    if kind == "lognormal":
        return random.lognormal(0, 1, rows) - np.exp(0.5)
    if kind == "normal":
        return random.standard_normal(rows)
    return random.standard_t(int(kind.split()[1]), rows)


def rmse_line(kind: str, rows: int, tables: int) -> str:
    """Return how often each interval holds the true RMSE, and how wide a typical one is in units of it."""
    true, held, widths = float(np.sqrt(TRUE[kind])), np.zeros((tables, 2), dtype=bool), np.zeros((tables, 2))
    for seed in range(tables):
        off = errors(kind, rows, np.random.default_rng([seed, rows]))
        means = resampled_means(off[:, None] ** 2, samples=1000, seed=seed)[:, 0]
        found = bootstrap_rmse(np.zeros(rows), off, seed=seed)
        for place, (low, high) in enumerate((np.sqrt(percentiles(means, 0.95)), (found.low, found.high))):
            held[seed, place], widths[seed, place] = low <= true <= high, (high - low) / true
    shares, typical = held.mean(axis=0), np.median(widths, axis=0)
    return f"| {kind} | {rows:,} | {shares[0]:.3f} | {shares[1]:.3f} | {typical[0]:.2f} | {typical[1]:.2f} |"


def log_ratio_t(first: Floats, second: Floats, seed: int) -> tuple[float, float]:
    """Return the bootstrap-t interval of 1 minus the root of the ratio of two means."""
    columns = np.column_stack([first, second, first**2, second**2, first * second])
    drawn, rows = resampled_means(columns, samples=1000, seed=seed), len(first)

    def error(means: Floats) -> Floats:
        a, b = means[..., 0], means[..., 1]
        spread = means[..., 2] / a**2 + means[..., 3] / b**2 - 2 * means[..., 4] / (a * b)
        return np.asarray(np.sqrt(np.maximum(spread, 0.0) / rows))

    seen = columns.mean(axis=0)
    own = float(np.log(seen[0] / seen[1]))
    apart = (np.log(drawn[:, 0] / drawn[:, 1]) - own) / np.maximum(error(drawn), 1e-9)
    low, high = percentiles(apart, 0.95)
    ends = own - float(error(seen)) * np.array([high, low])
    return float(1 - np.exp(ends[1] / 2)), float(1 - np.exp(ends[0] / 2))


def versus_line(kind: str, rows: int, tables: int) -> str:
    """Return how often equal models are told apart by their RMSE, and how often one with less error of its own."""
    said = np.zeros((tables, 4), dtype=bool)
    scale = 1 / np.sqrt(TRUE[kind])
    for seed in range(tables):
        random = np.random.default_rng([seed, rows])
        shared = scale * errors(kind, rows, random) + 0.4 * random.standard_normal(rows)
        one, other = random.standard_normal((2, rows))
        for place, better in enumerate((0.5, 0.2)):
            pair = shared + better * one, shared + 0.5 * other
            found = compare(np.zeros(rows), *pair, name="", seed=seed).rmse_interval
            low, high = log_ratio_t(pair[0] ** 2, pair[1] ** 2, seed)
            assert found is not None
            ends = ((found.low, found.high), (low, high))
            # Of equals either side would be false; of the better one only that it is better is right.
            said[seed, 2 * place : 2 * place + 2] = [a > 0 or (b < 0 and not place) for a, b in ends]
    shares = said.mean(axis=0)
    return f"| {kind} | {rows:,} | {shares[0]:.3f} | {shares[1]:.3f} | {shares[2]:.3f} | {shares[3]:.3f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--part", choices=("all", "rmse", "versus"), default="all")
    chosen = parser.parse_args()
    if chosen.part != "versus":
        print("| errors | rows | percentile holds | `bootstrap_rmse` holds | width, percentile | width |")
        print("|---|---|---|---|---|---|")
        for kind in TRUE:
            for rows in ROWS:
                print(rmse_line(kind, rows, chosen.tables), flush=True)
    if chosen.part != "rmse":
        print("\n| errors | rows | equals told apart | by bootstrap-t | power | by bootstrap-t |\n" + "|---" * 6 + "|")
        for kind in TRUE:
            for rows in ROWS:
                print(versus_line(kind, rows, chosen.tables), flush=True)


if __name__ == "__main__":
    main()
