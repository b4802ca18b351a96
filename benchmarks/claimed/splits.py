"""Claims about splits and what comes of them: what a random one hides, what only test rows have, what drifts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from claimed.registry import Claim, register
from dlreg_core.checks.findings import findings
from dlreg_core.checks.interaction_candidates import promising_combinations
from dlreg_core.checks.recommended_split import split_advice
from dlreg_core.evaluation.errors_by_period import over_time
from dlreg_core.evaluation.unseen_values import unseen
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.recipe.draft import Draft, measured_recipe
from dlreg_core.specs import ROW_ORDER, ColumnType, Dataset, ErrorsOverTime, Recipe, UnseenValues
from dlreg_core.splitting import prepare_table
from dlreg_core.wording.later_rows_text import over_time_words

Random = np.random.Generator
Read = tuple[Dataset, pd.DataFrame]

ROWS = (150, 400, 1000)


@dataclass(frozen=True)
class Rows:
    """A table, and the column by which its rows depend on each other; empty where they don't."""

    table: pd.DataFrame
    by: str = ""


def read(table: pd.DataFrame) -> Read:
    return read_dataset(table.to_csv(index=False).encode(), "t.csv")


# --- what a random split hides ----------------------------------------------------------------------------------------


def walk(random: Random, steps: int) -> np.ndarray:
    """Return a random walk of a standard deviation of 1.5: unlike a trend, it tells nothing of what comes later."""
    levels = np.cumsum(random.standard_normal(steps))
    return 1.5 * (levels - levels.mean()) / levels.std()


