"""A SAML identity provider as the published profile has it, for one application.

Assertions are signed by xmlsec (the C library), not by the one under test.
`answer` makes a Response for a request; its parts may be twisted by a test.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from lxml import etree

from tests.federation.serving import Answer, Served

# Its stubs name less than it has.
xmlsec: Any = import_module("xmlsec")
NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
MFA = "https://refeds.org/profile/mfa"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


@cache
def make_key(days: int = 30, which: str = "") -> tuple[bytes, bytes]:
    """A private key and its own certificate, both PEM; made once a process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, certificate.public_bytes(Encoding.PEM)


@dataclass
class Said:
    """What the next assertion says; a test changes single things."""

    request_id: str
    recipient: str
    audience: str
    issuer: str
    subject: str = "ada-at-office"
    format: str = PERSISTENT
    attributes: dict[str, list[str]] = field(default_factory=dict)
    context: str = PASSWORD
    begins: int = -60
    ends: int = 300
    subject_ends: int | None = 300
    session_ends: int | None = None
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    method: str = BEARER
    destination: str = ""


class SamlServer(Served):
    """Signs with `key`; serves its metadata, and a sign-in page that posts."""

    def __init__(self, audience: str, recipient: str, days: int = 30) -> None:
        super().__init__()
        self.key, self.certificate = make_key(days)
        self.audience, self.recipient = audience, recipient
        self.attributes: dict[str, list[str]] = {}
        self.routes = {"/metadata": self._metadata, "/sso": self._sso}

    @property
    def metadata(self) -> str:
        body = "".join(self.certificate.decode().split("\n")[1:-2])
        return f"""<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.base}/idp">
 <md:IDPSSODescriptor protocolSupportEnumeration="{NS["samlp"]}">
  <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{NS["ds"]}"><ds:X509Data>
   <ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
  <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
   Location="{self.base}/sso?realm=isp"/>
 </md:IDPSSODescriptor>
</md:EntityDescriptor>"""

    def said(self, url: str, **twists: Any) -> Said:
        """What would be said in answer to the request in this address."""
        packed = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
        request = etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))
        assert request.get("AssertionConsumerServiceURL") == self.recipient
        assert request.findtext("saml:Issuer", namespaces=NS) == self.audience
        return Said(
            **{
                "request_id": request.get("ID"),
                "recipient": self.recipient,
                "audience": self.audience,
                "issuer": f"{self.base}/idp",
                "attributes": self.attributes,
                **twists,
            }
        )

    def answer(self, said: Said, *, sign: bool = True, sha1: bool = False) -> Any:
        """The Response element."""
        response = etree.fromstring(_response(said))
        if sign:
            self.sign(response.find("saml:Assertion", NS), sha1=sha1)
        return response

    def sign(self, assertion: Any, *, key: bytes = b"", sha1: bool = False) -> None:
        """An enveloped signature behind the issuer, by exclusive canonicalisation."""
        method = xmlsec.Transform.RSA_SHA1 if sha1 else xmlsec.Transform.RSA_SHA256
        node = xmlsec.template.create(assertion, xmlsec.Transform.EXCL_C14N, method)
        assertion.insert(1, node)
        digest = xmlsec.Transform.SHA1 if sha1 else xmlsec.Transform.SHA256
        reference = xmlsec.template.add_reference(
            node, digest, uri=f"#{assertion.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        info = xmlsec.template.ensure_key_info(node)
        xmlsec.template.add_x509_data(info)
        xmlsec.tree.add_ids(assertion, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(key or self.key, xmlsec.KeyFormat.PEM)
        context.key.load_cert_from_memory(self.certificate, xmlsec.KeyFormat.PEM)
        context.sign(node)

    # Endpoints ------------------------------------------------------------------

    def _metadata(self, *_asked: Any) -> Answer:
        return 200, {"Content-Type": "application/xml"}, self.metadata.encode()

    def _sso(self, _method: str, query: dict[str, str], *_rest: Any) -> Answer:
        from urllib.parse import urlencode

        said = self.said(f"{self.base}/sso?{urlencode(query)}")
        value = encoded(self.answer(said))
        page = (
            f'<form method="post" action="{self.recipient}">'
            f'<input type="hidden" name="SAMLResponse" value="{value}">'
            "<button>Continue</button></form>"
        )
        return 200, {"Content-Type": "text/html"}, page.encode()


def encoded(response: Any) -> str:
    raw = response if isinstance(response, bytes) else etree.tostring(response)
    return base64.b64encode(raw).decode()


def at(seconds: int) -> str:
    instant = datetime.now(UTC) + timedelta(seconds=seconds)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _response(said: Said) -> str:
    attributes = "".join(
        f'<saml:Attribute Name="{name}">'
        + "".join(f"<saml:AttributeValue>{v}</saml:AttributeValue>" for v in values)
        + "</saml:Attribute>"
        for name, values in said.attributes.items()
    )
    confirmed = f' NotOnOrAfter="{at(said.subject_ends)}"' if said.subject_ends else ""
    session = (
        f' SessionNotOnOrAfter="{at(said.session_ends)}"' if said.session_ends else ""
    )
    destination = said.destination or said.recipient
    return f"""<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}"
 ID="_r{secrets.token_hex(8)}" Version="2.0" IssueInstant="{at(0)}"
 Destination="{destination}" InResponseTo="{said.request_id}"><saml:Issuer>{said.issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="{said.status}"/></samlp:Status>
<saml:Assertion ID="_a{secrets.token_hex(8)}" Version="2.0" IssueInstant="{at(0)}"><saml:Issuer>{said.issuer}</saml:Issuer>
<saml:Subject><saml:NameID Format="{said.format}">{said.subject}</saml:NameID>
<saml:SubjectConfirmation Method="{said.method}"><saml:SubjectConfirmationData
 Recipient="{said.recipient}" InResponseTo="{said.request_id}"{confirmed}/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{at(said.begins)}" NotOnOrAfter="{at(said.ends)}">
<saml:AudienceRestriction><saml:Audience>{said.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{at(-5)}"{session}><saml:AuthnContext>
<saml:AuthnContextClassRef>{said.context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response>"""
