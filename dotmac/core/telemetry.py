"""Structured logs with secrets masked, and the request id they carry."""

from __future__ import annotations

import logging
import logging.config
import re
import secrets
import uuid
from contextvars import ContextVar
from typing import Any

import structlog

request_id_var: ContextVar[str] = ContextVar("request_id", default="")
trace_id_var: ContextVar[str] = ContextVar("trace_id", default="")

MASK = "***"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|authorization|cookie|otp|api_?key|seed|"
    r"^key$|_key$|credential|refresh$|access$",
    re.IGNORECASE,
)
_SECRET_IN_TEXT = re.compile(
    r"(?i)(bearer\s+|basic\s+|(?:password|secret|token|api_key)[\"']?\s*[=:]\s*[\"']?|"
    r"://[^/\s:@]+:|/invitation/|/reset/|/confirm-email/|dmk_[a-z0-9]{10}_)([^\s\"'&,;@]+)"
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# W3C Trace Context, section 3.2: version, trace id, parent id, flags; later versions
# may add to it.
_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})"
    r"-[0-9a-f]{2}(?P<more>-.{0,200})?"
)


def new_request_id(offered: str = "") -> str:
    """The caller's id when it is harmless, else a fresh one."""
    return offered if _REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex


def read_traceparent(text: str) -> str:
    """The trace id of a well-formed traceparent, else nothing."""
    found = _TRACEPARENT.fullmatch(text)
    if found is None or found["version"] == "ff":
        return ""
    if found["more"] and found["version"] == "00":
        return ""
    if not found["trace"].strip("0") or not found["parent"].strip("0"):
        return ""
    return found["trace"]


def new_traceparent() -> str:
    """What a call to another process carries: this trace, a span of its own.

    Empty when the request belongs to no trace.
    """
    trace_id = trace_id_var.get()
    return f"00-{trace_id}-{secrets.token_hex(8)}-00" if trace_id else ""


def mask(value: Any) -> Any:
    """Hide what follows words such as password= or Bearer in a text."""
    if isinstance(value, str):
        return _SECRET_IN_TEXT.sub(lambda found: found.group(1) + MASK, value)
    if isinstance(value, dict):
        return {
            name: MASK if _SECRET_NAME.search(str(name)) else mask(inner)
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [mask(inner) for inner in value]
    return value


def _written(value: Any) -> Any:
    """A value as JSON can say it, however deep."""
    if isinstance(value, dict):
        return {str(name): _written(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_written(inner) for inner in value]
    plain = value is None or isinstance(value, (bool, int, float, str))
    return value if plain else repr(value)


def _mask_event(_: Any, __: str, event: Any) -> Any:
    # Whatever is no plain value would be written as its repr: a request has a
    # query in it. What begins with _ is the formatter's own and is not written.
    known = {n: v if n.startswith("_") else _written(v) for n, v in event.items()}
    masked = mask(known)
    masked["event"] = mask(str(event.get("event", "")))
    return masked


def _add_request_id(_: Any, __: str, event: Any) -> Any:
    if request_id := request_id_var.get():
        event["request_id"] = request_id
    if trace_id := trace_id_var.get():
        event["trace_id"] = trace_id
    return event


def configure_logging(level: str) -> None:
    """One JSON line per record on standard error, from structlog and logging."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _add_request_id,
        _mask_event,
    ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
        "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "json"}
            },
            "root": {"handlers": ["stderr"], "level": level},
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
