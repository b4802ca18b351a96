"""The table of findings' codes, by which programs know them, is complete and has none that is never told."""

from __future__ import annotations

import ast
import re

from dlreg_core.checks import findings
from tests.conftest import ROOT


def test_every_code_is_in_the_table() -> None:
    listed = set(re.findall(r"^``([a-z-]+)``", findings.__doc__ or "", re.MULTILINE))
    told: set[str] = set()
    words: set[str] = set()
    for path in (ROOT / "dlreg_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and len(node.args) > 2:
                code = node.args[2]
                told |= {str(code.value)} if isinstance(code, ast.Constant) else set()
    assert len(told) > 15
    assert told <= listed | {"not-times", "not-durations"}
    assert listed <= words
