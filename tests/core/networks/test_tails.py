"""Whether a target has extreme values on both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from dlreg_core.networks import usual_settings
from dlreg_core.networks.target_tails import heavy_on_both_sides


@pytest.mark.parametrize(
    ("name", "heavy"),
    [
        ("norm", False),
        ("uniform", False),
        ("t2", True),
        ("laplace", True),
        ("lognorm", False),
        ("expon", False),
        ("t2 upwards", False),
    ],
)
def test_known_distributions(name: str, heavy: bool) -> None:
    """Judged on the distributions' own quantiles, where chance has no part."""
    shares = (np.arange(20_000) + 0.5) / 20_000
    known: dict[str, Any] = {
        "norm": stats.norm,
        "uniform": stats.uniform,
        "t2": stats.t(2),
        "laplace": stats.laplace,
        "lognorm": stats.lognorm(1.0),
        "expon": stats.expon,
    }
    values = np.abs(stats.t(2).ppf(shares)) if name == "t2 upwards" else known[name].ppf(shares)
    assert heavy_on_both_sides(values) is heavy
    assert heavy_on_both_sides(-3 * values + 7) is heavy


def test_targets_of_few_values() -> None:
    assert not heavy_on_both_sides(np.zeros(50))
    assert not heavy_on_both_sides(np.r_[np.zeros(99), 1.0])
    assert not heavy_on_both_sides(np.arange(3.0))


def test_the_loss_follows_the_tails_unless_it_is_chosen() -> None:
    assert usual_settings("FEEDFORWARD", 0, {}) == {}
    assert usual_settings("FEEDFORWARD", 0, {}, heavy_tails=True) == {"loss": "huber"}
    assert usual_settings("FEEDFORWARD", 0, {"loss": "mae"}, heavy_tails=True) == {}
    other = usual_settings("FEEDFORWARD", 3, {}, heavy_tails=True)
    assert other == {"loss": "huber", "activation": "silu", "dropout": 0.1}
    assert usual_settings("TABM", 0, {}, heavy_tails=True) == {}
