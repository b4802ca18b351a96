"""What of the server's environment the processes that it starts are given: what they need, by name.

An environment holds passwords, tokens of clouds and of continuous integration, and what other programs of the same
account were told. A process that parses a person's file or unpickles a model has no use for them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import dlreg_core

_NAMES = frozenset(
    {
        # The account, its folders, and where programs, libraries and temporary files are.
        *("HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LANGUAGE"),
        *("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LD_PRELOAD"),
        *("VIRTUAL_ENV", "MPLBACKEND", "MPLCONFIGDIR", "JOBLIB_TEMP_FOLDER", "NO_COLOR"),
        # Windows.
        *("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA"),
        *("PROGRAMDATA", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"),
    }
)
_BEGINNINGS = (
    *("LC_", "PYTHON", "DLREG_"),
    # Libraries of arithmetic, and GPUs.
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "VECLIB_", "NUMEXPR_", "ARROW_", "MALLOC_"),
    *("TORCH", "PYTORCH_", "TRITON_", "CUDA_", "CUDNN_", "CUBLAS_", "NVIDIA_", "NCCL_", "ROCR_", "HIP_", "HSA_"),
)
_KEPT_BACK = frozenset({"DLREG_DATABASE"})
"""What begins like ours and may hold a password: of the database, workers know nothing."""

_TO_FETCH = frozenset(
    {
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HF_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"),
    }
)
"""What leads to a hub, through a company's proxy and with a person's token: for those alone that may fetch weights."""


def passed_on(environment: Mapping[str, str], *, fetches: bool = False) -> dict[str, str]:
    """Return the part of an environment that a process is given.

    Parameters
    ----------
    environment : mapping
        The whole of it.
    fetches : bool
        Whether the process may fetch the weights of pre-trained networks.
    """
    return {name: value for name, value in environment.items() if _is_passed_on(name.upper(), fetches=fetches)}


def _is_passed_on(name: str, *, fetches: bool) -> bool:
    if name in _KEPT_BACK:
        return False
    return name in _NAMES or name.startswith(_BEGINNINGS) or (fetches and name in _TO_FETCH)


def module_environment(*, fetches: bool = False) -> dict[str, str]:
    """Return the environment in which this package is found, from whatever folder the process starts.

    Threads of a network's arithmetic that wait for each other sleep: by default they keep their cores busy with
    waiting, and with one core taken by anything else a step takes ten times as long.

    Parameters
    ----------
    fetches : bool
        Whether the process may fetch the weights of pre-trained networks.
    """
    root = str(Path(dlreg_core.__file__).resolve().parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    own = {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}
    return {"OMP_WAIT_POLICY": "PASSIVE", **passed_on(os.environ, fetches=fetches), **own}
