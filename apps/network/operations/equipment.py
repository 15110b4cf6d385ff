"""Sites and access servers."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.network import selectors
from apps.network.enums import DEFAULT_VENDOR
from apps.network.errors import NameTaken, NasAddressTaken
from apps.network.events import NasChanged, NasCreated, SiteCreated
from apps.network.models import Nas, Site
from apps.network.operations.checks import (
    checked,
    in_range,
    named,
    one_of,
    refuse_unknown_site,
)
from apps.network.operations.nas_secrets import (
    new_secret,
    next_version,
    refuse_while_changing,
)
from apps.network.rules.addressing import parsed_address, usable_as_source
from apps.network.rules.credentials import checked_nas_secret
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids, refusing
from dotmac.core.errors import DomainError, InvalidInput
from dotmac.core.models import open_sealed, seal_into

_URL = re.compile(r"^https?://[!-~]+$")
_URL_MAX = 200
_CHANGEABLE = frozenset(
    {
        "name", "address", "vendor", "coa_port", "site_id", "walled_pool", "secret",
        "require_message_authenticator", "enabled", "redirect_url", "ipoe",
        "counts_32_bits",
    }
)  # fmt: skip


@transaction.atomic
def create_site(
    *, name: str, city: str = "", latitude: Decimal | None = None,
    longitude: Decimal | None = None, actor: Actor, now: datetime,
) -> Site:  # fmt: skip
    """A place for equipment. Coordinates come both or not at all."""
    named(name, maximum=100)
    if (latitude is None) != (longitude is None):
        raise InvalidInput("Give both coordinates or none.", field="longitude")
    if latitude is not None and not abs(latitude) <= 90:
        raise InvalidInput("Between -90 and 90.", field="latitude")
    if longitude is not None and not abs(longitude) <= 180:
        raise InvalidInput("Between -180 and 180.", field="longitude")

    with refusing(network_site_name_key=lambda: NameTaken(field="name")):
        site = Site.objects.create(
            name=name, city=city, latitude=latitude, longitude=longitude
        )
    ops.emit(SiteCreated(occurred_at=now, record_id=site.pk, label=name), actor=actor)
    return site


@transaction.atomic
def create_nas(
    *, name: str, address: str, secret: str | None = None,
    vendor: str = DEFAULT_VENDOR, coa_port: int = 3799, site_id: int | None = None,
    require_message_authenticator: bool = True, walled_pool: str = "walled",
    redirect_url: str = "", ipoe: bool = False, actor: Actor, now: datetime,
) -> Nas:  # fmt: skip
    """Let an access server ask. RADIUS answers it from the next packet on.

    Without a secret one of 32 characters is made; selectors.nas_secret opens it,
    and the edge shows it once. Refused when name or address are in use.
    """
    facts = _checked_facts(
        {
            "name": name, "address": address, "vendor": vendor, "coa_port": coa_port,
            "site_id": site_id, "walled_pool": walled_pool,
            "redirect_url": redirect_url,
        }
    )  # fmt: skip
    clear = secret or new_secret()
    checked("secret", checked_nas_secret, clear)
    nas = Nas(
        id=next_ids(Nas)[0],
        require_message_authenticator=require_message_authenticator,
        ipoe=ipoe,
        **facts,
    )
    seal_into(nas, "secret", clear)

    with refusing(**_nas_refusals()):
        nas.save(force_insert=True)
    ops.emit(
        NasCreated(occurred_at=now, record_id=nas.pk, label=name),
        actor=actor,
        changes={"name": name, "address": str(nas.address), "vendor": vendor},
    )
    return nas


@transaction.atomic
def change_nas(
    *, nas_id: int, changes: dict[str, Any], actor: Actor, now: datetime
) -> Nas:
    """Change the named fields; RADIUS knows within the lifetime of its client entry.

    Fields: name, address, vendor, coa_port, site_id, walled_pool, redirect_url,
    secret, require_message_authenticator, enabled, ipoe, counts_32_bits. Nothing
    different, nothing changed.
    A secret given here counts at once: raises SecretChangeOpen while another one waits.
    """
    unknown = changes.keys() - _CHANGEABLE
    if unknown:
        raise InvalidInput("This cannot be changed.", field=min(unknown))
    nas = Nas.objects.locked().get(pk=nas_id)
    facts = dict(changes)
    clear = facts.pop("secret", None)
    facts = _checked_facts(facts)
    told = {
        field: [_plain(getattr(nas, field)), _plain(value)]
        for field, value in facts.items()
        if getattr(nas, field) != value
    }
    if clear and open_sealed(nas, "secret") != checked(
        "secret", checked_nas_secret, clear
    ):
        refuse_while_changing(nas)
        seal_into(nas, "secret", clear)
        nas.secret_version = next_version(nas)
        told["secret"] = ["***", "***"]
    if not told:
        return nas

    for field in facts.keys() & told.keys():
        setattr(nas, field, facts[field])
    written = [field.removesuffix("_id") for field in told]
    if "secret" in told:
        written += ["secret_index", "secret_version"]
    with refusing(**_nas_refusals()):
        nas.store(*written, now=now)
    ops.emit(
        NasChanged(occurred_at=now, record_id=nas.pk, label=nas.name),
        actor=actor,
        changes=told,
    )
    return nas


def _checked_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with every value checked, the address parsed."""
    facts = dict(facts)
    if "name" in facts:
        named(facts["name"], maximum=100)
    if "walled_pool" in facts:
        named(facts["walled_pool"], maximum=64, field="walled_pool")
    if facts.get("redirect_url"):
        _check_url(facts["redirect_url"])
    if "vendor" in facts:
        one_of("vendor", facts["vendor"], list(dict(selectors.vendor_choices())))
    if "coa_port" in facts:
        in_range("coa_port", facts["coa_port"], 1, 65535)
    if "address" in facts:
        facts["address"] = _source_address(str(facts["address"]))
    refuse_unknown_site(facts.get("site_id"))
    return facts


def _check_url(text: str) -> None:
    """A page that a browser can be sent to."""
    if not _URL.match(text) or len(text) > _URL_MAX:
        raise InvalidInput(
            f"It begins with http:// or https:// and has {_URL_MAX} characters at most.",
            field="redirect_url",
        )


def _source_address(text: str) -> Any:
    address = checked("address", parsed_address, text)
    if not usable_as_source(address):
        raise InvalidInput("No device can send from this address.", field="address")
    return address


def _nas_refusals() -> dict[str, Any]:
    def taken(kind: type[DomainError], field: str) -> Any:
        return lambda: kind(field=field)

    return {
        "network_nas_name_key": taken(NameTaken, "name"),
        "network_nas_address_key": taken(NasAddressTaken, "address"),
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int)) else str(value)
