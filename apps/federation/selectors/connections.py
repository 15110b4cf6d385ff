"""Connections: those offered at a door, and what staff see of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from apps.federation.enums import ConnectionKind
from apps.federation.models import Connection, GroupRole, LinkedPerson
from apps.federation.rules.saml_documents import own_metadata
from apps.identity.enums import SessionFace, UserKind
from dotmac.core.actors import Actor

WAYS_MAX = 10
PEOPLE_MAX = 200
FACE_OF = {UserKind.STAFF: SessionFace.CONSOLE, UserKind.CUSTOMER: SessionFace.PORTAL}
_AUDIENCE_OF = {face: audience for audience, face in FACE_OF.items()}


@dataclass(frozen=True, slots=True)
class WayIn:
    """One button of a sign-in page."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Ours, as the provider has to know them."""

    callback: str
    consumer: str
    metadata: str


def ways_in(face: str) -> list[WayIn]:
    """The connections that are switched on for a door, by name."""
    rows = open_connections(face).order_by("name", "pk")
    return [WayIn(*pair) for pair in rows.values_list("slug", "name")[:WAYS_MAX]]


def open_connections(face: str) -> QuerySet[Connection]:
    audience = _AUDIENCE_OF.get(SessionFace(face))
    return Connection.objects.filter(is_active=True, audience=audience)


def addresses_of(connection: Connection) -> Addresses:
    """Callback (OIDC), assertion consumer service and entity id (SAML)."""
    face = FACE_OF[UserKind(connection.audience)]
    root = f"{settings.BASE_URL}/{face}/federation/{connection.slug}"
    return Addresses(
        callback=f"{root}/callback", consumer=f"{root}/acs", metadata=f"{root}/metadata"
    )


def metadata_of(*, slug: str, face: str) -> bytes | None:
    """Our SAML metadata for one connection, switched on or not; None without it."""
    audience = _AUDIENCE_OF.get(SessionFace(face))
    rows = Connection.objects.filter(kind=ConnectionKind.SAML, audience=audience)
    connection = rows.filter(slug=slug).first()
    if connection is None:
        return None
    ours = addresses_of(connection)
    return own_metadata(audience=ours.metadata, recipient=ours.consumer)


def connections_visible_to(actor: Actor, permission: str) -> QuerySet[Connection]:
    """They are the operator's: all of them, or none."""
    rows = Connection.objects.all()
    return rows if actor.may(permission) else rows.none()


def mappings_of(connection_id: int) -> QuerySet[GroupRole]:
    """Which group gives which role where."""
    rows = GroupRole.objects.filter(connection_id=connection_id)
    return rows.select_related("role", "unit").order_by("group", "role__name", "pk")


def people_of(connection_id: int) -> QuerySet[LinkedPerson]:
    """Who comes in through it, the latest first."""
    rows = LinkedPerson.objects.filter(connection_id=connection_id)
    return rows.select_related("user").order_by("-seen_at", "-pk")[:PEOPLE_MAX]
