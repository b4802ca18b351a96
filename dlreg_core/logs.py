"""Logs in which names from files are text: no record looks like several, and none is an order to a terminal."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

from dlreg_core.names import visible


def plain_lines(text: str) -> str:
    """Return lines without control characters, all but the first of them indented."""
    return "\n  ".join(visible(line) for line in text.rstrip("\n").split("\n"))


def print_error(error: BaseException) -> None:
    """Print the traceback of an error on standard error."""
    print(plain_lines("".join(traceback.format_exception(error))), file=sys.stderr, flush=True)


def keep_plain() -> None:
    """Let everything that this process logs from now on, and errors that end it, be plain text."""
    made = logging.getLogRecordFactory()
    if getattr(made, "plain", False):
        return

    def plain(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # Arguments that don't fit are told by whoever writes the record.
            return record
        shown = plain_lines(message)
        if shown != message:
            record.msg, record.args = shown, ()
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = plain_lines("".join(traceback.format_exception(record.exc_info[1])))
        return record

    plain.plain = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(plain)
    sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        print_error(error)
