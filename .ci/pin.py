"""Pin every dependency, direct and transitive, without naming an index: ``uv run python .ci/pin.py``.

Resolves afresh, and writes the result to constraints.txt and to the uv section of pyproject.toml. A uv.lock would hold
addresses of a package index, so it is not kept.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPORT = [
    "uv",
    "export",
    "--all-groups",
    "--all-extras",
    "--no-hashes",
    "--no-emit-project",
    "--no-header",
    "--no-annotate",
    "--quiet",
]
LIST = re.compile(r"constraint-dependencies = \[\n.*?\]\n", re.DOTALL)


def main() -> None:
    """Resolve, and write the pins to both places."""
    project = ROOT / "pyproject.toml"
    text = project.read_text()
    project.write_text(LIST.sub("constraint-dependencies = [\n]\n", text))
    (ROOT / "uv.lock").unlink(missing_ok=True)
    subprocess.run(["uv", "lock", "--upgrade"], cwd=ROOT, check=True)
    pins = subprocess.run(EXPORT, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    pins = [pin for pin in pins if "==" in pin]
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    project.write_text(LIST.sub(lambda _: f"constraint-dependencies = [\n{lines}]\n", text))
    (ROOT / "constraints.txt").write_text("\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
