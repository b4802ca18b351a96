"""Sharing out the budget is arithmetic, and is tested as such."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg_core.errors import PlanError
from dlreg_core.networks import FAMILIES, family
from dlreg_core.specs import FinishedFit, PlannedFit
from dlreg_core.training.scheduler.allocation import (
    EXTRA_FITS,
    Capacity,
    Proposal,
    first_fit,
    first_round_left,
    has_lost,
    next_fit,
    order,
    promise,
    share,
    still_improving,
)
from dlreg_core.training.scheduler.fit_speed import Speed

KEYS = tuple(f.key for f in FAMILIES)
speeds = st.builds(Speed, fixed=st.floats(0, 20), epoch=st.floats(1e-4, 20))
waiting = st.lists(st.sampled_from(KEYS), min_size=1, unique=True)


def needed(key: str, speed: Speed) -> float:
    return speed.fixed + family(key).fewest_epochs * speed.epoch


def most(key: str, speed: Speed) -> float:
    chosen = family(key)
    return speed.fixed + chosen.enough_epochs * speed.epoch * max(size.cost for size in chosen.sizes)


capacities = st.builds(
    Capacity,
    left=st.floats(0, 5000),
    processes=st.integers(1, 8),
    folds=st.sampled_from([1, 5, 8]),
    busy=st.floats(0, 100),
)


def one(seconds: float) -> Capacity:
    return Capacity(seconds)


@given(waiting, speeds, capacities, st.booleans())
def test_a_share_is_useful_and_no_more_than_enough(
    keys: list[str], speed: Speed, capacity: Capacity, first: bool
) -> None:
    key = keys[0]
    found = share(key, speed, keys, capacity, first=first)
    if found is not None:
        assert needed(key, speed) <= found * (1 + 1e-9)
        assert found <= most(key, speed) * (1 + 1e-9)
        waves = -(-capacity.folds // capacity.processes)
        within = waves * found <= capacity.left * (1 + 1e-9) + 1e-9
        # Without any network, one is trained however late: for as short as is useful.
        assert within or (first and found == pytest.approx(needed(key, speed)))
    else:
        assert not first


@given(waiting, speeds, capacities)
def test_whoever_was_late_gets_what_is_left_if_that_suffices(keys: list[str], speed: Speed, capacity: Capacity) -> None:
    found = share(keys[0], speed, keys, capacity, late=True)
    if found is None:
        assert needed(keys[0], speed) > min(capacity.seconds, capacity.longest)


@given(waiting, speeds, capacities, st.booleans())
def test_whoever_gets_a_share_gets_a_training_within_it(
    keys: list[str], speed: Speed, capacity: Capacity, first: bool
) -> None:
    given_ = share(keys[0], speed, keys, capacity, first=first)
    if given_ is not None:
        proposal = first_fit(keys[0], speed, given_, seed=0)
        assert proposal is not None
        assert proposal.seconds <= given_ * (1 + 1e-5)


@given(st.lists(speeds, min_size=len(KEYS), max_size=len(KEYS)), st.floats(30, 5000))
def test_all_shares_together_fit_into_the_budget(each: list[Speed], budget: float) -> None:
    """One after the other, as a run on one process does it, each taking all that it gets."""
    left = budget
    for place, (key, speed) in enumerate(zip(KEYS, each, strict=True)):
        given_ = share(key, speed, KEYS[place:], one(left))
        left -= given_ or 0.0
    assert left >= -1e-6


def test_shares_by_hand() -> None:
    slow = Speed(0, 10.0)
    three = ("FASTAI", "NN_TORCH", "TABM")
    # Weights 1, 1 and 2: a quarter of 400 s, then a third of 300 s, then all that is left.
    assert share("FASTAI", slow, three, one(400.0), first=True) == 100.0
    assert share("NN_TORCH", slow, three[1:], one(300.0), first=False) == 100.0
    assert share("TABM", slow, three[2:], one(200.0), first=False) == 200.0
    # FastAI's 30 epochs of 0.1 s: nobody gets more than enough.
    assert share("FASTAI", Speed(0, 0.1), three, one(400.0), first=True) == pytest.approx(3.0)


def test_processes_add_to_a_share_and_folds_divide_it() -> None:
    slow = Speed(0, 1.0)
    pair = ("FASTAI", "NN_TORCH")
    # Two processes of 100 s each are 200 s; half of them for four folds.
    assert Capacity(100.0, 2, 4).seconds == 50.0
    assert share("FASTAI", slow, pair, Capacity(100.0, 2, 4), first=True) == 25.0
    # A network without folds can't be in two processes at once.
    assert share("TABM", slow, ("TABM",), Capacity(100.0, 2), first=True) == 100.0
    # Five folds in two processes take three turns.
    assert Capacity(90.0, 2, 5).longest == 30.0
    assert Capacity(90.0, 2, 5, busy=60.0).longest == 20.0
    assert Capacity(90.0, 2, 1, busy=60.0).seconds == 120.0


def test_families_that_may_be_given_up_early_count_half_while_they_wait() -> None:
    slow = Speed(0, 1.0)
    pair = ("FASTAI", "NN_TORCH")
    # With eight folds most of those that are behind are trained for two: 1 : 0.5 of 50 s.
    assert Capacity(200.0, 2, 8).seconds == 50.0
    assert share("FASTAI", slow, pair, Capacity(200.0, 2, 8), first=True) == 30.0
    assert share("TABM", slow, ("TABM", "REALMLP"), Capacity(200.0, 2, 8), first=True) == pytest.approx(100 / 3)
    assert share("NN_TORCH", slow, pair[1:], Capacity(100.0, 2, 8), first=False) == 25.0


def test_of_a_table_of_which_a_pass_is_too_long_rows_are_drawn() -> None:
    chosen = family("NN_TORCH")
    # 8 × 60 steps of 512 rows are a useful training, in one pass over 245,760 rows.
    whole = Speed(2.0, 98.0, rows=1_000_000)
    assert chosen.fewest_rows(1_000_000) == 245_760
    assert whole.within(chosen, 100.0) == whole
    half = whole.within(chosen, 50.0)
    assert half == Speed(1.0, 49.0, rows=500_000, drawn=True)
    assert whole.within(chosen, 1.0).rows == 245_760
    assert whole.least(chosen) == pytest.approx(24.576)
    # Where a pass holds too few steps, fewer rows would have to be passed more often.
    small = Speed(2.0, 98.0, rows=200_000)
    assert small.within(chosen, 50.0) == small
    assert first_fit("NN_TORCH", whole, 50.0, seed=3) == Proposal("NN_TORCH", 0, 1, 3, 50.0, rows=500_000)
    assert first_fit("NN_TORCH", whole, 24.0, seed=3) is None
    assert first_fit("NN_TORCH", whole, 100.0, seed=3) == Proposal("NN_TORCH", 0, 1, 3, 100.0)


@given(st.integers(1, 20_000_000), st.floats(0, 20), st.floats(1e-4, 2000), st.floats(0, 2000), st.sampled_from(KEYS))
def test_drawn_rows_make_a_useful_training_shorter(
    rows: int, fixed: float, epoch: float, seconds: float, key: str
) -> None:
    chosen, whole = family(key), Speed(fixed, epoch, rows)
    found = whole.within(chosen, seconds)
    assert chosen.fewest_rows(rows) <= found.rows <= rows
    assert found.drawn == (found.rows < rows)
    assert whole.least(chosen) <= whole.seconds(whole.fewest(chosen)) * (1 + 1e-9)
    proposal = first_fit(key, whole, seconds, seed=0)
    if proposal is None:
        assert seconds < whole.least(chosen) * (1 + 1e-6)
    else:
        assert proposal.seconds <= seconds * (1 + 1e-5) + 1e-6
        assert proposal.rows in {0, found.rows}


def test_what_learned_from_drawn_rows_is_repeated_with_others_or_with_more() -> None:
    table = {"NN_TORCH": Speed(2.0, 98.0, rows=1_000_000)}
    first = [done("NN_TORCH", 1.0, epochs=1, seed=5, rows=300_000)]
    assert next_fit(first, table, one(60.0), "balanced") == Proposal("NN_TORCH", 0, 1, 6, 60.0, 1, rows=600_000)
    assert next_fit(first, table, one(20.0), "balanced") is None


def test_a_part_of_the_budget_is_kept_for_what_proves_good() -> None:
    assert first_round_left(100.0, 100.0, "fast") == 100.0
    assert first_round_left(100.0, 100.0, "balanced") == pytest.approx(40.0)
    assert first_round_left(70.0, 100.0, "best") == pytest.approx(10.0)
    # Unless a useful training needs it.
    pair = ("FASTAI", "NN_TORCH")
    assert share("FASTAI", Speed(0, 12.0), pair, one(60.0), first=False) is None
    assert share("FASTAI", Speed(0, 12.0), pair, one(60.0), first=False, spare=40.0) == 48.0


def test_a_little_is_lent_where_it_makes_a_training_possible() -> None:
    # FastAI needs 4 epochs of 10 s; half of 60 s is fair, one and a half times that is 45 s.
    pair = ("FASTAI", "NN_TORCH")
    assert share("FASTAI", Speed(0, 10.0), pair, one(60.0), first=False) == 40.0
    assert share("FASTAI", Speed(0, 11.5), pair, one(60.0), first=False) is None
    # Once every family has had its turn, all that is left: 60 s hold 4 epochs of 15 s.
    assert share("FASTAI", Speed(0, 15.0), pair, one(60.0), late=True) == 60.0
    assert share("FASTAI", Speed(0, 15.1), pair, one(60.0), late=True) is None
    # Where there would be no network otherwise, whatever it takes.
    assert share("FASTAI", Speed(0, 17.6), pair, one(60.0), first=True) == pytest.approx(70.4)
    assert share("FASTAI", Speed(0, 2.5), ("FASTAI",), one(-5.0), first=True) == 10.0


def test_families_are_tried_from_quick_to_demanding() -> None:
    assert order(["TABM", "FASTAI", "REALMLP", "NN_TORCH", "FEEDFORWARD"]) == KEYS
    assert order(["TABM", "FASTAI"]) == ("FASTAI", "TABM")
    assert order(["TABM", "TABM"]) == ("TABM",)


def test_the_first_training_takes_what_its_share_holds() -> None:
    assert first_fit("FASTAI", Speed(2.0, 1.0), 12.5, seed=7) == Proposal("FASTAI", 0, 10, 7, 12.0)
    assert first_fit("FASTAI", Speed(2.0, 1.0), 5.9, seed=7) is None
    longest = first_fit("FASTAI", Speed(2.0, 1.0), 1000.0, seed=7)
    assert longest is not None
    assert (longest.epochs, longest.seconds) == (30, 32.0)


def test_a_larger_network_is_taken_when_a_long_training_of_it_fits() -> None:
    speed = Speed(0.0, 1.0)
    # Comfort is 3 × 12 epochs, of 4 s each for the middle and 18 s each for the largest size.
    for seconds, size, epochs in ((95.0, 0, 95), (144.0, 1, 36), (647.0, 1, 100), (648.0, 2, 36)):
        found = first_fit("TABM", speed, seconds, seed=0)
        assert found is not None
        assert (found.size, found.epochs) == (size, epochs)
        assert found.seconds <= seconds


@given(st.sampled_from(KEYS), st.floats(0, 20), st.floats(1e-4, 20), st.floats(0, 2000))
def test_a_first_training_is_useful_and_fits(key: str, fixed: float, epoch: float, share: float) -> None:
    speed = Speed(fixed, epoch)
    found = first_fit(key, speed, share, seed=0)
    if found is None:
        assert speed.epochs(share) < family(key).fewest_epochs
    else:
        assert family(key).fewest_epochs <= found.epochs <= family(key).enough_epochs
        assert found.seconds <= share * (1 + 1e-9) + 1e-9


def done(key: str, validation: float, epochs: int = 10, seed: int = 0, *, rows: int = 0, **more: Any) -> FinishedFit:
    fit = PlannedFit(model=key, family=key, epochs=epochs, seed=seed, rows=rows, threads=1, device="cpu")
    return FinishedFit(fit=fit, seconds=1.0, validation=validation, **more)


SPEEDS = {"FASTAI": Speed(0, 1.0), "TABM": Speed(0, 1.0)}


def test_nothing_follows_with_the_fast_preset() -> None:
    assert next_fit([done("FASTAI", 1.0)], SPEEDS, one(1000.0), "fast") is None
    assert next_fit([], SPEEDS, one(1000.0), "best") is None


def test_the_best_family_is_repeated_longer_and_with_another_seed() -> None:
    found = next_fit([done("FASTAI", 2.0), done("TABM", 1.0)], SPEEDS, one(100.0), "balanced")
    assert found == Proposal("TABM", 0, 40, 1, 40.0, 0)
    scheduled = next_fit([done("TABM", 2.0), done("FASTAI", 1.0)], SPEEDS, one(100.0), "balanced")
    assert scheduled == Proposal("FASTAI", 0, 20, 1, 20.0, 0)
    # One that has learned all it can is given other settings.
    converged = next_fit([done("TABM", 1.0, converged=True)], SPEEDS, one(100.0), "balanced")
    assert converged == Proposal("TABM", 0, 10, 1, 10.0, 1)


def test_the_second_network_is_a_size_larger_where_a_long_training_of_it_takes_a_part_of_the_time() -> None:
    # 36 epochs of the middle size, 4 s each, are 144 s: 60 % of 240 s.
    for seconds, size in ((239.0, 0), (241.0, 1), (1e5, 1)):
        found = next_fit([done("TABM", 1.0)], SPEEDS, one(seconds), "balanced")
        assert found is not None
        assert found.size == size
    kept = next_fit([done("TABM", 1.0)], SPEEDS, one(1e5), "balanced", largest={"TABM": 0})
    assert kept is not None
    assert kept.size == 0
    # What follows has the size of the best so far.
    again = next_fit([done("TABM", 1.0), done("TABM", 1.1, seed=1)], SPEEDS, one(1e5), "balanced")
    assert again is not None
    assert again.size == 0


def test_a_repetition_is_never_shorter_and_longer_only_where_that_is_worth_it() -> None:
    first = [done("TABM", 1.0)]
    assert next_fit(first, SPEEDS, one(9.9), "balanced") is None
    # With less than 16 s no other network, of 6 epochs at least, fits after it: it takes all.
    for budget, epochs in ((10.0, 10), (12.5, 12), (15.9, 15), (19.0, 19), (500.0, 40)):
        found = next_fit(first, SPEEDS, one(budget), "balanced")
        assert found is not None
        assert found.epochs == epochs
        assert found.seconds <= budget
    long = [done("TABM", 1.0, epochs=30)]
    for budget, epochs in ((47.9, 47), (48.0, 48)):
        found = next_fit(long, SPEEDS, one(budget), "balanced")
        assert found is not None
        assert found.epochs == epochs
    scheduled = [done("FASTAI", 1.0, epochs=20)]
    for budget, epochs in ((31.9, 30), (33.0, 30)):
        found = next_fit(scheduled, SPEEDS, one(budget), "balanced")
        assert found is not None
        assert found.epochs == epochs


def test_whoever_was_cut_short_while_it_gained_is_thought_better_than_it_is() -> None:
    cut = done("TABM", 1.1, epochs=20, second_half=0.3)
    assert promise(cut) == pytest.approx(0.95)
    assert promise(done("TABM", 1.1, epochs=20, second_half=0.3, converged=True)) == 1.1
    # With a schedule the error falls at its end in any case.
    assert promise(done("FASTAI", 1.1, epochs=20, second_half=0.3)) == 1.1
    outcomes = [done("FASTAI", 1.0, epochs=5), cut]
    found = next_fit(outcomes, SPEEDS, one(1000.0), "balanced")
    assert found is not None
    assert (found.key, found.epochs) == ("TABM", 80)
    less = done("TABM", 1.1, epochs=20, second_half=0.1)
    found = next_fit([outcomes[0], less], SPEEDS, one(1000.0), "balanced")
    assert found is not None
    assert found.key == "FASTAI"
    # Far more epochs at once only where they leave some of the time.
    found = next_fit([cut], SPEEDS, one(100.0), "balanced")
    assert found is not None
    assert found.epochs == 60


def test_where_the_best_does_not_fit_another_does() -> None:
    outcomes = [done("TABM", 1.0, epochs=50), done("FASTAI", 1.2, epochs=5)]
    found = next_fit(outcomes, SPEEDS, one(20.0), "balanced")
    assert found is not None
    assert found.key == "FASTAI"
    # One that is far behind adds nothing to an ensemble.
    assert next_fit([outcomes[0], done("FASTAI", 1.3, epochs=5)], SPEEDS, one(20.0), "balanced") is None


def test_a_training_that_stopped_by_itself_is_repeated_where_as_many_epochs_fit() -> None:
    stopped = done("TABM", 1.0, epochs=50, trained=12, converged=True)
    assert next_fit([stopped], SPEEDS, one(20.0), "balanced") == Proposal("TABM", 0, 20, 1, 12.0, 1)
    assert next_fit([stopped], SPEEDS, one(11.0), "balanced") is None
    # A schedule over all its epochs may be somewhat shorter, but not by much.
    scheduled = done("FASTAI", 1.0, epochs=30, trained=12, converged=True)
    assert next_fit([scheduled], SPEEDS, one(20.0), "balanced") == Proposal("FASTAI", 0, 20, 1, 20.0, 1)
    assert next_fit([scheduled], SPEEDS, one(17.0), "balanced") is None


def test_after_some_repetitions_a_family_that_is_nearly_as_good_gets_its_turn() -> None:
    outcomes = [done("TABM", 1.0), done("FASTAI", 1.015)]
    assert next_fit(outcomes, SPEEDS, one(1000.0), "best").key == "TABM"  # type: ignore[union-attr]
    outcomes.append(done("TABM", 1.01, seed=1))
    # Each repetition counts 2 %: 1.02 against 1.015.
    assert next_fit(outcomes, SPEEDS, one(1000.0), "best").key == "FASTAI"  # type: ignore[union-attr]


@pytest.mark.parametrize("preset", ["balanced", "best"])
def test_repetitions_come_to_an_end_and_never_repeat_a_seed(preset: str) -> None:
    outcomes = [done("TABM", 1.0, converged=True), done("FASTAI", 1.5, converged=True)]
    while (found := next_fit(outcomes, SPEEDS, one(1e6), preset)) is not None:  # type: ignore[arg-type]
        assert (found.key, found.seed, found.epochs) not in {(o.fit.family, o.fit.seed, o.fit.epochs) for o in outcomes}
        better = 1.0 - 0.001 * len(outcomes) if found.key == "TABM" else 1.5
        outcomes.append(done(found.key, better, found.epochs, found.seed, converged=True))
    assert len(outcomes) == 2 + EXTRA_FITS[preset]  # type: ignore[index]


def test_families_are_found_in_any_case_and_others_are_told() -> None:
    assert family(" tabm ").key == "TABM"
    with pytest.raises(PlanError, match=r"no network called XGB\. Choose from FEEDFORWARD, FASTAI, "):
        family("XGB")


def test_settings_carry_batch_and_seed_under_the_names_of_each_family() -> None:
    assert family("FASTAI").sample_settings(400, 3) == {"bs": 32, "random_seed": 3}
    assert family("TABM").sample_settings(5000, 3, size=2) == {
        "tabm_k": 32,
        "d_block": 512,
        "batch_size": 128,
        "random_state": 3,
    }
    for chosen in FAMILIES:
        batches = [chosen.batch_size(rows) for rows in (1, 100, 1000, 10_000, 100_000, 10_000_000)]
        assert batches == sorted(batches)


def test_a_network_that_is_far_behind_is_not_trained_for_all_folds() -> None:
    assert has_lost(1.2, 1.0, 2, 60)
    assert not has_lost(1.1, 1.0, 2, 60)
    # One fold, or a handful of rows, tell too little.
    assert not has_lost(2.0, 1.0, 1, 60)
    assert not has_lost(2.0, 1.0, 2, 20)


def test_training_goes_on_beyond_the_effort_only_while_it_helps() -> None:
    speeds = {"FASTAI": Speed(0.0, 0.1)}
    five = [done("FASTAI", 3.0, 30, seed, trained=30, converged=True) for seed in range(5)]
    helped = [10.0, 9.9, 9.8, 9.7, 9.6]
    assert next_fit(five, speeds, one(100.0), "balanced") is None
    further = next_fit(five, speeds, one(100.0), "balanced", errors=helped)
    assert further is not None
    assert (further.key, further.seed) == ("FASTAI", 5)
    assert next_fit(five, speeds, one(100.0), "balanced", errors=[10.0, 9.9, 9.9, 9.9, 9.9, 9.899]) is None
    assert next_fit(five, speeds, one(100.0), "fast", errors=helped) is None


def test_what_an_earlier_task_trained_counts_for_nothing_of_the_effort() -> None:
    speeds = {"FASTAI": Speed(0.0, 0.1), "NN_TORCH": Speed(0.0, 0.1)}
    five = [done("FASTAI", 3.0, 30, seed, trained=30, converged=True) for seed in range(5)]
    assert next_fit(five, speeds, one(100.0), "balanced", errors=[10.0] * 6) is None
    proposal = next_fit(five, speeds, one(100.0), "balanced", taken=5, errors=[10.0] * 6)
    assert proposal is not None
    assert proposal.seed == 5
    more = [*five, done("NN_TORCH", 2.0, 30, trained=30, converged=True)]
    further = next_fit(more, speeds, one(100.0), "balanced", taken=5, errors=[10.0] * 6)
    assert further is not None, "a first one is no extra"
    assert (further.key, further.seed) == ("NN_TORCH", 1), "the best on validation comes first"


@pytest.mark.parametrize(
    ("errors", "improving"),
    [([], False), ([5.0], True), ([5.0] * 4, True), ([5.0] * 5, False), ([5.0, 5.1, 5.1, 5.1, 4.9], True)],
)
def test_improvement_is_looked_for_among_the_last_trainings(errors: list[float], improving: bool) -> None:
    assert still_improving(errors) is improving
