"""Explaining a login: the same judges, in words, for whom it concerns."""

from __future__ import annotations

import pytest
from django.utils import timezone

from apps.network import selectors
from apps.network.console.explain import verdict_words
from apps.network.models import AccessAttempt, CoaRequest
from tests.console.lines import put_on_line
from tests.network.conftest import (
    acting,
    another_account,
    build_network,
    nuru_actor,
    session_row,
    staff,
)
from tests.network.test_api import API, fields_of, problem
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.integration
MAC = "02:00:00:00:00:01"
NAS = "127.0.1.1"


def explain(login="ada@home", nas=NAS, actor=None, **facts):
    return selectors.explain_access(
        actor or nuru_actor(), login=login, nas_address=nas, **facts
    )


def outcomes(found):
    return {step.step: step.outcome for step in found.steps}


@pytest.mark.django_db
class TestSteps:
    def test_an_open_line(self, net):
        found = explain()

        assert outcomes(found) == {
            "nas": "known", "account": "found", "expiry": "none", "device": "any",
            "sessions": "free", "profile": "open",
        }  # fmt: skip
        assert (found.verdict, found.reason) == ("password", "open")
        assert ("Mikrotik-Rate-Limit", ":=", "5000k/10000k") in found.reply
        assert "s3cret-word" not in repr(found)
        assert "if the password is right" in verdict_words(found)

    def test_each_hold_with_since_and_by(self, net):
        held = {"account_id": net.account.pk}
        net.do.place_hold(**held, reason="quota", effect="throttle")
        slow = explain()
        net.do.place_hold(**held, reason="abuse", effect="reject", note="spam")
        found = explain(actor=staff("network.view_session", "ops.view_audit"))
        blind = explain(actor=staff("network.view_session"))

        holds = [step for step in found.steps if step.step == "hold"]
        assert [(h.outcome, h.detail["reason"], h.detail["by"]) for h in holds] == [
            ("throttle", "quota", "nuru"), ("reject", "abuse", "nuru"),
        ]  # fmt: skip
        assert holds[1].detail["note"] == "spam"
        assert (slow.verdict, slow.reason, slow.hold) == (
            "password",
            "throttled",
            "quota",
        )
        assert (found.verdict, found.hold, found.reply) == ("reject", "abuse", ())
        assert "a hold (abuse)" in verdict_words(found)
        assert [s.detail["by"] for s in blind.steps if s.step == "hold"] == ["", ""]

    def test_too_many_sessions_are_named_and_no_nas_is_asked(self, net):
        row = session_row(net, net.account, started_at=timezone.now())
        found = explain(mac=MAC)

        (step,) = (s for s in found.steps if s.step == "sessions")
        assert (step.outcome, step.detail["allowed"], step.detail["counted"]) == (
            "over", 1, 1,
        )  # fmt: skip
        assert [(s["id"], s["nas"]) for s in step.detail["sessions"]] == [
            (row.pk, "ikeja-1")
        ]
        assert (found.verdict, found.reason) == ("reject", "sessions")
        assert not CoaRequest.objects.exists()

    def test_what_is_not_there_at_all(self, net):
        net.do.close_access(account_id=net.account.pk)
        closed, nobody = explain(), explain("nobody")
        strange = explain(nas="127.15.0.9")
        net.do.change_nas(nas_id=net.nas.pk, changes={"enabled": False})
        disabled = explain()

        assert closed.steps[1].detail == {"closed": net.account.pk}
        assert nobody.steps[1].detail == {"closed": None}
        for found in (closed, nobody):
            assert (found.verdict, found.reason) == ("reject", "unknown")
            assert "no open account" in verdict_words(found)
        for found, word in ((strange, "unknown"), (disabled, "disabled")):
            assert (found.verdict, outcomes(found)) == ("silent", {"nas": word})
            assert "No answer at all" in verdict_words(found)

    def test_a_device_without_a_password(self, net):
        net.do.change_nas(nas_id=net.nas.pk, changes={"ipoe": True})
        net.do.add_handle(account_id=net.account.pk, kind="mac", value=MAC)

        found = explain(MAC, mac=MAC)

        assert found.steps[1].detail["found_by"] == "mac"
        assert (found.verdict, found.account_id) == ("accept", net.account.pk)
        assert "without a password" in verdict_words(found)

    def test_what_is_open_is_said_once(self, net):
        words = verdict_words(explain())
        assert words.count("et in") == 1
        assert "if the password is right" in words


