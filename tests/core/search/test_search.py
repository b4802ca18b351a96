"""Which settings a search tries: within its ranges, never twice, the same again, and better where it learns."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.errors import PlanError
from dlreg_core.networks import FAMILIES, family, settings_of
from dlreg_core.search import Searcher, setting_range, usual_range
from dlreg_core.search.search_ranges import grid_values
from dlreg_core.specs import NumberRange, Search

METHODS = ("random", "grid", "bayes")
RATE = NumberRange(low=1e-5, high=0.1, log=True)
DROPOUT = NumberRange(low=0.0, high=0.5)
NINE = NumberRange(low=0.1, high=0.5, steps=9)


def search(method: str = "random", family: str = "NN_TORCH", trials: int = 20, seed: int = 0, **ranges: Any) -> Search:
    return Search(method=method, family=family, ranges=ranges, trials=trials, seed=seed)


def asked(searcher: Searcher, error: Any = lambda values: 1.0) -> list[dict[str, Any]]:
    """Return all trials of a search, each told before the next is asked for."""
    found = []
    while (values := searcher.ask()) is not None:
        found.append(values)
        searcher.tell(values, error(values))
    return found


def bowl(values: dict[str, Any]) -> float:
    """Return an error that is smooth and least at a rate of 1e-3, 0.1 of dropout and 40 epochs."""
    rate, dropout, epochs = (float(values[name]) for name in ("learning_rate", "dropout", "epochs"))
    return 10 + (4 * (math.log10(rate) + 3) ** 2 + 30 * (dropout - 0.1) ** 2 + 5 * ((epochs - 40) / 40) ** 2)


@st.composite
def searches(draw: st.DrawFn) -> tuple[Search, dict[str, Any]]:
    """Draw a search of any family for any of its settings, in usual or other ranges, beside fixed settings."""
    chosen = draw(st.sampled_from(FAMILIES)).key
    known = {found.name: found for found in settings_of(chosen)}
    names = draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=4, unique=True))
    ranges: dict[str, Any] = {}
    for name in names:
        found = known[name]
        ranges[name] = usual_range(found)
        if found.kind in ("int", "float") and draw(st.booleans()):
            low = draw(st.floats(found.least, min(found.most, 1e4), exclude_max=True))
            low = math.floor(low) if found.kind == "int" else low
            high = draw(st.floats(low, min(found.most, 1e4)))
            high = max(low + 1, math.floor(high)) if found.kind == "int" else high
            if low < high:
                ranges[name] = setting_range(found, low, high, steps=draw(st.integers(2, 4)))
    method = draw(st.sampled_from(METHODS))
    fixed = {"epochs": 7} if "epochs" not in ranges else {}
    return Search(method=method, family=chosen, ranges=ranges, trials=6, seed=draw(st.integers(0, 99))), fixed


@settings(max_examples=60)
@given(searches(), st.data())
def test_every_trial_can_be_had_and_is_another_one(made: tuple[Search, dict[str, Any]], data: st.DataObject) -> None:
    wanted, fixed = made
    try:
        searcher = Searcher(wanted, fixed)
    except PlanError as exc:
        assert "never tried" in exc.message
        return
    found = asked(searcher, lambda _: data.draw(st.none() | st.floats(0.1, 1e9) | st.just(math.nan)))
    assert found
    assert len(found) <= 6
    for values in found:
        assert family(wanted.family).checked(values) == values
        assert fixed.items() <= values.items()
        for name, range_ in searcher.search.ranges.items():
            if isinstance(range_, NumberRange) and name in values:
                assert range_.low <= values[name] <= range_.high
            elif name in values:
                assert values[name] in range_
    keys = [repr(sorted(values.items())) for values in found]
    assert len(keys) == len(set(keys))


def test_a_grid_is_exactly_the_product() -> None:
    wanted = search(
        "grid",
        trials=500,
        learning_rate=NumberRange(low=1e-4, high=0.1, log=True, steps=4),
        layers=NumberRange(low=1, high=4, steps=4),
        dropout=NumberRange(low=0.0, high=0.5, steps=3),
        loss=("mse", "mae"),
    )
    searcher = Searcher(wanted)
    found = asked(searcher)
    product = itertools.product((1e-4, 1e-3, 1e-2, 0.1), (1, 2, 3, 4), (0.0, 0.25, 0.5), ("mse", "mae"))
    assert Counter(tuple(values.values()) for values in found) == Counter(product)
    assert searcher.search.trials == 4 * 4 * 3 * 2
    # In an order that sees something of everywhere early.
    assert len({values["learning_rate"] for values in found[:16]}) == 4
    assert len({values["loss"] for values in found[:16]}) == 2


def test_a_grid_tries_a_setting_only_where_it_counts() -> None:
    found = asked(Searcher(search("grid", trials=500, loss=("mse", "huber"), huber_delta=(1.0, 2.0, 5.0))))
    assert sorted(found, key=repr) == [
        {"loss": "huber", "huber_delta": 1.0},
        {"loss": "huber", "huber_delta": 2.0},
        {"loss": "huber", "huber_delta": 5.0},
        {"loss": "mse"},
    ]


def test_a_fixed_setting_that_does_not_count_in_a_trial_is_left_out() -> None:
    wanted = search("grid", "FEEDFORWARD", 500, schedule=("cosine", "one_cycle"))
    found = asked(Searcher(wanted, {"warmup": 0.1, "dropout": None}))
    assert {repr(values) for values in found} == {
        repr({"warmup": 0.1, "schedule": "cosine"}),
        repr({"schedule": "one_cycle"}),
    }


def test_whole_numbers_of_a_grid_that_fall_together_count_once() -> None:
    layers = next(found for found in settings_of("NN_TORCH") if found.name == "layers")
    assert grid_values(layers, NumberRange(low=1, high=3, steps=10)) == (1, 2, 3)


def test_random_draws_are_spread_over_the_range_by_ratio_where_it_is_logarithmic() -> None:
    wanted = search(
        trials=400, learning_rate=RATE, dropout=DROPOUT, layers=NumberRange(low=1, high=4), loss=("mse", "mae")
    )
    found = asked(Searcher(wanted))
    assert len(found) == 400
    # Four decades, two halves, four numbers and two words: each is as frequent as the others (5 standard errors).
    decades = Counter(min(3, math.floor(math.log10(values["learning_rate"]) + 5)) for values in found)
    halves = Counter(values["dropout"] > 0.25 for values in found)
    for counted in (decades, halves, Counter(v["layers"] for v in found), Counter(v["loss"] for v in found)):
        share = 1 / len(counted)
        allowed = 5 * math.sqrt(400 * share * (1 - share))
        assert all(abs(count - 400 * share) < allowed for count in counted.values()), counted
    assert set(Counter(v["layers"] for v in found)) == {1, 2, 3, 4}


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_search_ends_when_all_there_is_was_tried(method: str) -> None:
    found = asked(Searcher(search(method, trials=50, layers=NumberRange(low=1, high=3), loss=("mse", "mae"))))
    assert len(found) == 6


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_and_results_ask_for_the_same(method: str) -> None:
    wanted = search(method, trials=18, seed=5, learning_rate=RATE, dropout=DROPOUT, epochs=NumberRange(low=5, high=80))
    first = asked(Searcher(wanted), bowl)
    assert first == asked(Searcher(wanted), bowl)
    assert first != asked(Searcher(wanted.model_copy(update={"seed": 6})), bowl)


def best_of(method: str, seed: int, trials: int) -> float:
    wanted = search(
        method, trials=trials, seed=seed, learning_rate=RATE, dropout=DROPOUT, epochs=NumberRange(low=1, high=200)
    )
    return min(bowl(values) for values in asked(Searcher(wanted), bowl))


def test_bayes_finds_better_settings_than_chance() -> None:
    seeds = range(15)
    learned, drawn = ([best_of(method, seed, 40) - 10 for seed in seeds] for method in ("bayes", "random"))
    assert median(learned) < 0.5 * median(drawn)


@pytest.mark.parametrize("method", METHODS)
def test_failures_are_lived_with(method: str) -> None:
    wanted = search(method, trials=24, learning_rate=RATE, loss=("mse", "mae"))
    assert len(asked(Searcher(wanted), lambda _: None)) == (8 if method == "grid" else 24)
    assert len(asked(Searcher(wanted), lambda _: math.inf)) == (8 if method == "grid" else 24)


def test_bayes_keeps_away_from_where_trainings_fail() -> None:
    def error(values: dict[str, Any]) -> float | None:
        return None if values["learning_rate"] > 1e-3 else 5.0 - values["dropout"]

    failed = []
    for seed in range(5):
        found = asked(Searcher(search("bayes", trials=40, seed=seed, learning_rate=RATE, dropout=DROPOUT)), error)
        failed.append(sum(error(values) is None for values in found[10:]) / 30)
    # Half of the range fails.
    assert median(failed) < 0.3


@pytest.mark.parametrize("method", METHODS)
def test_several_can_be_asked_for_before_one_is_told(method: str) -> None:
    wanted = search(method, trials=12, learning_rate=RATE, dropout=DROPOUT)
    searcher = Searcher(wanted)
    running = [searcher.ask() for _ in range(4)]
    found = list(running)
    while running:
        values = running.pop()
        assert values is not None
        searcher.tell(values, values["dropout"])
        if (following := searcher.ask()) is not None:
            running.insert(0, following)
            found.append(following)
    assert len({repr(values) for values in found}) == len(found) == 12


@pytest.mark.parametrize("method", METHODS)
def test_a_search_goes_on_from_the_trials_of_an_earlier_one(method: str) -> None:
    wanted = search(method, trials=16, learning_rate=RATE, loss=("mse", "huber"), huber_delta=(1.0, 2.0))
    first = Searcher(wanted)
    before = [values for _ in range(6) if (values := first.ask())]
    second = Searcher(wanted)
    for number, values in enumerate(before):
        second.tell(values, None if number == 2 else float(number))
    assert second.trials == 6
    after = asked(second)
    assert len(after) == (12 if method == "grid" else 16) - 6
    assert not {repr(values) for values in before} & {repr(values) for values in after}


def test_repeats_at_random_are_told_to_bayes_as_well() -> None:
    # Of 8 combinations the estimate soon knows which are good, and must still leave them.
    wanted = search("bayes", trials=50, layers=NumberRange(low=1, high=4), batch_norm=(False, True))
    found = asked(Searcher(wanted), lambda values: values["layers"])
    assert len(found) == 8


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (search(depth=NumberRange(low=1, high=3)), "NN Torch has no setting called depth"),
        (search(family="NOSUCH", dropout=DROPOUT), "There is no network called NOSUCH."),
        (search(dropout=NumberRange(low=0, high=2)), "Dropout of NN Torch must be a number from 0 to 0.9, not 2.0."),
        (search(layers=NumberRange(low=1.5, high=3)), "Hidden layers of NN Torch must be a whole number from 1 to 8"),
        (search(loss=NumberRange(low=0, high=1)), "Loss of NN Torch has no range from a number to another"),
        (search(loss=("mse", "l7")), "Loss of NN Torch must be one of mse, mae, huber, not 'l7'."),
        (search(dropout=(0.1, 0.1)), "0.1 is listed twice among the values of Dropout of NN Torch."),
        (search(huber_delta=(1.0, 2.0)), "counts only where loss is huber, which is never tried."),
        (search(huber_delta=(1.0, 2.0), loss=("mse", "mae")), "counts only where loss is huber, which is never tried."),
        (
            search("grid", dropout=NINE, weight_decay=NINE, learning_rate=NINE),
            "The grid has 729 combinations, and at most 500 can be tried.",
        ),
    ],
)  # fmt: skip
def test_what_can_not_be_searched_is_told(made: Search, told: str) -> None:
    with pytest.raises(PlanError) as caught:
        Searcher(made)
    assert told in str(caught.value)


def test_a_setting_is_either_chosen_or_searched() -> None:
    with pytest.raises(PlanError, match="Dropout of NN Torch is chosen already"):
        Searcher(search(dropout=DROPOUT), {"dropout": 0.1})
    asked = Searcher(search(huber_delta=(1.0, 2.0)), {"loss": "huber"}).ask()
    assert asked is not None
    assert asked["loss"] == "huber"
    assert asked["huber_delta"] in (1.0, 2.0)
    with pytest.raises(PlanError, match="Loss of NN Torch must be one of mse, mae, huber, not 'l7'"):
        Searcher(search(dropout=DROPOUT), {"loss": "l7"})


def test_usual_ranges_are_among_the_allowed_values() -> None:
    for found in FAMILIES:
        for known in settings_of(found.key):
            condition = {} if known.only_with is None else {known.only_with[0]: known.only_with[1][0]}
            made = Search(method="random", family=found.key, ranges={known.name: usual_range(known)}, trials=3)
            asked = Searcher(made, condition).ask()
            assert asked is not None, (found.key, known.name)
            # It is looked for among what the setting may be, beside what it asks for.
            assert asked.keys() == {*condition, known.name}, (found.key, known.name)
            assert condition.items() <= asked.items()
            assert known.checked(asked[known.name], found.title) == asked[known.name]
