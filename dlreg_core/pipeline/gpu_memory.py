"""A GPU whose memory doesn't suffice: how that is told from other errors, and predictions that make do with less.

A model file carries this module along.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_SAYINGS = ("out of memory", "_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_NOT_INITIALIZED")
"""What errors of the driver and its libraries say. That cuBLAS could not begin nearly always means that there was no
memory left for it."""

_FEWEST_ROWS = 64
"""Where not even so many rows can be predicted at once, fewer won't help."""


def ran_out(error: BaseException) -> bool:
    """Tell whether an error means that the GPU's memory didn't suffice, or was raised because of one that does."""
    import torch
    from autogluon.core.utils.exceptions import NotEnoughCudaMemoryError

    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, (torch.cuda.OutOfMemoryError, NotEnoughCudaMemoryError)):
            return True
        if isinstance(cause, RuntimeError) and any(saying in str(cause) for saying in _SAYINGS):
            return True
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return False


def broke(error: BaseException) -> bool:
    """Tell whether no more can be computed on the GPU in this process: after such an error each call fails like it."""
    return isinstance(error, RuntimeError) and "CUDA error" in str(error) and not ran_out(error)


def free() -> None:
    """Give back what failed attempts held on the GPU.

    To be called when their error has been handled: while an ``except`` clause lasts, the error's traceback holds all
    that the failed functions had, the network among it.
    """
    import torch

    # Trainers and their networks refer to each other.
    gc.collect()
    torch.cuda.empty_cache()


def predicted_in_parts(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]], rows: pd.DataFrame
) -> tuple[NDArray[np.float64], int]:
    """Predict rows, fewer at a time where the GPU's memory doesn't suffice for all of them.

    Parameters
    ----------
    predict : callable
        From rows to their predictions, of which none depends on the other rows.
    rows : pandas.DataFrame
        The rows.

    Returns
    -------
    ndarray of float64, shape (rows,)
        The predictions.
    int
        In how many parts they were made.
    """
    most = max(1, len(rows))
    while True:
        try:
            found = [predict(rows.iloc[start : start + most]) for start in range(0, max(1, len(rows)), most)]
            return np.concatenate(found), len(found)
        except Exception as exc:
            if most <= _FEWEST_ROWS or not ran_out(exc):
                raise
        free()
        most = max(_FEWEST_ROWS, most // 4)
