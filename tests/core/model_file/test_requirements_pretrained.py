"""What a model file of a pre-trained family needs, and carries along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dlreg_core.model_file.requirements import requirements_for
from dlreg_core.model_file.write import _copy_runtime


@pytest.mark.parametrize(
    ("family", "package"),
    [("TABICL", "tabicl"), ("MITRA", "einx"), ("TABDPT", "tabdpt"), ("NORI", "synthefy-nori")],
)
def test_the_packages_of_a_family_are_required_with_their_pins(family: str, package: str) -> None:
    lines = {line.split("==")[0] for line in requirements_for({family})}
    assert {package, "torch", "autogluon-tabular"} <= lines
    assert package not in {line.split("==")[0] for line in requirements_for({"FASTAI"})}


def test_the_classes_that_models_were_saved_with_are_carried_along(tmp_path: Path) -> None:
    _copy_runtime(tmp_path / "dlreg_core")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from dlreg_core.networks import PRETRAINED;"
        "import inspect; kinds = [known.model_class() for known in PRETRAINED];"
        "print(*(inspect.getfile(kind) for kind in kinds if kind.__name__.startswith('Kept')))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    place = tmp_path / "dlreg_core" / "networks" / "pretrained_families"
    assert done.stdout.split() == [str(place / f"{name}_model.py") for name in ("tabicl", "mitra", "tabdpt", "nori")]
