"""Rooms of the core are entered by their faces: what another room needs stands in `__all__` of a package."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARIES = {"torch", "autogluon", "shap", "catboost", "fastai", "pytabkit", "optuna", "plotly"}
"""What takes long to load: deep learning, and drawing."""


def modules() -> dict[str, Path]:
    found = {}
    for top in ("dlreg_core", "pages"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def at_the_top(name: str) -> Iterator[ast.ImportFrom]:
    """Yield what a module imports when it is loaded, and what its annotations need."""

    def inside(body: list[ast.stmt]) -> Iterator[ast.ImportFrom]:
        for node in body:
            if isinstance(node, ast.ImportFrom):
                yield node
            elif isinstance(node, ast.If | ast.Try):
                yield from inside([*node.body, *node.orelse])

    return inside(TREES[name].body)


def loads_a_library(name: str) -> bool:
    """Tell whether a module imports a library that takes long to load; a network's description does when it trains."""
    if name in PACKAGES:
        return False
    tree = TREES[name]
    nodes: list[ast.stmt] = tree.body if name.startswith("dlreg_core.networks") else list(ast.walk(tree))  # type: ignore[arg-type]
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return any(library.partition(".")[0] in LIBRARIES for library in imported)


def heavy() -> set[str]:
    """Return the modules that load such a library, or others that do."""
    found = {name for name in MODULES if loads_a_library(name)}
    users: dict[str, set[str]] = defaultdict(set)
    for name in MODULES:
        for node in at_the_top(name):
            users[node.module or ""].add(name)
            for alias in node.names:
                users[f"{node.module}.{alias.name}"].add(name)
    while more := {user for name in found for user in users[name]} - found:
        found |= more
    return found


HEAVY = heavy()


def room(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "dlreg_core" else parts[0]


def entered(name: str) -> Iterator[str]:
    """Yield the modules of other rooms that a module names when it is loaded."""
    for node in at_the_top(name):
        target = node.module or ""
        inside = target.count(".") > 1 and target not in PACKAGES
        if target.startswith("dlreg_core.") and room(target) != room(name) and inside:
            yield target


@pytest.mark.parametrize("name", sorted(MODULES))
def test_other_rooms_are_entered_by_their_faces(name: str) -> None:
    # What takes long to load is named, since a face must not load it for those who don't need it.
    assert [target for target in entered(name) if target not in HEAVY] == []


@pytest.mark.parametrize("name", sorted(package for package in PACKAGES if package.startswith("dlreg_core.")))
def test_a_face_shows_what_it_imports_and_no_more(name: str) -> None:
    tree = TREES[name]
    shown = {alias.asname or alias.name for node in at_the_top(name) for alias in node.names} - {"annotations"}
    if shown and "pretrained_families" not in name:
        (names,) = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ]
        assert set(names) == shown
    assert ast.get_docstring(tree), "a room says what it is for"


def test_the_rule_sees_a_module_that_is_entered_by_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from dlreg_core.runs.run_folder import RunFolder\nfrom dlreg_core.runs import RunFolder\n"
    monkeypatch.setitem(TREES, "dlreg_core.worker.run_task", ast.parse(code))
    assert list(entered("dlreg_core.worker.run_task")) == ["dlreg_core.runs.run_folder"]
