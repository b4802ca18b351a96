"""The scale that a target is learned on, and the way back from it."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import special

from dlreg_core.array_types import Floats
from dlreg_core.errors import RecipeError
from dlreg_core.specs import Spec, TransformName

_FITTED_ROWS = 100_000
"""More values than this tell hardly more about an exponent."""

_MOST_POWER = 5.0
_LARGEST, _SMALLEST_SPREAD = 1e12, 1e-6
"""A target that reaches further, or spreads less, is learned in standard deviations from its mean: networks compute in
four bytes a number and square it, CatBoost writes models of targets above 1e17 that it can't read, and scikit-learn's
trees take differences of 1e-8 for none."""
_SQUARE_IS_A_NUMBER = 1e150
"""Errors of a target that reaches further have squares that are no numbers."""
_SAME = 1e-6
"""Part of the standard deviation by which a target may change on the way there and back."""


class TargetTransform(Spec):
    """A transformed target, fitted on training rows; kept and loaded as JSON.

    Transformed values are moved and stretched so that they have the mean and the standard deviation of the training
    targets: what depends on the size of a target, such as the threshold of Huber's loss, keeps its meaning. Where those
    are sizes that models can't compute with, they get the mean 0 and the standard deviation 1 instead.

    Attributes
    ----------
    method : {"none", "log", "box-cox", "yeo-johnson"}
        The logarithm of ``y + shift``; or the power transforms of Box & Cox (1964) and Yeo & Johnson (2000).
    shift : float
        1 where there are zeros among targets of which the logarithm is taken, else 0.
    power : float
        Exponent of the power transforms, by maximum likelihood.
    centre, scale, mean, std : float
        Mean and standard deviation of the training targets, transformed and as they are.
    low, high : float
        Between which transformed values lie: one standard deviation of the transformed training targets beyond their
        smallest and largest, and at most their whole range beyond them in their own unit.
    """

    method: TransformName = "none"
    shift: float = 0.0
    power: float = 1.0
    centre: float = 0.0
    scale: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    low: float = 0.0
    high: float = 0.0

    @property
    def changes(self) -> bool:
        """True where the target isn't learned as it is."""
        return self.method != "none" or self.rescales

    @property
    def rescales(self) -> bool:
        """True for a straight line: the target is learned in standard deviations from its mean."""
        return self.method == "none" and (self.centre != 0 or self.scale != 1)

    def forward(self, values: Floats) -> Floats:
        """Return targets as they are learned.

        What lies further out than `inverse` can give is brought to the end of that range, such as a target of 0 among
        validation rows where the logarithm was fitted on positive ones: the result is always finite.
        """
        if not self.changes:
            return values
        if self.rescales:
            return self._scaled(values)
        with np.errstate(all="ignore"):
            raw = self._raw(values)
        # Below the domain of a logarithm there is nothing: the smallest value stands for it.
        raw = np.where(np.isnan(raw), -np.inf, raw)
        return self._scaled(np.clip(raw, self.low, self.high))

    def inverse(self, values: Floats) -> Floats:
        """Return predictions of transformed targets in the target's own unit.

        Values beyond `low` and `high` are brought there first: beyond them a power has no inverse, or one that grows
        without limit. The result is finite for every number; what is no number stays none.
        """
        if not self.changes:
            return values
        if self.rescales:
            return np.asarray((values - self.mean) / self.std * self.scale + self.centre)
        with np.errstate(over="ignore"):
            raw = np.clip((values - self.mean) / self.std * self.scale + self.centre, self.low, self.high)
        return self._own(raw)

    def bent(self, values: Floats) -> Floats:
        """Return targets on the transform's own scale: neither moved, nor stretched, nor limited.

        What the transform has no value for, such as the logarithm of a negative number, lies below everything.
        """
        if self.method == "none":
            return values
        with np.errstate(all="ignore"):
            raw = self._raw(values)
        return np.where(np.isnan(raw), -np.inf, raw)

    def straightened(self, raw: Floats) -> Floats:
        """Return in the target's own unit what `bent` gives.

        Beyond the values that a power can take, that is the end of what it can be of: 0, or an infinite number.
        """
        if self.method == "none":
            return raw
        power, low, high = self.power, -np.inf, np.inf
        if self.method == "box-cox" and power != 0:
            low, high = (-1 / power, np.inf) if power > 0 else (-np.inf, -1 / power)
        elif self.method == "yeo-johnson":
            low = 1 / (2 - power) if power > 2 else -np.inf
            high = -1 / power if power < 0 else np.inf
        with np.errstate(all="ignore"):
            values = self._own(raw)
        values = np.where(raw <= low, 0.0 if self.method == "box-cox" else -np.inf, values)
        return np.where(raw >= high, np.inf, values)

    def error(self, target: Floats, predicted: Floats) -> float:
        """Return the RMSE of transformed predictions in the target's own unit."""
        apart = self.inverse(predicted) - self.inverse(target)
        return float(np.sqrt(np.mean(apart**2)))

    def _raw(self, values: Floats) -> Floats:
        if self.method == "log":
            return np.asarray(np.log1p(values) if self.shift else np.log(values))
        if self.method == "box-cox":
            return np.asarray(special.boxcox(values, self.power))
        above = special.boxcox1p(np.maximum(values, 0.0), self.power)
        below = -special.boxcox1p(np.maximum(-values, 0.0), 2 - self.power)
        return np.asarray(np.where(values >= 0, above, below))

    def _own(self, raw: Floats) -> Floats:
        if self.method == "log":
            return np.asarray(np.expm1(raw) if self.shift else np.exp(raw))
        if self.method == "box-cox":
            return np.asarray(special.inv_boxcox(raw, self.power))
        above = special.inv_boxcox1p(np.maximum(raw, 0.0), self.power)
        below = -special.inv_boxcox1p(np.maximum(-raw, 0.0), 2 - self.power)
        return np.asarray(np.where(raw >= 0, above, below))

    def _scaled(self, raw: Floats) -> Floats:
        return np.asarray((raw - self.centre) / self.scale * self.std + self.mean)


