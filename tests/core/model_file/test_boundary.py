"""What a model file carries needs only what it requires: each of its modules is imported with these packages alone."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Collection
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dlreg_core.model_file.requirements import requirements_for
from dlreg_core.model_file.write import _copy_runtime
from dlreg_core.networks import FAMILIES, PRETRAINED

_IMPORT_ALL = """
import ast, importlib, importlib.util, json, pathlib, sys
sys.path[:0] = sys.argv[1:]
runtime = pathlib.Path(sys.argv[1])
failed, missing = {}, set()
for path in sorted(runtime.rglob("*.py")):
    module = ".".join(path.relative_to(runtime).with_suffix("").parts).removesuffix(".__init__")
    try:
        importlib.import_module(module)
    except Exception as exc:
        failed[module] = str(exc)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else ()
        names = [node.module] if isinstance(node, ast.ImportFrom) else names
        missing |= {package for name in names if not importlib.util.find_spec(package := name.split(".")[0])}
print(json.dumps([failed, sorted(missing)]))
"""
"""In one process, as predicting does. What functions import by themselves is looked for, and not imported."""


def link_packages(requirements: Collection[str], target: Path) -> None:
    """Fill a folder with links to the packages that are named, and to no others; they share some folders."""
    named = {canonicalize_name(Requirement(line).name) for line in requirements}
    owners: defaultdict[PurePosixPath, set[str]] = defaultdict(set)
    for distribution in distributions():
        name = canonicalize_name(distribution.metadata["Name"])
        for file in distribution.files or ():
            # Scripts are installed elsewhere.
            for place in (file, *file.parents) if ".." not in file.parts else ():
                owners[place].add(name)
    site = Path(sysconfig.get_path("purelib"))
    target.mkdir()
    for path in sorted(owners):
        # A folder comes before what is in it, and is a link or a folder by then.
        if not owners[path] & named or (target / path).exists():
            continue
        if owners[path] <= named:
            (target / path).symlink_to(site / path)
        else:
            (target / path).mkdir()


EVERY_FAMILY = {*(family.key for family in (*FAMILIES, *PRETRAINED)), "BOOSTED"}
WORKBOOKS = "python_calamine"
"""Left out on purpose: rows that are a workbook are refused with a sentence that names it."""


@pytest.mark.parametrize(
    ("families", "absent", "foreign"),
    [
        pytest.param(
            {"RIDGE"},
            {"autogluon", "torch", "fastai", "pytabkit", WORKBOOKS},
            "plotly",
            id="baseline",
            marks=pytest.mark.soak,
        ),
        pytest.param({"FEEDFORWARD"}, {"fastai", "pytabkit", WORKBOOKS}, "plotly", id="feed-forward"),
        # CatBoost asks for plotly.
        pytest.param(EVERY_FAMILY, {WORKBOOKS}, "streamlit", id="all families", marks=pytest.mark.soak),
    ],
)
def test_all_that_is_carried_can_be_imported_with_what_is_required(
    families: set[str], absent: set[str], foreign: str, tmp_path: Path
) -> None:
    runtime, packages = tmp_path / "runtime", tmp_path / "packages"
    _copy_runtime(runtime / "dlreg_core")
    # One that must be found out, so that finding none says something.
    (runtime / "dlreg_core" / "specs" / "foreign.py").write_text(f"import {foreign}\n")
    link_packages(requirements_for(families), packages)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", _IMPORT_ALL, str(runtime), str(packages)],
        capture_output=True,
        text=True,
        check=True,
    )
    failed, missing = json.loads(done.stdout.splitlines()[-1])
    if "torch" in absent:
        # Networks, which are not trained or read in such a file.
        failed = {module: why for module, why in failed.items() if not module.startswith("dlreg_core.networks.")}
    assert failed == {"dlreg_core.specs.foreign": f"No module named '{foreign}'"}
    assert missing == sorted(absent | {foreign})
