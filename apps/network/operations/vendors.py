"""Maps of vendors from files to rows, and what one NAS is told besides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from apps.network.enums import ReplyMoment
from apps.network.errors import VendorInUse
from apps.network.events import NasChanged
from apps.network.models import Nas, NasAttribute, VendorMap
from apps.network.operations.checks import one_of
from apps.network.radius.attributes import attribute_table
from apps.network.radius.vendors import own_maps
from apps.network.rules.attributes import checked_attribute
from apps.network.rules.credentials import MalformedText
from apps.network.rules.vendors import VendorMap as Map
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput
from dotmac.core.refs import SubjectRef

ATTRIBUTES_MAX = 50
_OPS = [":=", "+="]


@transaction.atomic
def load_vendor_maps(
    *, actor: Actor, now: datetime, maps: Sequence[Map] | None = None
) -> list[str]:
    """Make the rules those of the files; the next answer of RADIUS has them.

    Returns the vendors whose map is another one now; repeating changes nothing. A
    vendor whose file is gone goes; refused with `vendor_in_use` while a NAS is of it.
    """
    wanted = own_maps() if maps is None else maps
    gone = VendorMap.objects.exclude(slug__in=[found.slug for found in wanted])
    used = Nas.objects.filter(vendor__in=gone.values("slug")).order_by("name").first()
    if used is not None:
        raise VendorInUse(vendor=used.vendor, nas=used.name)
    documents = json.dumps([found.document for found in wanted])
    with connection.cursor() as cursor:
        cursor.execute("SELECT network_load_vendor_maps(%s::jsonb)", [documents])
        changed = [str(slug) for (slug,) in cursor.fetchall()]
    if changed:
        ops.record(
            action="network.load_vendor_maps",
            subject=SubjectRef("network", "vendor_map", 0, ", ".join(changed)[:200]),
            actor=actor,
            now=now,
            changes={"vendors": changed},
        )
    return changed


@transaction.atomic
def add_nas_attribute(
    *, nas_id: int, attribute: str, value: str, op: str = ":=",
    moment: str = ReplyMoment.ALWAYS, actor: Actor, now: datetime,
) -> NasAttribute:  # fmt: skip
    """Tell this NAS an attribute besides its vendor's map; at once, with every answer.

    `:=` takes the place of what the map says, `+=` adds a value. Refused when no
    dictionary has the attribute, when it is the server's own or a secret, and when
    the value does not fit it. Adding the same again changes nothing.
    """
    one_of("moment", moment, ReplyMoment.values)
    one_of("op", op, _OPS)
    try:
        checked_attribute(attribute, value, attribute_table())
    except MalformedText as complaint:
        field = (
            "value"
            if attribute.split(":", maxsplit=1)[0] in attribute_table()
            else "attribute"
        )
        raise InvalidInput(str(complaint), field=field) from None
    nas = Nas.objects.locked().get(pk=nas_id)
    facts = {"moment": moment, "attribute": attribute, "op": op, "value": value}
    known = NasAttribute.objects.filter(nas=nas, **facts).first()
    if known is not None:
        return known
    if NasAttribute.objects.filter(nas=nas).count() >= ATTRIBUTES_MAX:
        raise InvalidInput(f"A NAS has {ATTRIBUTES_MAX} at most.", field="attribute")
    added = NasAttribute.objects.create(nas=nas, **facts)
    _told(nas, [None, f"{moment}: {added}"], actor=actor, now=now)
    return added


@transaction.atomic
def remove_nas_attribute(
    *, nas_id: int, attribute_id: int, actor: Actor, now: datetime
) -> None:
    """Tell this NAS no longer; removing what is gone changes nothing."""
    nas = Nas.objects.locked().get(pk=nas_id)
    row = NasAttribute.objects.filter(nas=nas, pk=attribute_id).first()
    if row is None:
        return
    row.delete()
    _told(nas, [f"{row.moment}: {row}", None], actor=actor, now=now)


def _told(nas: Nas, change: list[str | None], *, actor: Actor, now: datetime) -> None:
    ops.emit(
        NasChanged(occurred_at=now, record_id=nas.pk, label=nas.name),
        actor=actor,
        changes={"attributes": change},
    )
