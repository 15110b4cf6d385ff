"""Structured logs with secrets masked, and the request id they carry."""

from __future__ import annotations

import logging
import logging.config
import re
import uuid
from contextvars import ContextVar
from typing import Any

import structlog

request_id_var: ContextVar[str] = ContextVar("request_id", default="")

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
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def new_request_id(offered: str = "") -> str:
    """The caller's id when it is harmless, else a fresh one."""
    return offered if _REQUEST_ID.match(offered) else uuid.uuid4().hex


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


def _mask_event(_: Any, __: str, event: Any) -> Any:
    masked = mask(dict(event))
    masked["event"] = mask(str(event.get("event", "")))
    return masked


def _add_request_id(_: Any, __: str, event: Any) -> Any:
    if request_id := request_id_var.get():
        event["request_id"] = request_id
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
