"""Starting the process that reads a large file that arrives."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from dlreg_core.jobs.environment import module_environment
from dlreg_core.jobs.local import module_command


def start_reading(folder: Path) -> None:
    """Start to read a file that arrives; it goes on when this process ends.

    Parameters
    ----------
    folder : Path
        The folder of its ticket; the file may still be on its way.
    """
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            module_command("dlreg_core.ingest.reader", str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=module_environment(),
            start_new_session=True,
        )
    # A child that has ended stays in the system's list until somebody has asked for it.
    threading.Thread(target=process.wait, name="arriving", daemon=True).start()