def rows_of(random: Random, by: str) -> Rows:
    """Return rows with columns of every kind that could make them depend on each other; by one of them they do."""
    count = int(random.choice(ROWS))
    table = pd.DataFrame(random.random((count, 3)), columns=["a", "b", "c"])
    table["y"] = 3 * table["a"] + 2 * np.sin(5 * table["b"]) * table["c"] + 0.5 * random.standard_t(4, count)
    table["batch"] = [f"b{n}" for n in random.integers(0, int(random.choice([12, 30, count // 5])), count)]
    table["well"] = random.integers(1, 25, count)
    table["year"] = random.integers(2001, 2019, count)
    table["hour"] = random.integers(0, 24, count)
    table["y"] += np.sin(table["hour"] / 24 * 2 * np.pi)
    days = pd.Series(pd.date_range("2020-01-01", periods=count).astype(str))
    if by in ("batch", "well"):
        codes = pd.factorize(table[by])[0]
        table["y"] += random.normal(0, 1.5, codes.max() + 1)[codes]
    elif by == "year":
        table["y"] += walk(random, 18)[table["year"] - 2001]
    elif by in ("day", ROW_ORDER):
        table["y"] += walk(random, count)
    if by == ROW_ORDER:
        # Something that goes with the rows, by which a model knows where in the file it is.
        return Rows(table.assign(d=np.linspace(0, 1, count) + random.normal(0, 0.05, count)), by)
    table["day"] = days.where(random.random(count) > 0.02)
    return Rows(table.iloc[random.permutation(count)], by)


def split_said(rows: Rows) -> bool:
    """Whether any column is said to be flattered by a random split; where one is, whether that is told."""
    dataset, table = read(rows.table)
    found = split_advice(dataset, table, measured_recipe(dataset, Draft(target="y"))).measures.measures
    told = {one.column for one in found if one.flatters}
    return rows.by in told if rows.by else bool(told)


INDEPENDENT = partial(rows_of, by="")

for key, by, words in (
    ("split-group", "batch", "12 to 200 batches with levels of their own (half of the variance)"),
    ("split-number", "well", "24 numbered wells with levels of their own (half of the variance)"),
    ("split-year", "year", "a random walk over 18 years (half of the variance)"),
    ("split-gaps", "day", "a random walk over dates, 2 % of them missing"),
    ("split-rows", ROW_ORDER, "a random walk over the order of the rows"),
):
    register(
        key,
        Claim(
            "A random split flatters",
            without=INDEPENDENT,
            with_it=partial(rows_of, by=by),
            says=split_said,
            without_words="150 to 1,000 independent rows, six columns that repeat or order them",
            with_words=words,
        ),
    )


# --- what only test rows have, and errors over time -------------------------------------------------------------------


def only_tested(random: Random, *, season: bool) -> tuple[UnseenValues, ...]:
    """Return what is said of 60 test rows of 400: drawn at random, or the last ones, of a season of their own."""
    count, tested = 400, 60
    table = pd.DataFrame({"x": random.standard_normal(count), "place": random.choice(list("ABCDEFGH"), count)})
    table["shop"] = [f"s{n}" for n in random.integers(0, 120, count)]
    table["season"] = random.choice(["spring", "summer", "autumn"], count)
    if season:
        table.loc[count - tested + 10 :, "season"] = "winter"
    truth = random.standard_normal(tested)
    types = dict.fromkeys(["place", "shop", "season"], ColumnType.CATEGORY) | {"x": ColumnType.NUMBER}
    train, test = table.iloc[: count - tested], table.iloc[count - tested :]
    return unseen(train, test, types, truth, truth + random.standard_normal(tested))


register(
    "only-test",
    Claim(
        "Only test rows have this level or range",
        without=partial(only_tested, season=False),
        with_it=partial(only_tested, season=True),
        says=bool,
        without_words="a random division, 120 shops among the columns",
        with_words="a season that only the test has",
    ),
)


def later(random: Random, *, drifts: bool) -> ErrorsOverTime:
    """Return the errors over time of a model that is right on average, or whose bias goes from low to high."""
    count = int(random.choice([150, 400, 1000]))
    error = random.standard_t(4, count) + (np.linspace(0.8, -0.8, count) if drifts else 0.0)
    moments = pd.Series(pd.date_range("2024-01-01", periods=count))
    found = over_time(moments, error, np.zeros(count), column="day", model="m")
    assert found is not None
    return found


register(
    "period-bias",
    Claim(
        "Predictions of a period are too low or too high",
        without=partial(later, drifts=False),
        with_it=partial(later, drifts=True),
        says=lambda found: "In no part" not in over_time_words(found, ""),
        without_words="150 to 1,000 test rows, errors of no bias",
        with_words="a bias from 0.8 (of an error of 1) too low to as much too high",
    ),
)


# --- drift and combinations -------------------------------------------------------------------------------------------


def dated(random: Random, *, moves: bool) -> Read:
    """Return 300 dated rows with categories of 3, 12 and 40 levels, of which one changes with time."""
    count = 300
    table = pd.DataFrame({f"k{n}": [f"l{i}" for i in random.integers(0, n, count)] for n in (3, 12, 40)})
    if moves:
        late = np.arange(count) > random.uniform(100, 200)
        table["k12"] = np.where(late & (random.random(count) < 0.75), "l0", table["k12"])
    table.insert(0, "day", pd.date_range("2020-01-01", periods=count))
    return read(table.assign(y=random.standard_normal(count)))


register(
    "level-drift",
    Claim(
        "The levels of a category change along time",
        without=partial(dated, moves=False),
        with_it=partial(dated, moves=True),
        says=lambda made: any(one.code == "feature-drift" for one in findings(made[0], made[1], "y")),
        without_words="300 dated rows, 3, 12 and 40 levels",
        with_words="three in four of the later rows have one level of twelve",
    ),
)


def combined(random: Random, *, product: bool) -> Read:
    """Return 200 or 1,000 rows of twelve numbers; the target is a line, or has the product of two of them too."""
    count = int(random.choice([200, 1000]))
    values = random.lognormal(0, 0.5, (count, 12))
    target = values[:, 0] + values[:, 1] + random.standard_normal(count)
    if product:
        target += 0.8 * values[:, 2] * values[:, 3]
    return read(pd.DataFrame(values, columns=list("abcdefghijkl")).assign(y=target))


def combination_said(made: Read) -> bool:
    recipe = Recipe(target="y", features=tuple("abcdefghijkl"))
    return bool(promising_combinations(prepare_table(*made, recipe)))


register(
    "combination",
    Claim(
        "A product or ratio explains more",
        without=partial(combined, product=False),
        with_it=partial(combined, product=True),
        says=combination_said,
        without_words="200 or 1,000 rows, twelve columns, a line",
        with_words="a product of two columns beside it",
    ),
)
