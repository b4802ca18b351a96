"""Starting the process that reads a large file that arrives."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dlreg_core.jobs.local import module_command, module_environment

_running: list[subprocess.Popen[bytes]] = []


def start_reading(folder: Path) -> None:
    """Start to read a file that arrives; it goes on when this process ends.

    Parameters
    ----------
    folder : Path
        The folder of its ticket; the file may still be on its way.
    """
    # A child that has ended stays in the system's list until it is asked for.
    _running[:] = [process for process in _running if process.poll() is None]
    with (folder / "log").open("wb") as log:
        _running.append(
            subprocess.Popen(
                module_command("dlreg_core.ingest.reader", str(folder)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=module_environment(),
                start_new_session=True,
            )
        )
