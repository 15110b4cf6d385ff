"""XML from strangers: parsed without entities, DTDs, network or huge trees."""

from __future__ import annotations

from typing import Any

from lxml import etree

from apps.federation.rules.proofs import Distrusted

DOCUMENT_BYTES_MAX = 256 * 1024
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
NAMES = {"saml": SAML, "samlp": SAMLP, "md": METADATA, "ds": DSIG}
ENCODED = (b"<!DOCTYPE", b"<!ENTITY")


def parse(document: bytes) -> Any:
    """The root element. Raises Distrusted for what no provider has to send.

    Entities are neither declared nor expanded: a document with a DOCTYPE is refused
    before it is parsed, in UTF-8, and after it in any other encoding.
    """
    if len(document) > DOCUMENT_BYTES_MAX:
        raise Distrusted("xml: too large")
    if any(word in document.upper() for word in ENCODED):
        raise Distrusted("xml: a document type")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        dtd_validation=False, attribute_defaults=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Distrusted("xml: not well-formed") from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise Distrusted("xml: a document type")
    # A comment inside a name lets two readers read two names.
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise Distrusted("xml: comments or instructions")
    return root


def find(node: Any, path: str) -> list[Any]:
    """Elements by a path with the prefixes of NAMES."""
    found: list[Any] = node.xpath(path, namespaces=NAMES)
    return found


def only(node: Any, path: str, what: str) -> Any:
    """The one element there; Distrusted for none and for several."""
    found = find(node, path)
    if len(found) != 1:
        raise Distrusted(f"saml: {len(found)} x {what}")
    return found[0]


def text_of(node: Any) -> str:
    return "".join(node.itertext()).strip()
