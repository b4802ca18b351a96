"""Starting, watching and ending the processes that do the work; nothing here loads a deep learning library."""

from __future__ import annotations

from dlreg_core.jobs.backend import JobBackend
from dlreg_core.jobs.child_environment import module_environment
from dlreg_core.jobs.dataset_service import WithRuns
from dlreg_core.jobs.device_slots import QueuePlace
from dlreg_core.jobs.devices import cpu_cores, gpu_names, listed_gpus, nvidia_smi
from dlreg_core.jobs.dispatcher import Dispatcher, open_dispatcher
from dlreg_core.jobs.inline_backend import InlineBackend
from dlreg_core.jobs.local_processes import LocalProcesses, module_command
from dlreg_core.jobs.observed_time import ObservedTime
from dlreg_core.jobs.run_service import RunService, checked_time_limit, open_run_service
from dlreg_core.jobs.standby_process import IDLE_SECONDS, READY, STAND_BY

__all__ = [
    "IDLE_SECONDS",
    "READY",
    "STAND_BY",
    "Dispatcher",
    "InlineBackend",
    "JobBackend",
    "LocalProcesses",
    "ObservedTime",
    "QueuePlace",
    "RunService",
    "WithRuns",
    "checked_time_limit",
    "cpu_cores",
    "gpu_names",
    "listed_gpus",
    "module_command",
    "module_environment",
    "nvidia_smi",
    "open_dispatcher",
    "open_run_service",
]
