"""The libraries that a worker and its processes need: loaded once, by the process that the processes are copies of."""

from __future__ import annotations

from contextlib import suppress

import autogluon.tabular.registry  # noqa: F401
import fastai.tabular.all  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pytabkit  # noqa: F401
import pytorch_lightning  # noqa: F401
import torch
import torch._dynamo
from autogluon.common.utils.log_utils import set_logger_verbosity
from lightning_fabric.plugins import environments

import dlreg_core.networks.epoch_watch  # noqa: F401
from dlreg_core.pipeline import silence_libraries

# Where boosted trees don't load, the baseline that needs them says so; networks train all the same.
with suppress(ImportError, OSError):
    import catboost  # noqa: F401


def quiet() -> None:
    """Keep libraries from talking, and torch from taking more threads than it is given."""
    set_logger_verbosity(0)
    silence_libraries()
    torch.set_num_threads(1)
    for cluster in ("TorchElasticEnvironment", "SLURMEnvironment", "LSFEnvironment", "MPIEnvironment"):
        setattr(getattr(environments, cluster), "detect", staticmethod(_no_cluster))  # noqa: B010


def _no_cluster() -> bool:
    """Tell Lightning that a network has one process: where it looks for others, MPI ends this one if it can't begin."""
    return False
