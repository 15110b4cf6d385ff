"""Which of the specification's services a path belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import Resolver404, resolve

from dotmac.gateway.middleware import unknown_path
from dotmac.gateway.versions.changes import native_path

# The API's routes belong to the service of the app that has their view. core_events
# and devtools are programs without routes: the relay, the simulators.
OF_APP = {
    "identity": "identity",
    "federation": "identity",
    "catalog": "services",
    "network": "networking",
    "billing": "billing",
    "analytics": "analytics",
    "ops": "core_ops",
}
# Pages join what several apps have, so one process serves them all.
PLATFORM = "platform"
_PAGES = ("/console", "/portal", "/admin", "/accounts", "/api/schema", "/api/docs")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a route is; `name` is the route's."""

    service: str
    name: str


def owner_of(path: str) -> Owner | None:
    """The owner of a path; None for health and for what no route knows."""
    if path == "/health" or path.startswith("/health/"):
        return None
    try:
        found = resolve(native_path(path))
    except Resolver404:
        return None
    if found.func is unknown_path:
        return None
    name, app = found.url_name or "", _app_of(found.func)
    if path.startswith(_PAGES) or app not in OF_APP:
        return Owner(PLATFORM, name)
    return Owner(OF_APP[app], name)


def _app_of(view: Any) -> str:
    """The app of a view function or class, "" for what stands outside the apps."""
    module = getattr(view, "cls", view).__module__.split(".")
    return module[1] if module[0] == "apps" else ""
