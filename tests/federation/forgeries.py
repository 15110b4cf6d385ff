"""SAML answers as an attacker makes them, signed, wrapped or bent."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from tests.federation.saml_server import NS, make_key


def _unsigned(saml, said):
    return saml.answer(said, sign=False)


def _other_key(saml, said):
    response = saml.answer(said, sign=False)
    key, _certificate = make_key(which="a stranger's")
    saml.sign(response.find("saml:Assertion", NS), key=key)
    return response


def _sha1(saml, said):
    return saml.answer(said, sha1=True)


def _changed(saml, said):
    response = saml.answer(said)
    response.find(".//saml:NameID", NS).text = "somebody-else"
    return response


def _only_the_response_is_signed(saml, said):
    response = saml.answer(said, sign=False)
    assertion = response.find("saml:Assertion", NS)
    saml.sign(assertion)
    signature = assertion.find("ds:Signature", NS)
    assertion.remove(signature)
    response.insert(1, signature)
    return response


def _evil(assertion):
    """A copy that names an owner, with its signature left out."""
    copy = deepcopy(assertion)
    copy.set("ID", "_evil")
    copy.find(".//saml:NameID", NS).text = "the-owner"
    copy.remove(copy.find("ds:Signature", NS))
    return copy


def _wrapped_beside(saml, said):
    """XSW: the forged assertion first, the signed one behind it."""
    response = saml.answer(said)
    assertion = response.find("saml:Assertion", NS)
    response.insert(list(response).index(assertion), _evil(assertion))
    return response


def _wrapped_around(saml, said):
    """XSW: the signed assertion inside the forged one's own signature."""
    response = saml.answer(said)
    assertion = response.find("saml:Assertion", NS)
    evil, signature = _evil(assertion), assertion.find("ds:Signature", NS)
    response.replace(assertion, evil)
    moved = deepcopy(signature)
    holder = etree.SubElement(moved, f"{{{NS['ds']}}}Object")
    holder.append(assertion)
    evil.insert(1, moved)
    return response


def _wrapped_in_extensions(saml, said):
    """XSW: the signed assertion moved into samlp:Extensions."""
    response = saml.answer(said)
    assertion = response.find("saml:Assertion", NS)
    response.replace(assertion, _evil(assertion))
    box = etree.SubElement(response, f"{{{NS['samlp']}}}Extensions")
    box.append(assertion)
    return response


def _same_id_twice(saml, said):
    """The forged part has the signed one's ID, under another element."""
    response = saml.answer(said)
    assertion = response.find("saml:Assertion", NS)
    subject = assertion.find("saml:Subject", NS)
    forged = etree.SubElement(subject, f"{{{NS['saml']}}}Advice")
    forged.set("ID", assertion.get("ID"))
    return response


def _reference_elsewhere(saml, said):
    response = saml.answer(said)
    response.find(".//ds:Reference", NS).set("URI", f"#{response.get('ID')}")
    return response


def _reference_to_all(saml, said):
    response = saml.answer(said)
    response.find(".//ds:Reference", NS).set("URI", "")
    return response


def _another_transform(saml, said):
    response = saml.answer(said)
    response.find(".//ds:Transform", NS).set(
        "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116"
    )
    return response


def _two_signatures(saml, said):
    response = saml.answer(said)
    signature = response.find(".//ds:Signature", NS)
    signature.getparent().insert(1, deepcopy(signature))
    return response


def _encrypted(saml, said):
    response = saml.answer(said)
    etree.SubElement(response, f"{{{NS['saml']}}}EncryptedAssertion")
    return response


def _no_id(saml, said):
    response = saml.answer(said)
    del response.find("saml:Assertion", NS).attrib["ID"]
    return response


def _other_version(saml, said):
    response = saml.answer(said, sign=False)
    assertion = response.find("saml:Assertion", NS)
    assertion.set("Version", "1.1")
    saml.sign(assertion)
    return response


def _old_response(saml, said):
    response = saml.answer(said)
    response.set("Version", "1.1")
    return response


def _no_audience(saml, said):
    response = saml.answer(said, sign=False)
    conditions = response.find(".//saml:Conditions", NS)
    conditions.remove(conditions[0])
    saml.sign(response.find("saml:Assertion", NS))
    return response


def _bad_time(text):
    def made(saml, said):
        response = saml.answer(said, sign=False)
        response.find(".//saml:Conditions", NS).set("NotOnOrAfter", text)
        saml.sign(response.find("saml:Assertion", NS))
        return response

    return made


FORGERIES = {
    "unsigned": _unsigned,
    "another key": _other_key,
    "SHA-1": _sha1,
    "changed afterwards": _changed,
    "the signature elsewhere": _only_the_response_is_signed,
    "wrapped beside": _wrapped_beside,
    "wrapped around": _wrapped_around,
    "wrapped in extensions": _wrapped_in_extensions,
    "one id twice": _same_id_twice,
    "a reference elsewhere": _reference_elsewhere,
    "a reference to all": _reference_to_all,
    "another transform": _another_transform,
    "two signatures": _two_signatures,
    "encrypted": _encrypted,
    "no id": _no_id,
    "another version": _other_version,
    "an old response": _old_response,
    "for nobody in particular": _no_audience,
    "a time in words": _bad_time("tomorrow"),
    "a time without a zone": _bad_time("2036-01-01T00:00:00"),
}
