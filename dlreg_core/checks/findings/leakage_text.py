"""What is said about columns that give the target away."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlreg_core.checks.findings.finding import Finding, Repair, listed_names
from dlreg_core.formatting import MINUS, number


def leak(target: str, names: tuple[str, ...], text: str) -> Finding:
    """Return the finding that columns give `target` away."""
    them, they = ("it", "it is") if len(names) == 1 else ("them", "they are")
    repair = f"Leave {them} out, unless {they} known before {target} is."
    step = Repair(f"Leave out {listed_names(names)}", leave_out=names)
    return Finding(names, text, "target-leak", "high", repair, step)


def share_words(share: float) -> str:
    """Return a share as "99.98 %": rounded down, so that 100 % means all of it."""
    return f"{math.floor(share * 10_000 + 1e-6) / 100:g} %"


def sum_words(names: Sequence[str], signs: Sequence[int]) -> str:
    """Return "casual + registered"; what is added comes before what is taken away."""
    return _signed(names, signs, "+", MINUS)


def product_words(names: Sequence[str], signs: Sequence[int]) -> str:
    """Return "price × area" or "price ÷ area"."""
    return _signed(names, signs, "×", "÷")


def _signed(names: Sequence[str], signs: Sequence[int], plus: str, minus: str) -> str:
    terms = sorted(zip(names, signs, strict=True), key=lambda term: -term[1])
    first, *rest = terms
    # Without anything to take it away from, the sign stands in front.
    words = first[0] if first[1] > 0 else f"{'1 ÷ ' if minus == '÷' else minus}{first[0]}"
    return words + "".join(f" {plus if sign > 0 else minus} {name}" for name, sign in rest)


def line_words(names: Sequence[str], coefficients: NDArray[np.float64]) -> str:
    """Return "0.5 × High + 0.5 × Low − 3" for coefficients with the intercept last."""
    words = ""
    for name, factor in zip((*names, ""), coefficients.tolist(), strict=True):
        size = number(abs(factor))
        if name:
            size = name if size == "1" else f"{size} × {name}"
        elif size == "0":
            break
        sign = MINUS if factor < 0 else "+"
        words += f" {sign} {size}" if words else f"{MINUS if factor < 0 else ''}{size}"
    return words
