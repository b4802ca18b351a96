"""A claim of the program, and how often it is made where it is false and where it is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Claim(Generic[Seen]):
    """A sentence that the program says of a table, a network or a test.

    Attributes
    ----------
    name : str
        The sentence, or what it comes to.
    without, with_it : callable
        Given a random generator, make what the sentence would be said of: without the thing, and with it. Whatever
        they return is handed to `says`.
    says : callable
        Whether the program, by its own functions, says the sentence of it.
    without_words, with_words : str
        What is made, for the table.
    """

    name: str
    without: Callable[[np.random.Generator], Seen]
    with_it: Callable[[np.random.Generator], Seen]
    says: Callable[[Seen], bool]
    without_words: str
    with_words: str


CLAIMS: dict[str, Claim[Any]] = {}


def register(key: str, claim: Claim[Any]) -> None:
    """Add a claim under a short name, by which it can be chosen on the command line."""
    if key in CLAIMS:
        raise ValueError(f"there is a claim {key!r} already")
    CLAIMS[key] = claim


def measure(key: str, tables: int, first_seed: int = 0) -> tuple[int, int]:
    """Return how many of so many tables without the thing, and of as many with it, are said to have it."""
    claim = CLAIMS[key]
    # Of one seed, both kinds of tables are drawn alike, so that little but the thing itself differs.
    false, true = (_said(claim.says, make, tables, first_seed) for make in (claim.without, claim.with_it))
    return false, true


@cache
def _said(says: Callable[[Any], bool], make: Callable[[np.random.Generator], Any], tables: int, first_seed: int) -> int:
    """Count of how many tables it is said; claims that share the tables without the thing have them made once."""
    return sum(says(make(np.random.default_rng([seed, 1]))) for seed in range(first_seed, first_seed + tables))
