"""The load tool's counts against servers that are real: what they store, or refuse."""

from __future__ import annotations

import random
import uuid
from collections import Counter

import pytest

from apps.network.models import SessionLive
from tests.conformance.isp import SECRET
from tools.load import plan
from tools.load.engine import Pace, Server, run
from tools.load.plan import Maker, Subscriber

pytestmark = pytest.mark.integration
LOOPBACK = "127.0.0.1"


@pytest.fixture
def people(isp):
    """Eight subscribers who may have several sessions, as their accounts and for the tool."""
    accounts = [isp.account(sessions_max=0) for _ in range(8)]
    return accounts, [Subscriber(a.login, "right horse") for a in accounts]


@pytest.fixture
def load(isp):
    """Sends a plan to the server as its NAS."""
    maker = Maker(secret=SECRET.encode(), prefix=uuid.uuid4().hex[:8])
    client = isp.client

    def send(make, *args, source=LOOPBACK, secret=SECRET, **pace):
        server = Server(
            auth=(LOOPBACK, client.auth_port), acct=(LOOPBACK, client.acct_port),
            secret=secret.encode(), sources=[source],
        )  # fmt: skip
        return run(
            make(maker, *args), server=server, pace=Pace(**{"window": 8, **pace})
        )

    return send


def test_logins_are_answered_as_the_plan_expects(load, people):
    results = load(
        lambda maker, who: plan.logins(
            maker, who, 48, methods=plan.METHODS, wrong_every=6
        ),
        people[1],
    )

    tally = results.kinds["Access-Request"]
    assert tally.codes == Counter({2: 40, 3: 8})
    assert (results.lost, results.unexpected) == (0, 0)
    assert tally.took_ms(0.5) > 0


def test_a_storm_leaves_every_session_in_the_database(load, people):
    accounts, who = people
    logins = [account.login for account in accounts]
    for status in plan.ACCOUNTING:
        results = load(plan.storm, who, 8, status, rate=200)
        assert (results.answered, results.lost, results.unexpected) == (8, 0, 0)

    rows = SessionLive.objects.filter(login__in=logins)
    assert sorted(row.login for row in rows) == sorted(logins)
    assert {(row.octets_in, row.stopped_at is None) for row in rows} == {
        (5_000_000_000, False)
    }


def test_a_mixture_is_answered_whole(load, people):
    weights = {"Access-Request": 1, "Start": 2, "Interim-Update": 2, "Stop": 1}
    results = load(plan.mixture, people[1], 100, weights, random.Random(3))

    assert set(results.kinds) == set(plan.KINDS)
    assert (results.answered, results.lost, results.unexpected) == (100, 0, 0)


def test_a_refusal_that_was_not_expected_is_counted(isp, load, people):
    accounts, who = people
    isp.hold(accounts[3], "reject")

    results = load(plan.logins, who, 8)

    assert (results.answered, results.lost, results.unexpected) == (8, 0, 1)
    assert [kept["login"] for kept in results.kept] == [accounts[3].login]


def test_a_stranger_loses_everything(load, people):
    results = load(plan.logins, people[1], 4, source="127.14.0.9", wait_s=0.2, tries=2)

    assert (results.answered, results.lost, results.unexpected) == (0, 4, 0)


def test_answers_under_another_secret_are_foreign(load, people):
    """The server drops what is not signed for it, so only its view is tried here."""
    results = load(
        plan.logins, people[1], 4, secret="another secret", wait_s=0.2, tries=1
    )

    assert (results.answered, results.lost) == (0, 4)
