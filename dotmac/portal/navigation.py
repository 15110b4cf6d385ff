"""What every page of the portal shows: menu, whose account, how to get help."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.identity import selectors as identity
from dotmac.core import portal
from dotmac.core.portal import PortalPageRequest
from dotmac.portal.access import customer_ids_of


def shell(page: PortalPageRequest, current: str) -> dict[str, Any]:
    """Context for portal/base.html; `current` is the slug of the marked place."""
    customer = identity.customer_of(page.customer_id)
    return {
        "page": page,
        "customer": customer,
        "others": _others(page),
        "menu": _menu(page, current),
        "may_papers": page.may("identity.view_document"),
        "may_copy": page.may("identity.export_customer"),
        "operator_phone": settings.OPERATOR_PHONE,
        "operator_email": settings.DEFAULT_FROM_EMAIL,
    }


def _menu(page: PortalPageRequest, current: str) -> list[dict[str, Any]]:
    home = {
        "label": _("Home"),
        "icon": "home",
        "url": reverse("portal:home"),
        "current": current == "home",
    }
    places = [
        {
            "label": item.label,
            "icon": item.icon,
            "url": item.url,
            "current": item.slug == current,
        }
        for item in portal.menu()
        if page.may(item.permission)
    ]
    help_ = {
        "label": _("Help"),
        "icon": "lifebuoy",
        "url": reverse("portal:help"),
        "current": current == "help",
    }
    return [home, *places, help_]


def _others(page: PortalPageRequest) -> list[Any]:
    """Other customers this person acts for; most people have none."""
    ids = [one for one in customer_ids_of(page.actor) if one != page.customer_id]
    return [identity.customer_of(one) for one in ids[:20]]
