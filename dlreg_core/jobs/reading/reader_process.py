"""The process that reads files that people hand in: answers JSON lines on its standard input.

``dlreg_core.jobs.reading.reader_client`` is the client, and the only one who speaks to it. Its memory is limited, a
file that takes more ends it at worst; what it hands back is a data set in the store or a table in a file of our own.
"""

from __future__ import annotations

import errno
import json
import os
import select
import sys
import traceback
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow as pa

from dlreg_core.errors import DlregError, WorkError
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.ingest.formats import said_plainly
from dlreg_core.ingest.uploads import read_arrived
from dlreg_core.jobs.reading.reader_limits import limit_memory, memory_error
from dlreg_core.logs import keep_plain
from dlreg_core.runs import RunFolder, keep_private
from dlreg_core.specs import Reading

READY = "ready"
"""What it says once it has loaded everything."""

_IDLE_SECONDS = 900.0
_PAUSE_SECONDS = 1.0
_MOST_FILES = 100
_GROWN = 256 * 1024**2
"""One that holds so much more than at its beginning when a file has been read makes room for a fresh one."""


def answered(request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks for; what a person must be told comes back as ``error``."""
    try:
        with said_plainly():
            return _done(request)
    except DlregError as exc:
        if isinstance(exc.__cause__, MemoryError):
            return {**_told(memory_error(int(request["memory"]))), "full": True}
        return _told(exc) | {"detail": "".join(traceback.format_exception(exc.__cause__)) if exc.__cause__ else ""}
    except OSError as exc:
        full = exc.errno == errno.ENOSPC
        said = "The server's disk is full." if full else "The server could not read the file."
        return _told(WorkError(said, "Ask its administrator.")) | {"detail": str(exc)}


def _told(exc: DlregError) -> dict[str, Any]:
    return {"error": exc.message, "hint": exc.hint, "kind": type(exc).__name__}


def _done(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "arrived":
        read_arrived(Path(request["folder"]))
        return {"worn": True}
    if request["do"] == "rows":
        from dlreg_core.cleaning.raw_rows import read_raw_rows
        from dlreg_core.evaluation.kept_models import load_cleaner

        schema = load_cleaner(RunFolder(Path(request["run"]))).schema_
        return _kept(read_raw_rows(Path(request["path"]), schema), request["target"])
    store = DatasetStore(Path(request["home"]), request["owner"])
    if request["do"] == "add":
        return {"dataset": store.add(Path(request["path"]), request["name"]).id}
    if request["do"] == "own_test":
        from dlreg_core.splitting.external_test import add_own_test

        table = store.get(request["table"])
        return {"dataset": add_own_test(store, Path(request["path"]), request["name"], table).id}
    reading = Reading.model_validate(request["reading"])
    if request["do"] == "again":
        return {"dataset": store.read_again(request["dataset"], reading).id}
    return _kept(store.preview_again(request["dataset"], reading), request["target"])


def _kept(rows: pd.DataFrame, target: str) -> dict[str, Any]:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    with pa.OSFile(target, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return {"rows": len(rows)}


def _next_line() -> str:
    """Return the next request; empty when the client is gone, or nothing was asked for long."""
    if os.name == "posix" and not _waited(_PAUSE_SECONDS):
        _load_rest()
        if not _waited(_IDLE_SECONDS):
            return ""
    return sys.stdin.readline()


def _waited(seconds: float) -> bool:
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def main() -> None:
    """Answer line by line until the client is gone, or this process has grown too large."""
    keep_private()
    keep_plain()
    # Libraries print what they like; only answers may reach the client.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _load()
    before = psutil.Process().memory_info()
    answers.write(READY + "\n")
    answers.flush()
    for number in range(1, _MOST_FILES + 1):
        line = _next_line()
        if not line:
            return
        request = json.loads(line)
        limit_memory(int(request["memory"]))
        answer = answered(request)
        grown = psutil.Process().memory_info().rss - before.rss
        answer["worn"] = bool(answer.get("worn") or answer.get("full") or grown > _GROWN or number == _MOST_FILES)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if answer["worn"]:
            return


def _load() -> None:
    """Load what the first file of each kind would load, and let it do so once."""
    import python_calamine  # noqa: F401

    # The first use takes tens of milliseconds more than the next.
    pa.Table.from_pandas(pd.DataFrame({"a": [1.5], "b": ["x"]})).to_pandas()


def _load_rest() -> None:
    """Load what only an own test file and rows to predict need, which takes as long as all the rest."""
    import dlreg_core.cleaning.form_rows
    import dlreg_core.cleaning.raw_rows  # noqa: F401


if __name__ == "__main__":
    main()
