"""What is loaded before processes begin, on a machine with other libraries than ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAINER = "from pytorch_lightning import Trainer; Trainer(accelerator='cpu', devices=1, logger=False)"
QUIET = "from dlreg_core.training.execution.preload import quiet; quiet(); "


@pytest.mark.soak
@pytest.mark.parametrize(("first", "code"), [("", 3), (QUIET, 0)])
def test_an_mpi_that_can_not_begin_does_not_end_a_training(tmp_path: Path, first: str, code: int) -> None:
    """Where mpi4py is installed and can't begin, it ends the process that asks for it; without us, Lightning asks."""
    described = tmp_path / "mpi4py-4.0.0.dist-info"
    for folder in (described, tmp_path / "mpi4py"):
        folder.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: mpi4py\nVersion: 4.0.0\n")
    (tmp_path / "mpi4py" / "__init__.py").touch()
    (tmp_path / "mpi4py" / "MPI.py").write_text("import os\nos._exit(3)\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", first + TRAINER], env=environment, check=False)
    assert done.returncode == code
