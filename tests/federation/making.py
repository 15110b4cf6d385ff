"""Connections and applications, made by the operations."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.federation import operations
from tests.world import SYSTEM

RETURN = "https://grafana.demo-isp.example/login/generic_oauth"
LEAVE = "https://grafana.demo-isp.example/bye"
DOMAIN = "demo-isp.example"
# Nothing listens there.
SILENT = "http://127.0.0.1:9"


def facts(**values: Any) -> operations.ConnectionFacts:
    return operations.ConnectionFacts(
        **{"name": "Head office", "domains": [DOMAIN], **values}
    )


def make_connection(
    kind: str = "oidc", audience: str = "staff", actor: Any = SYSTEM, **values: Any
) -> Any:
    """A connection that was not tested yet."""
    if kind == "oidc":
        values = {"issuer": SILENT, "client_id": "dotmac", **values}
    return operations.create_connection(
        kind=kind, audience=audience, facts=facts(**values), actor=actor,
        now=timezone.now(),
    )  # fmt: skip


def switched_on(row: Any) -> Any:
    """Tested with success, and on."""
    now = timezone.now()
    checked = operations.check_connection(connection_id=row.pk, actor=SYSTEM, now=now)
    assert checked.checked_at == now, checked.check_says
    return operations.switch_connection(
        connection_id=row.pk, on=True, actor=SYSTEM, now=now
    )


def map_group(row: Any, group: str, role: str, unit_id: int) -> Any:
    return operations.map_role(
        connection_id=row.pk, group=group, role_slug=role, unit_id=unit_id,
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip


def make_application(**values: Any) -> Any:
    return operations.register_application(
        **{
            "name": "Grafana", "return_addresses": [RETURN],
            "leave_addresses": [LEAVE], "actor": SYSTEM, "now": timezone.now(),
            **values,
        }
    )  # fmt: skip
