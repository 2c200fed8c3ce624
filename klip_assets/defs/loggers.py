"""What runs write on the console: texts of strangers in a message can't steer the terminal."""

from __future__ import annotations

import logging
from typing import Any

from dagster import _loggers

from klip_assets.formats.screen import shown

_dagsters_own = _loggers.create_console_logger


class _Escape(logging.Filter):
    """Shows control characters in a message as escapes; the event log, and so the UI, has the message as it is."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = shown(record.getMessage(), lines=True), ()
        return True


def escape_console_logs() -> None:
    """Make the console loggers of runs escape.

    A logger that definitions name is used only by runs whose configuration names it too: those of sensors and
    schedules use Dagster's default, so that one is wrapped.
    """
    _loggers.create_console_logger = _escaping


def _escaping(*args: Any, **kwargs: Any) -> logging.Logger:
    made = _dagsters_own(*args, **kwargs)
    for handler in made.handlers:
        handler.addFilter(_Escape())
    return made
