"""Ten at once: one refresh, one use of a code, one customer, one owner left."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.enums import LinkPurpose, SessionFace
from apps.identity.models import (
    Customer,
    Membership,
    RecoveryCode,
    RefreshToken,
    ResetRequest,
    RoleAssignment,
    Session,
    TotpDevice,
)
from apps.identity.operations.links import make_link
from apps.identity.rules import recovery
from apps.identity.rules.lifetimes import CODE_TRIES_MAX
from dotmac.core.errors import DomainError
from tests.world import SYSTEM, World

CROWD = 10
# Spent by the first one, or the sixth try within a minute.
TOO_LATE = {"otp_reused", "too_many_attempts"}


def at_once(act, count=CROWD):
    """What each of `count` threads got: a value, or the code of the refusal."""
    barrier = Barrier(count)

    def one(number):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return act(number)
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def holding(table, row_id, crowd=CROWD):
    """Keep a row locked until all of the crowd wait, so that nobody is early."""
    held = f"SELECT FROM {table} WHERE id = {row_id:d} FOR UPDATE"
    with kept_waiting(held, "DATABASE_URL", crowd):
        yield


@contextmanager
def nobody_writing(table, count):
    """Keep back what is written, so that all have looked before one has written."""
    with kept_waiting(f"LOCK TABLE {table} IN SHARE MODE", "DATABASE_OWNER_URL", count):
        yield


@contextmanager
def kept_waiting(statement, url, count):
    """Hold what the statement locks until `count` others wait for a lock."""
    with psycopg.connect(os.environ[url]) as holder:
        holder.execute(statement)
        watch = Thread(target=_release_when_all_wait, args=(holder, count))
        watch.start()
        yield
        watch.join()


def _release_when_all_wait(holder, count):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as watcher:
        deadline = time.monotonic() + 20
        waiting = 0
        while waiting < count and time.monotonic() < deadline:
            time.sleep(0.02)
            ((waiting,),) = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
    holder.rollback()


def test_a_refresh_token_works_once(own_database):
    world, now = World(), timezone.now()
    chidi = world.chidi
    tokens = identity.sign_in(
        username="chidi", password=chidi.password, face=SessionFace.API, now=now
    ).tokens
    assert tokens is not None

    session = Session.objects.get(user=chidi.user)
    with holding("identity_session", session.pk):
        answers = at_once(
            lambda _: identity.refresh_tokens(refresh=tokens.refresh, now=now)
        )

    fresh = [answer for answer in answers if answer != "invalid_refresh"]
    assert len(fresh) == 1
    # Nine of ten held a stolen token, for all that can be known: all is over.
    assert Session.objects.get(user=chidi.user).end_reason == "refresh_reused"
    assert RefreshToken.objects.count() == 2


def test_a_one_time_code_works_once(own_database):
    world, now = World(), timezone.now()
    ada = world.ada
    code = ada.otp(now)

    answers = at_once(
        lambda _: identity.sign_in(
            username="ada",
            password=ada.password,
            otp=code,
            face=SessionFace.API,
            address="192.0.2.7",
            now=now,
        )
    )

    refused = [answer for answer in answers if answer in TOO_LATE]
    assert len(refused) == CROWD - 1
    open_sessions = Session.objects.filter(user=ada.user, ended_at=None)
    assert open_sessions.count() == 1


def test_a_one_time_code_completes_one_session(own_database):
    """Ten browsers that gave the password race with one code."""
    world, now = World(), timezone.now()
    ada = world.ada
    code = ada.otp(now)
    owing = [
        identity.sign_in(
            username="ada", password=ada.password, face=SessionFace.CONSOLE, now=now
        ).session.pk
        for _ in range(CROWD)
    ]

    device = TotpDevice.objects.get(user=ada.user)
    with holding("identity_totpdevice", device.pk, CODE_TRIES_MAX):
        answers = at_once(
            lambda number: identity.confirm_code(
                session_id=owing[number], otp=code, now=now
            )
        )

    refused = [answer for answer in answers if answer in TOO_LATE]
    assert len(refused) == CROWD - 1
    assert Session.objects.filter(pk__in=owing, stage="full").count() == 1


@pytest.mark.parametrize("same", ["email", "phone"])
def test_the_same_customer_is_registered_once(own_database, same):
    World()
    now = timezone.now()

    def register(number):
        facts: dict[str, Any] = {
            "email": f"n{number}@mail.example",
            "phone": f"+23480310001{number:02d}",
        }
        facts[same] = {"email": "one@mail.example", "phone": "+2348031000100"}[same]
        if number % 2 and same == "email":
            facts["email"] = "ONE@mail.example"
        return identity.register_customer(
            kind="individual", name="One", **facts, actor=SYSTEM, now=now
        )

    answers = at_once(register)

    assert answers.count("possible_duplicate") == CROWD - 1
    assert Customer.objects.count() == 1


def test_two_customers_cannot_change_into_each_other(own_database):
    world, now = World(), timezone.now()
    people = [
        identity.register_customer(
            kind="individual",
            name=f"N{number}",
            email=f"n{number}@mail.example",
            actor=SYSTEM,
            now=world.now,
        )
        for number in range(CROWD)
    ]

    answers = at_once(
        lambda number: identity.change_customer(
            customer_id=people[number].pk,
            changes={"phone": "+2348031000100"},
            actor=SYSTEM,
            now=now,
        )
    )

    assert answers.count("possible_duplicate") == CROWD - 1
    assert Customer.objects.filter(phone="+2348031000100").count() == 1


def test_one_owner_remains_when_all_leave(own_database):
    world, now = World(), timezone.now()
    owners = [world.hire(f"owner{n}", f"Owner {n}", "owner") for n in range(4)]

    # Each writes its audit row last: by then all four have counted the owners,
    # or wait to count them.
    with nobody_writing("ops_auditentry", 4):
        answers = at_once(
            lambda n: identity.deactivate_user(
                user_id=owners[n].id, actor=SYSTEM, now=now
            ),
            count=4,
        )

    assert answers.count("last_owner") == 1
    assert RoleAssignment.objects.filter(user__is_active=True).count() == 1


def test_nobody_signs_in_after_the_deactivation(own_database):
    """A sign-in that races it either loses its session or is refused."""
    world, now = World(), timezone.now()
    bisi, _owner = world.bisi, world.ada
    code = bisi.otp(now)

    def act(number):
        if number == 0:
            return identity.deactivate_user(user_id=bisi.id, actor=SYSTEM, now=now)
        return identity.sign_in(
            username="bisi",
            password=bisi.password,
            otp=code,
            face=SessionFace.API,
            now=now,
        )

    at_once(act, count=4)

    assert Session.objects.filter(user=bisi.user, ended_at=None).exists() is False


def test_a_recovery_code_works_once(own_database):
    world, now = World(), timezone.now()
    ada = world.ada
    code = identity.make_recovery_codes(user_id=ada.id, actor=ada.actor, now=now)[0]
    row = RecoveryCode.objects.get(
        digest=recovery.digest(ada.id, code.replace("-", ""))
    )

    with holding("identity_recoverycode", row.pk, CODE_TRIES_MAX):
        answers = at_once(
            lambda _: identity.sign_in(
                username="ada",
                password=ada.password,
                otp=code,
                face=SessionFace.API,
                now=now,
            )
        )

    refused = [a for a in answers if a in {"otp_invalid", "too_many_attempts"}]
    assert len(refused) == CROWD - 1
    assert Session.objects.filter(user=ada.user, ended_at=None).count() == 1


def test_a_refresh_token_works_once_ten_times_over(own_database):
    """The race is run anew ten times: each time one of ten gets a pair."""
    world, now = World(), timezone.now()
    for _ in range(10):
        tokens = identity.sign_in(
            username="chidi",
            password=world.chidi.password,
            face=SessionFace.API,
            now=now,
        ).tokens
        assert tokens is not None
        refresh = tokens.refresh
        answers = at_once(
            lambda _, r=refresh: identity.refresh_tokens(refresh=r, now=now)
        )
        assert answers.count("invalid_refresh") == CROWD - 1
    ended = Session.objects.filter(end_reason="refresh_reused").count()
    assert ended == Session.objects.count() == 10


def test_a_link_sets_one_password(own_database):
    world, now = World(), timezone.now()
    link = make_link(
        user=world.chidi.user,
        purpose=LinkPurpose.RESET_PASSWORD,
        lifetime=timedelta(hours=1),
        now=now,
    )

    answers = at_once(
        lambda n: identity.reset_password(
            token=link.token, password=f"nine bridges and then {n}", now=now
        )
    )

    assert answers.count("link_invalid") == CROWD - 1


def test_one_with_all_rights_remains_when_all_leave(own_database):
    world, now = World(), timezone.now()
    customer = world.chidi.customer
    others = [
        identity.invite_member(
            customer_id=customer.pk, email=f"m{n}@mail.example", actor=SYSTEM, now=now
        ).user.pk
        for n in range(3)
    ]
    people = [world.chidi.id, *others]

    answers = at_once(
        lambda n: identity.remove_member(
            customer_id=customer.pk, user_id=people[n], actor=SYSTEM, now=now
        ),
        count=4,
    )

    assert answers.count("last_full_member") == 1
    assert Membership.objects.filter(customer=customer).count() == 1


def test_an_invitation_works_once(own_database):
    world, now = World(), timezone.now()
    user = identity.create_staff(
        username="tayo",
        email="",
        name="Tayo",
        role_slug="support",
        actor=SYSTEM,
        now=world.now,
    )
    link = identity.invite_staff(user_id=user.pk, actor=SYSTEM, now=now)

    answers = at_once(
        lambda n: identity.accept_invitation(
            token=link.token,
            password=f"nine bridges and {n}",
            now=now + timedelta(minutes=1),
        )
    )

    assert answers.count("invitation_invalid") == CROWD - 1
    assert Session.objects.filter(user=user).count() == 1


def test_a_request_that_another_worker_answers_is_left_to_it(own_database):
    now = timezone.now()
    identity.request_reset(name="nobody", face="portal", address="", now=now)
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        other.execute("SELECT FROM identity_resetrequest FOR UPDATE")
        assert identity.answer_reset_requests(now=now) == 0
        assert ResetRequest.objects.filter(done_at=None).count() == 1
    assert identity.answer_reset_requests(now=now) == 0
    assert ResetRequest.objects.filter(done_at=None).exists() is False
