"""SAML: signed assertions for us, in answer to us, now, once; everything else is refused."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from lxml import etree

from apps.federation.models import Connection, LinkedPerson, SignInFlow
from apps.federation.rules.proofs import Distrusted, Reading
from apps.federation.rules.saml import Asked, document_of, read_response
from dotmac.core.models import open_sealed
from tests.federation.forgeries import FORGERIES
from tests.federation.making import make_connection, map_group
from tests.federation.saml_server import MFA, NS, encoded
from tests.federation.ways import (
    SLUG,
    ask,
    assert_refused,
    nobody_linked,
    post_saml,
    roles_of,
    session_of,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.security,
    pytest.mark.django_db,
    pytest.mark.usefixtures("saml_connection"),
]
ASSERTION = f"{{{NS['saml']}}}Assertion"


def bring(saml, said, browser=None):
    """The provider's form, posted in some browser; where that is sent on to."""
    root = f"/console/federation/{SLUG}"
    value = encoded(saml.answer(said))
    answer = (browser or Client()).post(f"{root}/acs", {"SAMLResponse": value})
    assert answer.status_code == 303
    return answer["Location"]


def come_in(saml, browser=None, **twists):
    browser = browser or Client()
    said = saml.said(ask(browser), **twists)
    return post_saml(browser, encoded(saml.answer(said)))


# Coming in ----------------------------------------------------------------------


def test_a_colleague_comes_in_and_owes_the_own_code(world, saml):
    assert world.sola
    browser = Client()
    answer = come_in(saml, browser)
    assert "/console/sign-in/code" in answer["Location"]
    assert session_of(browser).user_id == world.sola.id
    person = LinkedPerson.objects.get()
    assert (person.subject, person.groups) == ("ada-at-office", ["everybody"])


def test_the_request_says_who_asks_and_where_to_answer(world, saml):
    address = ask(Client())
    assert address.startswith(f"{saml.base}/sso?realm=isp&SAMLRequest=")
    said = saml.said(address)
    assert said.request_id.startswith("_dm")


def test_groups_give_roles_and_a_trusted_class_counts_as_second_factor(world, saml):
    row = Connection.objects.get()
    map_group(row, "everybody", "auditor", world.operator.pk)
    Connection.objects.update(trusts_mfa=True)
    assert world.sola
    browser = Client()
    assert come_in(saml, browser, context=MFA)["Location"] == "/console/"
    found = session_of(browser)
    assert found.stage == "full"
    assert timedelta() < datetime.now(UTC) - found.mfa_at < timedelta(seconds=30)
    assert roles_of(world.sola.id) == {"support", "auditor"}


def test_an_email_name_is_the_address_too(world, saml):
    saml.attributes = {}
    assert world.sola
    form = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    answer = come_in(saml, subject="sola@demo-isp.example", format=form)
    assert answer.status_code == 302


def test_an_answer_waits_sealed_and_is_forgotten_when_it_was_used(world, saml):
    assert world.sola
    browser = Client()
    said = saml.said(ask(browser))
    way = bring(saml, said)
    flow = SignInFlow.objects.get()
    assert b"sola@demo-isp.example" not in bytes(flow.answer)
    assert "sola@demo-isp.example" in open_sealed(flow, "answer")
    word = parse_qs(urlsplit(way).query)["word"][0]
    assert len(word) >= 43
    assert word not in str(SignInFlow.objects.values().get())
    assert browser.get(way).status_code == 302
    assert session_of(browser).user_id == world.sola.id
    assert SignInFlow.objects.get().answer is None


def test_who_asked_does_not_become_whoever_answered(world, saml):
    """Login hijack: the attacker asks, a victim's single sign-on answers."""
    assert world.sola
    attacker, victim = Client(), Client()
    begun = ask(attacker)
    way = bring(saml, saml.said(begun), victim)
    finish = urlsplit(way).path
    wrong = "x" * 43
    for guess in ("", "?word=", f"?word={wrong}", f"?word={wrong * 9}"):
        assert_refused(attacker.get(f"{finish}{guess}"))
    assert_refused(victim.get(way))
    assert nobody_linked()
    # An attempt of strangers spoils nothing for whoever has both.
    assert attacker.get(way).status_code == 302


