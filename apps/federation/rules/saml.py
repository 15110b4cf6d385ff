"""SAML 2.0 answers: only what the provider's own signature covers is read.

The assertion is cut out of the answer, its signature is verified, and from then on
only the bytes that were signed are looked at: an element that an attacker puts
beside them (signature wrapping) is never read. The checks are those of the Web
Browser SSO profile (saml-profiles-2.0-os, 4.1.4.3).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from apps.federation.rules.proofs import (
    Distrusted,
    Proof,
    Reading,
    groups_in,
)
from apps.federation.rules.xml import SAML, SAMLP, find, only, parse, text_of

SKEW = timedelta(minutes=2)
ANSWER_CHARACTERS_MAX = 350_000
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_TRANSFORMS = {
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
}
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512, SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512,
    }
)  # fmt: skip
_DIGESTS = frozenset(
    {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
)
# The library meets hostile bytes: what its parsers raise is a refusal as well.
_REFUSALS = (
    SignXMLException, etree.LxmlError, AttributeError, KeyError, TypeError, ValueError,
)  # fmt: skip
_MFA = frozenset(
    {
        "https://refeds.org/profile/mfa",
        "http://schemas.microsoft.com/claims/multipleauthn",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
    }
)
# What providers call the same thing: plain, LDAP's number, Microsoft's address.
_EMAILS = (
    "email", "mail", "emailAddress", "urn:oid:0.9.2342.19200300.100.1.3",
    "urn:oid:1.2.840.113549.1.9.1",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)  # fmt: skip
_PEOPLE = (
    "displayName", "name", "cn", "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What we asked, as the answer has to repeat it."""

    issuer: str
    audience: str
    recipient: str
    request_id: str
    certificates: Sequence[str]


def document_of(encoded: str) -> Any:
    """The answer out of the form field SAMLResponse (saml-bindings-2.0-os, 3.5.4)."""
    if len(encoded) > ANSWER_CHARACTERS_MAX:
        raise Distrusted("saml: too large")
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Distrusted("saml: not base64") from error
    root = parse(raw)
    if root.tag != f"{{{SAMLP}}}Response":
        raise Distrusted("saml: no Response")
    return root


def in_response_to(root: Any) -> str:
    """Which request the answer claims to be for; "" for none. Not yet believed."""
    return str(root.get("InResponseTo", ""))


def read_response(root: Any, asked: Asked, reading: Reading, *, now: datetime) -> Proof:
    """The person, from a signed assertion that answers our request now.

    Raises Distrusted: another status, issuer, audience, recipient or request; an
    assertion that is unsigned, encrypted, doubled, over or not begun.
    """
    _check_envelope(root, asked)
    assertion = _signed(root, asked, now)
    if text_of(only(assertion, "saml:Issuer", "Issuer")) != asked.issuer:
        raise Distrusted("saml: another issuer")
    _check_conditions(assertion, asked, now)
    name_id = _check_subject(assertion, asked, now)
    mfa, at = _authentication(assertion, reading, now)
    attributes = _attributes(assertion)
    is_email = name_id.get("Format") == _EMAIL_FORMAT
    subject = text_of(name_id)
    # A name that is another one each time would make another person each time.
    if not 0 < len(subject) <= 255 or name_id.get("Format") == _TRANSIENT:
        raise Distrusted("saml: no lasting name")
    return Proof(
        subject=subject,
        email=_first(attributes, _EMAILS) or (subject[:254] if is_email else ""),
        name=_first(attributes, _PEOPLE),
        groups=groups_in(attributes.get(reading.group_claim, [])),
        mfa=mfa,
        authenticated_at=at,
    )


def _check_envelope(root: Any, asked: Asked) -> None:
    """What stands around the assertion is not signed, and can only refuse."""
    status = only(root, "samlp:Status/samlp:StatusCode", "StatusCode")
    if root.get("Version") != "2.0" or status.get("Value") != _SUCCESS:
        raise Distrusted("saml: no success")
    if root.get("Destination", asked.recipient) != asked.recipient:
        raise Distrusted("saml: another destination")
    if in_response_to(root) != asked.request_id:
        raise Distrusted("saml: another request")
    if find(root, "//saml:EncryptedAssertion"):
        raise Distrusted("saml: encrypted assertions are not read")


