"""What other programs took of the processors, and what a run lost by it."""

from __future__ import annotations

import time

import pytest

from dlreg_core.worker.contention import ProcessorSeconds, crowding


@pytest.mark.parametrize(
    ("own", "others", "idle", "cores", "factor"),
    [
        # Alone on two processors.
        (20.0, 0.0, 0.0, 2, 1.0),
        # Alone, and unable to use both.
        (12.0, 0.0, 8.0, 2, 1.0),
        # Others took three quarters of both.
        (5.0, 15.0, 0.0, 2, 4.0),
        # A run on one of two processors: another program on the second takes nothing from it.
        (10.0, 10.0, 0.0, 1, 1.0),
        # As much was idle as others took.
        (10.0, 5.0, 5.0, 2, 1.0),
        # Half of what others took would not have been idle.
        (10.0, 6.0, 4.0, 2, 1.2),
        # Nothing was measured.
        (0.0, 20.0, 0.0, 2, 1.0),
    ],
)
def test_what_others_took_is_what_a_run_lacked(
    own: float, others: float, idle: float, cores: int, factor: float
) -> None:
    assert crowding(ProcessorSeconds(10.0, own, own + others, idle), cores) == pytest.approx(factor)


def test_a_short_look_tells_nothing() -> None:
    assert crowding(ProcessorSeconds(0.5, 0.01, 1.0, 0.0), 2) == 1.0


def test_what_this_process_uses_is_its_own() -> None:
    before, end = ProcessorSeconds.until_now(), time.process_time() + 0.5
    while time.process_time() < end:
        pass
    used = ProcessorSeconds.until_now().since(before)
    # What else this process has started counts as well.
    assert used.own >= 0.4
    assert used.busy >= 0.3
    assert used.clock >= 0.4
