"""What federation refuses, each with its stable code."""

from __future__ import annotations

from typing import ClassVar

from dotmac.core.errors import (
    AuthenticationRefused,
    Conflict,
    DomainError,
    InvalidInput,
    Unavailable,
)


class FederationRefused(AuthenticationRefused):
    """Whatever was wrong with the answer or the person: the page says the same."""

    code = "federation_refused"
    title = (
        "You could not be signed in this way. Try again, sign in another way, or ask"
        " the operator."
    )


class ProviderSilent(Unavailable):
    code = "provider_silent"
    title = "The sign-in provider does not answer. Try again, or sign in another way."


class AddressRefused(InvalidInput):
    code = "address_refused"
    title = "Give an https:// address without user name, query or fragment."


class MetadataRefused(InvalidInput):
    code = "metadata_refused"
    title = "This is not the metadata of a SAML identity provider."


class DomainsRefused(InvalidInput):
    code = "domains_refused"
    title = "Name at least one e-mail domain, such as example.com."


class ConnectionTaken(Conflict):
    code = "connection_taken"
    title = "There is a connection of this name."


class ConnectionUnchecked(Conflict):
    code = "connection_unchecked"
    title = "Test the connection first: only one that answered is switched on."


class GroupMapped(Conflict):
    code = "group_mapped"
    title = "This group gives this role there already."


class ApplicationTaken(Conflict):
    code = "application_taken"
    title = "There is an application of this name."


class ApplicationUnknown(InvalidInput):
    """Nobody is sent anywhere: the address to return to cannot be trusted."""

    code = "application_unknown"
    title = "This application is not registered here, or asks to return elsewhere."


class ProtocolError(DomainError):
    """An answer of the OAuth endpoints (RFC 6749, 5.2); `code` is the protocol's."""

    status: ClassVar[int] = 400
    title = "The request was refused."

    def __init__(self, error: str, detail: str = "", *, status: int = 400) -> None:
        super().__init__(detail)
        self.error = error
        self.answer_status = status
