"""What two at once must not do: make two accounts, use one word twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from apps.federation.errors import FederationRefused, ProtocolError
from apps.federation.models import ApplicationToken, LinkedPerson
from apps.federation.operations import exchange_code, finish_federated, give_code
from apps.federation.operations.admission import settle
from apps.federation.rules.proofs import Proof
from apps.federation.selectors import application_asking, credentials_of, wish_of
from apps.identity import selectors
from apps.identity.models import Session, User
from tests.federation.asking import VERIFIER, wish
from tests.federation.conftest import forget, provider
from tests.federation.making import (
    RETURN,
    make_application,
    make_connection,
    map_group,
    switched_on,
)
from tests.federation.oidc_server import CLIENT, SECRET
from tests.federation.ways import SLUG, answered, ask
from tests.sessions import enter
from tests.world import World

__all__ = ["forget", "provider"]
pytestmark = [pytest.mark.integration, pytest.mark.security]
AT_ONCE = 8


@pytest.fixture
def world(own_database, django_db_blocker):
    with django_db_blocker.unblock():
        yield World()


def at_once(act):
    """What each of eight threads gets, all let go together."""
    barrier = Barrier(AT_ONCE)

    def one(_number):
        try:
            barrier.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_two_first_sign_ins_make_one_account(world, provider):
    row = switched_on(
        make_connection(issuer=provider.base, client_id=CLIENT, makes_accounts=True)
    )
    map_group(row, "noc", "auditor", world.operator.pk)
    proof = Proof(
        subject="p-9", email="new@demo-isp.example", email_verified=True,
        groups=("noc",),
    )  # fmt: skip

    said = at_once(
        lambda: settle(connection_id=row.pk, proof=proof, now=datetime.now(UTC))
    )

    user = User.objects.get(email="new@demo-isp.example")
    assert {one.user_id for one in said} == {user.pk}
    assert LinkedPerson.objects.count() == 1


def test_an_answer_opens_one_session(world, provider):
    switched_on(make_connection(issuer=provider.base, client_id=CLIENT, secret=SECRET))
    assert world.sola
    from django.test import Client

    browser = Client()
    path = answered(ask(browser))
    flows = browser.session["federation"]
    query = dict(pair.split("=", 1) for pair in path.partition("?")[2].split("&"))
    query.pop("iss")
    before = Session.objects.count()

    def come():
        try:
            return finish_federated(
                slug=SLUG, face="console", flow_ids=flows, answer=query,
                address="192.0.2.7", now=datetime.now(UTC),
            )  # fmt: skip
        except FederationRefused:
            return None

    said = [one for one in at_once(come) if one is not None]
    assert len(said) == 1
    assert Session.objects.count() == before + 1


def test_a_code_is_exchanged_once(world):
    app = make_application()
    row = Session.objects.get(pk=enter(world.sola).session["console_sid"])
    now = datetime.now(UTC)
    actor = selectors.actor_for_session(row, now=now)
    asking = application_asking(app.row.client_id, RETURN)
    code = give_code(asking=asking, wish=wish_of(wish(app)), actor=actor, now=now)
    form = {"client_id": app.row.client_id, "client_secret": app.secret}

    def exchange():
        try:
            return exchange_code(
                credentials=credentials_of("", form), code=code,
                return_address=RETURN, verifier=VERIFIER, now=datetime.now(UTC),
            )  # fmt: skip
        except ProtocolError:
            return None

    given = [one for one in at_once(exchange) if one is not None]
    assert len(given) == 1
    # The seven others looked like thieves: what was given is taken back.
    assert ApplicationToken.objects.get().revoked_at is not None