def test_who_answered_does_not_sign_in_who_did_not_ask(world, saml):
    """Login CSRF: the attacker's own answer is pushed into a victim's browser."""
    assert world.sola
    attacker, victim = Client(), Client()
    ask(victim)
    way = bring(saml, saml.said(ask(attacker)), victim)
    assert_refused(victim.get(way))


def test_words_of_two_answers_are_not_exchanged(world, saml):
    assert world.sola
    attacker, victim = Client(), Client()
    own = bring(saml, saml.said(ask(attacker), subject="mallory", attributes={}))
    bring(saml, saml.said(ask(attacker)), victim)
    assert_refused(attacker.get(own), "email_unverified")


def test_our_metadata_says_what_the_provider_has_to_know(world, saml):
    answer = Client().get(f"/console/federation/{SLUG}/metadata")
    root = etree.fromstring(answer.content)
    assert root.get("entityID") == saml.audience
    assert saml.recipient.encode() in answer.content
    assert b'WantAssertionsSigned="true"' in answer.content
    for path in ("/portal/federation/head-office", "/console/federation/other"):
        assert Client().get(f"{path}/metadata").status_code == 404


def test_an_address_needs_trust_or_a_link(world, saml):
    Connection.objects.update(trusts_email=False)
    assert world.sola
    assert_refused(come_in(saml), "email_unverified")


# What is not honest ---------------------------------------------------------------