@pytest.mark.django_db
class TestFaces:
    @pytest.fixture
    def world(self):
        return World()

    @pytest.fixture
    def net(self, world):
        return build_network(acting(world.nuru.actor, now=world.now))

    @pytest.fixture
    def browser(self, world):
        return enter(world.nuru)

    @pytest.mark.parametrize("ipoe", [False, True])
    def test_a_device_counts_where_the_nas_says_so(self, browser, net, ipoe):
        net.do.change_nas(nas_id=net.nas.pk, changes={"ipoe": ipoe})
        path = f"/console/login-attempts/explain?login=02:00:00:00:00:99&nas={NAS}"
        shown = browser.get(path).content.decode()
        assert "no open account" in shown
        assert ("asks for logins only" in shown) is not ipoe

    def test_a_login_is_pasted_and_explained(self, browser, net):
        net.do.place_hold(
            account_id=net.account.pk, reason="abuse", effect="reject", note="<b>spam"
        )
        path = "/console/login-attempts/explain"
        empty = browser.get(path)
        asked = browser.post(
            path, {"login": "ada@home", "nas": NAS, "mac": "", "circuit": ""}
        )
        shown = browser.get(asked.headers["Location"]).content.decode()

        assert (empty.status_code, asked.status_code) == (200, 302)
        assert "Refused, whatever the password: a hold (abuse)." in shown
        assert "&lt;b&gt;spam" in shown
        assert "The decision" not in empty.content.decode()

    def test_every_step_has_its_words(self, browser, net):
        other = another_account(net, "bola@home")
        net.do.change_access(
            account_id=other.pk, mac_lock=MAC, expires_at=net.account.created_at
        )
        net.do.place_hold(account_id=other.pk, reason="quota", effect="throttle")
        session_row(net, other, started_at=timezone.now())
        for query, words in (
            ("login=ada@home", "Let in if the password is right. Nothing else"),
            ("login=bola@home", "Refused: the account is locked to another device."),
            (f"login=bola@home&mac={MAC}", "1 of 1 open: ikeja-1 192.0.2.2"),
            ("login=nobody", "no open account has this login"),
        ):
            page = browser.get(f"/console/login-attempts/explain?{query}&nas={NAS}")
            assert words in page.content.decode(), query

    @pytest.mark.parametrize(
        "query",
        ["login=a&nas=nowhere", "login=a%00&nas=127.0.1.1", "attempt=x", "attempt=9" * 9,
         "attempt=99999", "login=&nas=127.0.1.1", "login=a&nas=192.0.2.77"],
    )  # fmt: skip
    def test_nonsense_explains_nothing(self, browser, net, query):
        answer = browser.get(f"/console/login-attempts/explain?{query}")

        assert answer.status_code == 200
        assert "The decision" not in answer.content.decode()

    def test_an_attempt_leads_to_its_explanation(self, browser, net):
        attempt = AccessAttempt.objects.create(
            decided_at=timezone.now(), login="ada@home", accepted=False, mac=MAC,
            reason="password", account=net.account, nas=net.nas,
        )  # fmt: skip
        link = f"/console/login-attempts/explain?attempt={attempt.pk}"

        listed = browser.get("/console/login-attempts").content.decode()
        shown = browser.get(link).content.decode()

        assert link in listed
        assert "Let in if the password is right" in shown
        assert f'value="{MAC}"' in shown

    def test_by_the_api(self, world, net):
        api, path = world.api(world.nuru), f"{API}/login-attempts/explain"
        net.do.place_hold(account_id=net.account.pk, reason="quota", effect="throttle")

        slow = api.get(path, {"login": "ada@home", "nas": NAS, "mac": MAC}).json()
        nobody = api.get(path, {"login": "nobody", "nas": NAS}).json()

        assert (slow["verdict"], slow["reason"], slow["hold"]) == (
            "password", "throttled", "quota",
        )  # fmt: skip
        assert slow["account"] == net.account.pk
        assert {
            "attribute": "Mikrotik-Rate-Limit",
            "op": ":=",
            "value": "512k/512k",
        } in (slow["reply"])
        assert [step["step"] for step in slow["steps"]] == [
            "nas", "account", "expiry", "hold", "device", "sessions", "profile",
        ]  # fmt: skip
        assert (nobody["verdict"], nobody["account"], nobody["reply"]) == (
            "reject", None, [],
        )  # fmt: skip
        for bad, field in (
            ({"nas": NAS}, "login"),
            ({"login": "a", "nas": "x"}, "nas"),
            ({"login": "a", "nas": "127.15.0.77"}, "nas"),
            ({"login": "a" * 600, "nas": NAS}, "login"),
            ({"login": "a", "nas": NAS, "mac": "\x00"}, "mac"),
        ):
            assert fields_of(problem(api.get(path, bad), 400, "invalid")) == [field]
        assert world.api(world.esi).get(path).status_code in {403, 404}

    def test_a_stranger_is_not_let_near(self, world, net):
        answer = enter(world.esi).get("/console/login-attempts/explain?login=ada@home")

        assert answer.status_code in {302, 403, 404}


@pytest.mark.django_db
def test_somebody_elses_login_is_one_that_nobody_has():
    world = World()
    for person in (world.chidi, world.esi):
        put_on_line(world, person, now=timezone.now(), hours=1)
    remi = world.remi.actor
    logins = {
        account.login: account
        for account in selectors.accounts(nuru_actor(), "network.view_account")
    }
    own = {
        account.login for account in selectors.accounts(remi, "network.view_session")
    }
    assert len(logins) == 2
    assert len(own) == 1

    told = {login: explain(login, actor=remi) for login in logins}
    nobody = explain("nobody", actor=remi)

    for login, found in told.items():
        if login in own:
            assert found.verdict == "reject"
            assert found.account_id == logins[login].pk
        else:
            assert (found.verdict, found.reason, found.reply) == (
                "reject",
                "unknown",
                (),
            )
            assert found == nobody
            assert login not in repr(found)
    # Nor that it was closed, nor by which NASes he might ask.
    (other,) = logins.keys() - own
    acting(nuru_actor(), now=timezone.now()).close_access(account_id=logins[other].pk)
    assert explain(other, actor=remi) == nobody
    assert selectors.explaining_nases(remi) == []
    AccessAttempt.objects.create(
        decided_at=timezone.now(), login="x", accepted=True, reason="open",
        account=logins[next(iter(own))], nas_id=selectors.nas_list(nuru_actor())[0].pk,
    )  # fmt: skip
    assert [nas.name for nas in selectors.explaining_nases(remi)] == ["ikeja-1"]