AS_IT_IS = TargetTransform()


def fit_target_transform(target: Floats, method: TransformName) -> TargetTransform:
    """Fit a transform on the targets of training rows.

    Parameters
    ----------
    target : ndarray of float64, shape (rows,)
        Training targets, finite.
    method : {"none", "log", "box-cox", "yeo-johnson"}
        Which one.

    Raises
    ------
    RecipeError
        If these targets can't be transformed so.
    """
    largest = float(np.abs(target).max())
    refuse_too_large(largest)
    if method == "none":
        mean, std = _moments(target)
        fits = largest <= _LARGEST and (std >= _SMALLEST_SPREAD or std == 0)
        return AS_IT_IS if fits else TargetTransform(centre=mean, scale=std or 1.0)
    reason = impossible(method, float(target.min()))
    if reason:
        raise RecipeError(reason, "Choose Yeo-Johnson, which takes every number, or predict the target as it is.")
    first = TargetTransform(
        method=method,
        shift=1.0 if method == "log" and target.min() == 0 else 0.0,
        power=_power(target, method),
    )
    with np.errstate(all="ignore"):
        fitted = _with_range(first, target)
        back = fitted.inverse(fitted.forward(target)) if fitted is not None else np.full(1, np.inf)
        off = float(np.max(np.abs(back - target)) / np.std(target))
    if fitted is None or not off <= _SAME:
        raise RecipeError(
            f"The target can't be transformed by {method}: its values become too similar to be told apart.",
            "Choose another transform, or predict the target as it is.",
        )
    return fitted


def refuse_too_large(largest: float) -> None:
    """Refuse a target that reaches so far that nothing can be learned of it; raise RecipeError."""
    if largest > _SQUARE_IS_A_NUMBER:
        raise RecipeError(
            f"The target reaches {largest:g}, and the errors of so large a number can't be squared: nothing can be "
            "learned of it.",
            f"Divide it by a power of ten in the file, or take out the rows beyond {_SQUARE_IS_A_NUMBER:g}.",
        )


def impossible(method: TransformName, least: float) -> str:
    """Say why a target whose smallest value is `least` can't be transformed so; empty where it can."""
    if method == "log" and least < 0:
        return "The target has values below 0, of which there is no logarithm."
    if method == "box-cox" and least <= 0:
        return "The target has values of 0 or below, which Box-Cox can't transform."
    return ""


def _moments(target: Floats) -> tuple[float, float]:
    """Return mean and standard deviation; of numbers whose squares are too large or too small for a float too."""
    size = float(np.abs(target).max()) or 1.0
    return size * float(np.mean(target / size)), size * float(np.std(target / size))


def _power(target: Floats, method: TransformName) -> float:
    if method == "log":
        return 0.0
    # Imported here: it takes half a second, and who predicts doesn't need it.
    from scipy import stats

    if len(target) > _FITTED_ROWS:
        target = np.random.default_rng(0).choice(target, _FITTED_ROWS, replace=False)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        box_cox = method == "box-cox"
        found = stats.boxcox_normmax(target, method="mle") if box_cox else stats.yeojohnson_normmax(target)
    power = float(np.asarray(found).item())
    return float(np.clip(power, -_MOST_POWER, _MOST_POWER)) if np.isfinite(power) else 1.0


def _with_range(first: TargetTransform, target: Floats) -> TargetTransform | None:
    raw = first._raw(target)
    scale = float(np.std(raw))
    if not np.isfinite(raw).all() or scale <= 0:
        return None
    least, most = float(target.min()), float(target.max())
    ends = first._raw(np.array([least - (most - least), most + (most - least)]))
    # There is no logarithm of what lies a whole range below small positive numbers: nothing limits it from there.
    low = ends[0] if np.isfinite(ends[0]) else -np.inf
    high = ends[1] if np.isfinite(ends[1]) else np.inf
    mean, std = _moments(target)
    computable = max(abs(least), abs(most)) <= _LARGEST and std >= _SMALLEST_SPREAD
    return first.model_copy(
        update={
            "centre": float(np.mean(raw)),
            "scale": scale,
            "mean": mean if computable else 0.0,
            "std": std if computable else 1.0,
            "low": float(max(low, raw.min() - scale)),
            "high": float(min(high, raw.max() + scale)),
        }
    )
