"""Size of a model file, and the time from unpacking it to its first prediction in a process of its own.

``python benchmarks/model_file_start.py rows.csv model.zip …``: files made by ``dlreg train … --export``.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

REPEATS = 5


def start(model_file: Path, rows: Path) -> tuple[float, float]:
    """Return the seconds, and those of a processor, of unpacking a model file and predicting with its own script."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with zipfile.ZipFile(model_file) as archive:
            archive.extractall(folder)
        # Nothing of this checkout is on the path: the modules are those that the file carries.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [sys.executable, "predict.py", str(rows.resolve()), "out.csv"]
        before = _processor_seconds()
        subprocess.run(command, cwd=folder, env=environment, check=True)
        return time.perf_counter() - begun, _processor_seconds() - before


def _processor_seconds() -> float:
    """Return what the processes that have ended took of a processor: other work on the machine changes it little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _told(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f}–{max(seconds):.1f})"


def main(rows: Path, model_files: list[Path]) -> None:
    """Print a row of a table for each model file; they take turns, so that a busy minute is shared."""
    seconds = [[start(path, rows) for path in model_files] for _ in range(REPEATS)]
    print("| model file | kB | of them the model | its modules | modules | s, median of 5 (range) | s of a processor |")
    print("|---|---|---|---|---|---|---|")
    for path, taken in zip(model_files, zip(*seconds, strict=True), strict=True):
        with zipfile.ZipFile(path) as archive:
            kilobytes = {info.filename: info.compress_size / 1e3 for info in archive.infolist()}
        model, modules = ([kilobytes[n] for n in kilobytes if n.startswith(part)] for part in ("model/", "runtime/"))
        times = " | ".join(_told(list(one)) for one in zip(*taken, strict=True))
        sizes = " | ".join(f"{kb:.0f}" for kb in (path.stat().st_size / 1e3, sum(model), sum(modules)))
        print(f"| {path.name} | {sizes} | {len(modules)} | {times} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
