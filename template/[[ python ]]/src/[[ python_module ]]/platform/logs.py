"""Logs: one JSON object a line on stdout, whoever writes it."""

import atexit
import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO, cast

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from .build_info import BuildInfo
from .output import Output

_FLUSH_SECONDS = 1
# Made once: json.dumps would make one for each line.
_ENCODER = json.JSONEncoder(default=str)
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_NAMES = {"warning": "warn", "critical": "error", "exception": "error"}


def configure_logs(level: str, build: BuildInfo) -> Callable[[], None]:
    """Set the logs up; returns what writes the last lines, before an end that runs no exit handlers."""
    output = Output(sys.stdout.fileno(), _report_loss)

    def finish() -> None:
        output.finish(_FLUSH_SECONDS)

    atexit.register(finish)
    structlog.configure(
        processors=[_envelope(build), _exception, _line],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", output)),
        cache_logger_on_first_use=True,
    )
    # Of the libraries, which use the standard logging module, only what somebody has to know.
    logging.basicConfig(handlers=[_Bridge()], level=max(_LEVELS[level], logging.WARNING), force=True)
    logging.captureWarnings(True)
    return finish


def _report_loss(lines: int) -> None:
    structlog.get_logger().warning("log lines were lost", lost=lines)


def _envelope(build: BuildInfo) -> Processor:
    def add(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
        line: EventDict = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": _NAMES.get(method, method),
            "message": event.pop("event"),
            "service": build.service,
            "version": build.version,
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = trace.format_trace_id(span.trace_id)
            line["span_id"] = trace.format_span_id(span.span_id)
        line.update(event)
        return line

    return add


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _ENCODER.encode(event)


def _exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exception()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = str(error) or type(error).__name__
        event["stack"] = "".join(traceback.format_exception(error))
    return event


class _Bridge(logging.Handler):
    """Hands the records of the standard logging module to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = {"exc_info": record.exc_info} if record.exc_info else {}
        structlog.get_logger().log(record.levelno, record.getMessage().strip(), logger=record.name, **fields)
