"""What we send in SAML, and the metadata of both sides."""

from __future__ import annotations

import base64
import textwrap
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from lxml import etree

from apps.federation.rules.proofs import Distrusted
from apps.federation.rules.xml import (
    METADATA,
    NAMES,
    SAML,
    SAMLP,
    find,
    parse,
    text_of,
)

CERTIFICATES_MAX = 5
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """What a provider's metadata says: who, where, and whose signature counts."""

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]


def read_metadata(document: bytes) -> IdentityProvider:
    """From an EntityDescriptor with one IDPSSODescriptor; raises Distrusted.

    Only the HTTP-Redirect binding is spoken, and only signing keys count
    (saml-metadata-2.0-os, 2.4.3).
    """
    root = parse(document)
    if root.tag != f"{{{METADATA}}}EntityDescriptor":
        raise Distrusted("metadata: no EntityDescriptor")
    roles = find(root, "md:IDPSSODescriptor")
    if len(roles) != 1:
        raise Distrusted("metadata: not one IDPSSODescriptor")
    services = [
        service.get("Location", "")
        for service in find(roles[0], "md:SingleSignOnService")
        if service.get("Binding") == _REDIRECT
    ]
    entity_id = root.get("entityID", "")
    if not services or not 0 < len(entity_id) <= 500:
        raise Distrusted("metadata: no entityID, or no HTTP-Redirect")
    keys = find(
        roles[0],
        "md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Certificate",
    )
    return IdentityProvider(
        entity_id=entity_id,
        sso_url=services[0],
        certificates=tuple(pem_of(text_of(key)) for key in keys[:CERTIFICATES_MAX]),
    )


def pem_of(body: str) -> str:
    """One certificate in PEM, from its base64; raises Distrusted."""
    lines = textwrap.fill("".join(body.split()), 64)
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    try:
        x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise Distrusted("metadata: a broken certificate") from error
    return pem


def split_certificates(text: str) -> list[str]:
    """Certificates that stand one behind the other."""
    end = "-----END CERTIFICATE-----\n"
    return [f"{part}{end}" for part in text.split(end) if part.strip()]


def days_left(certificates: Sequence[str], *, now: datetime) -> int:
    """For how many days the latest certificate is good; below zero: over."""
    ends = [
        x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
        for pem in certificates
    ]
    return (max(ends) - now).days


def request_url(
    provider: IdentityProvider,
    *,
    request_id: str,
    audience: str,
    recipient: str,
    now: datetime,
) -> str:
    """Where the browser goes with an AuthnRequest (saml-bindings-2.0-os, 3.4.4.1)."""
    root = etree.Element(f"{{{SAMLP}}}AuthnRequest", nsmap=_known("samlp", "saml"))
    attributes = {
        "ID": request_id,
        "Version": "2.0",
        "IssueInstant": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Destination": provider.sso_url,
        "AssertionConsumerServiceURL": recipient,
        "ProtocolBinding": _POST,
    }
    for name, value in attributes.items():
        root.set(name, value)
    etree.SubElement(root, f"{{{SAML}}}Issuer").text = audience
    policy = etree.SubElement(root, f"{{{SAMLP}}}NameIDPolicy")
    policy.set("AllowCreate", "true")
    policy.set("Format", _UNSPECIFIED)
    packed = zlib.compressobj(wbits=-15)
    body = packed.compress(etree.tostring(root)) + packed.flush()
    query = urlencode({"SAMLRequest": base64.b64encode(body).decode()})
    return f"{provider.sso_url}{'&' if '?' in provider.sso_url else '?'}{query}"


def own_metadata(*, audience: str, recipient: str) -> bytes:
    """Ours, for the provider's side to read."""
    root = etree.Element(
        f"{{{METADATA}}}EntityDescriptor", nsmap=_known("md"), entityID=audience
    )
    role = etree.SubElement(root, f"{{{METADATA}}}SPSSODescriptor")
    role.set("protocolSupportEnumeration", SAMLP)
    role.set("AuthnRequestsSigned", "false")
    role.set("WantAssertionsSigned", "true")
    form = etree.SubElement(root[0], f"{{{METADATA}}}NameIDFormat")
    form.text = _UNSPECIFIED
    service = etree.SubElement(role, f"{{{METADATA}}}AssertionConsumerService")
    for name, value in (
        ("Binding", _POST), ("Location", recipient), ("index", "0"),
        ("isDefault", "true"),
    ):  # fmt: skip
        service.set(name, value)
    done: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return done


def _known(*prefixes: str) -> dict[Any, str]:
    return {prefix: NAMES[prefix] for prefix in prefixes}
