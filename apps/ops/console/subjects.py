"""Links from copied subject columns to the screens that show them."""

from __future__ import annotations

from typing import Any

from dotmac.core.console import detail_url, registry

# Which detail screen shows which kind of record.
_SCREENS = {
    "identity.customer": "customers",
    "catalog.service": "services",
    "catalog.order": "orders",
    "catalog.plan": "plans",
    "billing.invoice": "invoices",
    "billing.payment": "payments",
    "billing.run": "billing-runs",
    "billing.billingrun": "billing-runs",
    "network.nas": "nas",
    "network.prefix": "prefixes",
    "network.pool": "pools",
    "network.account": "accounts",
    "network.accessaccount": "accounts",
    "ops.job": "jobs",
    "ops.message": "messages",
}


def subject_url(row: Any) -> str:
    """The page of the record a row is about, or an empty text."""
    slug = _SCREENS.get(f"{row.subject_app}.{row.subject_kind}", "")
    return detail_url(slug, row.subject_id) if slug in registry.details else ""


def subject_text(row: Any) -> str:
    return row.subject_label or f"{row.subject_kind} {row.subject_id}"


def customer_url(row: Any) -> str:
    """The customer's page, where the row concerns one."""
    if row.customer_id is None or "customers" not in registry.details:
        return ""
    return detail_url("customers", row.customer_id)
