"""Keeping the networks' libraries from talking: what a person must know is said by this program."""

from __future__ import annotations

import logging


def silence_libraries() -> None:
    """Let the networks' libraries tell of errors only."""
    for name in (
        "autogluon",
        "pytorch_lightning.utilities.rank_zero",
        "pytorch_lightning.accelerators.cuda",
        "lightning.pytorch.utilities.rank_zero",
        "lightning.pytorch.accelerators.cuda",
    ):
        logging.getLogger(name).setLevel(logging.ERROR)