def _signed(root: Any, asked: Asked, now: datetime) -> Any:
    """The assertion as it was signed, or Distrusted."""
    if len(find(root, "//saml:Assertion")) != 1:
        raise Distrusted("saml: not one assertion")
    node = only(root, "/samlp:Response/saml:Assertion", "Assertion in its place")
    signature = only(node, "ds:Signature", "Signature of the assertion")
    reference = only(signature, "ds:SignedInfo/ds:Reference", "Reference")
    name = node.get("ID", "")
    if not name or reference.get("URI") != f"#{name}":
        raise Distrusted("saml: something else is signed")
    used = {each.get("Algorithm") for each in find(reference, ".//ds:Transform")}
    if not used <= _TRANSFORMS:
        raise Distrusted("saml: transforms")
    signed = _verified(etree.tostring(node, with_tail=False), asked.certificates, now)
    is_ours = signed is not None and signed.tag == f"{{{SAML}}}Assertion"
    if not is_ours or signed.get("ID") != name or signed.get("Version") != "2.0":
        raise Distrusted("saml: something else is signed")
    return signed


def _verified(assertion: bytes, certificates: Sequence[str], now: datetime) -> Any:
    """What one of the provider's certificates signed. Those in the answer do not count."""
    config = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=now,
    )
    why = "no certificate"
    for pem in certificates:
        try:
            done = XMLVerifier().verify(
                assertion,
                x509_cert=x509.load_pem_x509_certificate(pem.encode()),
                id_attribute="ID",
                expect_config=config,
            )
        except _REFUSALS as error:
            why = type(error).__name__
            continue
        return None if isinstance(done, list) else done.signed_xml
    raise Distrusted(f"saml: signature: {why}")


def _check_conditions(assertion: Any, asked: Asked, now: datetime) -> None:
    conditions = only(assertion, "saml:Conditions", "Conditions")
    _check_window(conditions, now, "conditions")
    for_us = find(conditions, "saml:AudienceRestriction")
    if not for_us or not all(
        asked.audience in [text_of(one) for one in find(each, "saml:Audience")]
        for each in for_us
    ):
        raise Distrusted("saml: another audience")


def _check_subject(assertion: Any, asked: Asked, now: datetime) -> Any:
    """The NameID of a subject that the bearer of this very answer is."""
    subject = only(assertion, "saml:Subject", "Subject")
    data = only(
        subject,
        f"saml:SubjectConfirmation[@Method='{_BEARER}']/saml:SubjectConfirmationData",
        "bearer confirmation",
    )
    if data.get("Recipient") != asked.recipient:
        raise Distrusted("saml: another recipient")
    if data.get("InResponseTo") != asked.request_id:
        raise Distrusted("saml: another request")
    if data.get("NotOnOrAfter") is None:
        raise Distrusted("saml: a subject without an end")
    _check_window(data, now, "subject")
    return only(subject, "saml:NameID", "NameID")


def _authentication(
    assertion: Any, reading: Reading, now: datetime
) -> tuple[bool, datetime | None]:
    """Whether a second factor was seen, and when the person signed in there."""
    statement = only(assertion, "saml:AuthnStatement", "AuthnStatement")
    end = statement.get("SessionNotOnOrAfter")
    if end is not None and _instant(end) <= now - SKEW:
        raise Distrusted("saml: the session there is over")
    classes = {
        text_of(one)
        for one in find(statement, "saml:AuthnContext/saml:AuthnContextClassRef")
    }
    at = statement.get("AuthnInstant")
    known = _MFA | set(reading.mfa_words)
    return bool(classes & known), _instant(at) if at is not None else None


def _check_window(node: Any, now: datetime, what: str) -> None:
    begins, ends = node.get("NotBefore"), node.get("NotOnOrAfter")
    if begins is not None and now < _instant(begins) - SKEW:
        raise Distrusted(f"saml: {what} not begun")
    if ends is not None and now >= _instant(ends) + SKEW:
        raise Distrusted(f"saml: {what} over")


def _attributes(assertion: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in find(assertion, "saml:AttributeStatement/saml:Attribute"):
        values = [text_of(value) for value in find(node, "saml:AttributeValue")]
        found.setdefault(node.get("Name", ""), []).extend(values)
    return found


def _first(attributes: dict[str, list[str]], names: Sequence[str]) -> str:
    for name in names:
        for value in attributes.get(name, []):
            if value and len(value) < 255 and value.isprintable():
                return value
    return ""


def _instant(text: str) -> datetime:
    """xs:dateTime in UTC, as SAML demands (saml-core-2.0-os, 1.3.3)."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Distrusted("saml: malformed time") from error
    if found.tzinfo is None:
        raise Distrusted("saml: malformed time")
    return found.astimezone(UTC)
