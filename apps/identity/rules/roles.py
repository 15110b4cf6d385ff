"""Which permissions of the catalogue belong to which role or right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from apps.identity.enums import MemberRights

OWNER = "owner"


@dataclass(frozen=True, slots=True)
class RoleRule:
    """A role that comes with DotMac; patterns choose from the catalogue."""

    slug: str
    name: str
    holds: tuple[str, ...]
    lacks: tuple[str, ...] = ()


ROLES = (
    RoleRule(OWNER, "Owner", ("*",)),
    RoleRule(
        "manager",
        "Manager",
        ("*",),
        (
            "identity.manage_roles",
            "identity.grant_access",
            "identity.manage_rules",
            "ops.set_business_date",
            # Who says how people come in could become any of them.
            "federation.create_*",
            "federation.change_*",
            "federation.switch_*",
            "federation.map_*",
            "federation.unlink_*",
            "federation.register_*",
            "federation.renew_*",
        ),
    ),
    RoleRule(
        "support",
        "Support",
        (
            "*.view_*",
            "identity.create_customer",
            "identity.change_customer",
            "identity.reopen_customer",
            "identity.impersonate_customer",
            "identity.tag_customer",
            "identity.write_note",
            "identity.open_document",
            "identity.add_document",
            "identity.change_document",
            "identity.create_portal_user",
            "identity.set_portal_password",
            "catalog.order_service",
            "catalog.provision_service",
            "catalog.suspend_service",
            "catalog.resume_service",
            "catalog.reveal_credentials",
            "network.disconnect_session",
            "network.place_hold",
            "network.lift_hold",
        ),
        (
            "billing.view_ledger",
            "identity.view_staff",
            "identity.view_sign_in",
            "identity.view_api_key",
            "identity.view_access",
            "identity.view_rule",
            "federation.view_*",
            "ops.view_audit",
        ),
    ),
    RoleRule(
        "billing-clerk",
        "Billing clerk",
        (
            "billing.*",
            "analytics.view_*",
            "identity.view_customer",
            "identity.view_timeline",
            "identity.change_customer",
            "identity.tag_customer",
            "identity.view_field",
            "identity.write_note",
            "identity.view_document",
            "identity.open_document",
            "identity.add_document",
            "identity.change_document",
            "catalog.view_*",
            "identity.create_api_key",
            "ops.view_job",
            "ops.view_message",
        ),
    ),
    RoleRule(
        "network-engineer",
        "Network engineer",
        (
            "network.*",
            "catalog.view_*",
            "catalog.provision_service",
            "identity.view_customer",
            "identity.create_api_key",
            "identity.view_timeline",
            "identity.write_note",
            "analytics.view_online_sessions",
            "ops.view_job",
            "ops.view_integrity",
        ),
    ),
    RoleRule("auditor", "Auditor", ("*.view_*",)),
    # Held in a reseller's unit: its own customers, their services and bills.
    RoleRule(
        "reseller",
        "Reseller",
        (
            "identity.view_customer",
            "identity.create_customer",
            "identity.change_customer",
            "identity.create_portal_user",
            "identity.view_document",
            "identity.open_document",
            "identity.add_document",
            "identity.change_document",
            "identity.view_unit",
            "catalog.view_*",
            "catalog.order_service",
            "catalog.provision_service",
            "catalog.suspend_service",
            "catalog.resume_service",
            "network.view_account",
            "network.view_session",
            "network.view_usage",
            "billing.view_invoice",
            "billing.view_payment",
        ),
    ),
)

# What a portal user may do for the customers it belongs to.
_LOOK = (
    "identity.view_customer",
    "catalog.view_service",
    "catalog.view_order",
    "catalog.view_plan",
    "network.view_usage",
)
_BILLS = (
    "billing.view_invoice",
    "billing.view_payment",
    "billing.start_checkout",
    "billing.pay_invoice",
)
# Papers, like people, are for those with all rights alone.
_PAPERS = (
    "identity.view_document",
    "identity.open_document",
    "identity.add_document",
    "identity.export_customer",
)
_OF_RIGHTS: dict[str, tuple[str, ...]] = {
    MemberRights.VIEW: _LOOK,
    MemberRights.BILLING: ("identity.view_customer", *_BILLS),
    MemberRights.FULL: (*_LOOK, *_BILLS, *_PAPERS),
}


def permissions_of_role(rule: RoleRule, catalogue: Iterable[str]) -> list[str]:
    """The names of the catalogue that the role holds, sorted."""
    return sorted(
        name
        for name in catalogue
        if _matches(name, rule.holds) and not _matches(name, rule.lacks)
    )


def is_built_in(slug: str) -> bool:
    """Whether the role comes with DotMac: `sync_roles` keeps it as it is."""
    return any(rule.slug == slug for rule in ROLES)


def rights_with(permission: str) -> list[str]:
    """The rights of a membership that allow it."""
    return [rights for rights, held in _OF_RIGHTS.items() if permission in held]


def permissions_of_rights(rights: str) -> tuple[str, ...]:
    """What a membership with these rights allows."""
    return _OF_RIGHTS[rights]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