TWISTS: dict[str, dict[str, Any]] = {
    "another audience": {"audience": "https://other.example"},
    "another issuer": {"issuer": "https://evil.example"},
    "over": {"ends": -300, "begins": -600},
    "not begun": {"begins": 600},
    "the subject is over": {"subject_ends": -300},
    "a subject without an end": {"subject_ends": None},
    "the session there is over": {"session_ends": -300},
    "no success": {"status": "urn:oasis:names:tc:SAML:2.0:status:Requester"},
    "holder of key": {"method": "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"},
    "another destination": {"destination": "https://other.example/acs"},
    "a name for one day": {
        "format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    },
    "no name": {"subject": ""},
    "an endless name": {"subject": "x" * 256},
    "too many groups": {"attributes": {"groups": ["g"] * 501}},
}


@pytest.mark.parametrize("twist", TWISTS)
def test_a_signed_answer_that_does_not_fit_opens_nothing(world, saml, twist):
    assert world.sola
    assert_refused(come_in(saml, **TWISTS[twist]))
    assert nobody_linked()


def test_an_answer_for_another_recipient_is_refused(world, saml):
    assert world.sola
    browser = Client()
    said = saml.said(ask(browser))
    said.recipient, said.destination = "https://other.example/acs", saml.recipient
    assert_refused(post_saml(browser, encoded(saml.answer(said))))


def test_an_answer_to_nothing_is_refused(world, saml):
    """Sign-ins that the provider begins are not taken."""
    assert world.sola
    for asked in ("", "_dm1-x", "_other", f"_dm999999-{'x' * 43}"):
        browser = Client()
        said = saml.said(ask(browser), request_id=asked)
        assert_refused(post_saml(browser, encoded(saml.answer(said))))


def test_an_answer_to_somebody_elses_question_is_refused(world, saml):
    assert world.sola
    victim, attacker = Client(), Client()
    said = saml.said(ask(attacker))
    ask(victim)
    assert_refused(post_saml(victim, encoded(saml.answer(said))))


def test_inner_and_outer_request_must_be_one(world, saml):
    assert world.sola
    one, other = Client(), Client()
    response = saml.answer(saml.said(ask(one)))
    response.set("InResponseTo", saml.said(ask(other)).request_id)
    assert_refused(post_saml(other, encoded(response)))


def test_a_replayed_answer_is_refused(world, saml):
    assert world.sola
    browser = Client()
    value = encoded(saml.answer(saml.said(ask(browser))))
    assert post_saml(browser, value).status_code == 302
    assert post_saml(browser, value).status_code == 401
    assert post_saml(Client(), value).status_code == 401


def test_of_two_equal_answers_before_the_browser_comes_one_counts(world, saml):
    assert world.sola
    value = encoded(saml.answer(saml.said(ask(Client()))))
    root = f"/console/federation/{SLUG}"
    first = Client().post(f"{root}/acs", {"SAMLResponse": value})
    second = Client().post(f"{root}/acs", {"SAMLResponse": value})
    assert (first.status_code, second.status_code) == (303, 401)


def test_an_answer_that_lost_its_race_is_refused(world, saml, monkeypatch):
    from django.db.models import QuerySet

    assert world.sola
    value = encoded(saml.answer(saml.said(ask(Client()))))
    monkeypatch.setattr(QuerySet, "update", lambda *_a, **_k: 0)
    answer = Client().post(f"/console/federation/{SLUG}/acs", {"SAMLResponse": value})
    assert answer.status_code == 401


# Signatures -------------------------------------------------------------------------


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_answer_opens_nothing(world, saml, forgery):
    assert world.sola
    browser = Client()
    said = saml.said(ask(browser))
    assert_refused(post_saml(browser, encoded(FORGERIES[forgery](saml, said))))
    assert nobody_linked()


def test_the_rule_itself_compares_the_request(world, saml):
    said = saml.said(ask(Client()))
    asked = Asked(
        issuer=said.issuer, audience=said.audience, recipient=said.recipient,
        request_id="_another", certificates=[saml.certificate.decode()],
    )  # fmt: skip
    root = document_of(encoded(saml.answer(said)))
    with pytest.raises(Distrusted, match="another request"):
        read_response(root, asked, Reading("groups"), now=datetime.now(UTC))


# XML ----------------------------------------------------------------------------------

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;">]><r>&c;</r>"""
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>'
DOCUMENTS = {
    "a billion laughs": LAUGHS,
    "an outside entity": OUTSIDE,
    "laughs in UTF-16": LAUGHS.decode().encode("utf-16"),
    "no XML": b"hello",
    "nothing": b"",
    "something else": b"<r/>",
    "too deep": b"<r>" * 5_000,
    "too large": b"<r>" + b"x" * 262_150 + b"</r>",
    "much too large": b"<r>" + b"x" * 300_000 + b"</r>",
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_that_is_none_is_refused(world, document):
    value = base64.b64encode(DOCUMENTS[document]).decode()
    assert_refused(post_saml(Client(), value))


@pytest.mark.parametrize("value", ["", "%%%", "é", "x" * 400_000])
def test_a_field_that_is_no_document_is_refused(world, value):
    assert_refused(post_saml(Client(), value))


def test_a_comment_inside_a_name_is_refused(world, saml):
    """Two readers would read two names (CVE-2017-11427 and its kin)."""
    assert world.sola
    browser = Client()
    raw = etree.tostring(saml.answer(saml.said(ask(browser))))
    raw = raw.replace(b"ada-at-office", b"ada-at<!---->-office")
    assert_refused(post_saml(browser, encoded(raw)))


def test_a_doctype_around_an_honest_answer_is_refused(world, saml):
    assert world.sola
    browser = Client()
    raw = etree.tostring(saml.answer(saml.said(ask(browser))))
    assert_refused(post_saml(browser, encoded(b"<!DOCTYPE x>" + raw)))


# The form ---------------------------------------------------------------------------


def test_the_form_is_taken_from_another_site_but_only_by_post(world):
    strict = Client(enforce_csrf_checks=True)
    path = f"/console/federation/{SLUG}/acs"
    assert strict.post(path, {"SAMLResponse": "x"}).status_code == 401
    assert strict.get(path).status_code == 405
    assert Client().post("/portal/federation/head-office/acs").status_code == 404


def test_an_openid_connection_takes_no_assertion(world):
    row = make_connection(name="Other")
    Connection.objects.filter(pk=row.pk).update(
        is_active=True, checked_at=datetime.now(UTC)
    )
    assert Client().post("/console/federation/other/acs").status_code == 404


def test_coming_for_an_answer_that_never_came_is_refused(world):
    browser = Client()
    ask(browser)
    assert_refused(browser.get(f"/console/federation/{SLUG}/finish"))


def test_eight_bad_answers_lock_the_address(world, saml):
    for _each in range(8):
        assert post_saml(Client(), "x").status_code == 401
    assert post_saml(Client(), "x").status_code == 429
    query = parse_qs(urlsplit(ask(Client())).query)
    assert query["SAMLRequest"]


def test_the_first_address_that_can_be_one_is_taken(world, saml):
    assert world.sola
    saml.attributes = {
        "email": ["", "x" * 300], "mail": ["sola@demo-isp.example"],
        "displayName": ["Sola"],
    }  # fmt: skip
    assert come_in(saml).status_code == 302
