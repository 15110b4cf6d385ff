"""What is known of connections, their people, and registered applications."""

from apps.federation.rules.provider import (
    SCOPES,
    AskedWrongly,
    answer_url,
    credentials_of,
    is_too_old,
    wish_of,
)
from apps.federation.selectors.applications import (
    Asking,
    PersonAtApplication,
    application_asking,
    applications_visible_to,
    consented_scopes,
    discovery_document,
    leaving_to,
    own_consents,
    people_of_application,
    person_of_token,
)
from apps.federation.selectors.connections import (
    Addresses,
    WayIn,
    addresses_of,
    connections_visible_to,
    mappings_of,
    metadata_of,
    people_of,
    ways_in,
)
from apps.federation.selectors.personal import held_of

__all__ = [
    "SCOPES",
    "Addresses",
    "AskedWrongly",
    "Asking",
    "PersonAtApplication",
    "WayIn",
    "addresses_of",
    "answer_url",
    "application_asking",
    "applications_visible_to",
    "connections_visible_to",
    "consented_scopes",
    "credentials_of",
    "discovery_document",
    "held_of",
    "is_too_old",
    "leaving_to",
    "mappings_of",
    "metadata_of",
    "own_consents",
    "people_of",
    "people_of_application",
    "person_of_token",
    "ways_in",
    "wish_of",
]
