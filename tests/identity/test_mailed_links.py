"""Links by mail: no table holds them, each works once, and strangers learn nothing."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    CredentialsRefused,
    EmailTaken,
    LinkRefused,
    MalformedEmail,
    WeakPassword,
)
from apps.identity.models import EmailProof, OneTimeLink, ResetRequest, Session, User
from apps.identity.tasks import answer_reset_requests, forget_sessions
from apps.ops.models import AuditEntry, Message
from apps.ops.tasks import send_messages
from dotmac.core.errors import NotFound
from dotmac.core.letters import LetterOver, filled
from tests.world import SYSTEM

pytestmark = pytest.mark.django_db
GOOD = "brave otters juggle seven lemons"


@pytest.fixture
def chidi(world):
    """With a mailbox."""
    User.objects.filter(pk=world.chidi.id).update(email="chidi@mail.example")
    world.chidi.user.refresh_from_db()
    return world.chidi


def delivered():
    """Send what is due and take the mails out of the box."""
    mail.outbox.clear()
    send_messages()
    return list(mail.outbox)


def link_in(text):
    [path] = re.findall(r"https?://[^/\s]+(/\S+)", text)
    return path


def ask(name, face="portal"):
    answer = Client().post(f"/{face}/reset", {"username": name})
    answer_reset_requests()
    return answer


def rows_of(*tables):
    """Everything that a dump would show of these tables."""
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")  # noqa: S608
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_a_customer_sets_a_new_password(chidi, enter):
    before = enter(chidi, now=timezone.now())
    assert b"Look into your mailbox" in ask("Chidi@Mail.example").content
    [letter] = delivered()
    path = link_in(letter.body)
    assert (letter.to, path[:14]) == (["chidi@mail.example"], "/portal/reset/")

    browser = Client()
    assert b"chidi" in browser.get(path).content
    assert browser.get(path).status_code == 200  # Looking does not use it up.
    weak = browser.post(path, {"password": "short", "again": "short"})
    assert (weak.status_code, b"At least 15" in weak.content) == (400, True)
    done = browser.post(path, {"password": GOOD, "again": GOOD})

    assert b"Your password is set" in done.content
    assert "portal_sid" not in browser.session
    before.session.refresh_from_db()
    assert before.session.end_reason == "credentials_changed"
    assert browser.get(path).status_code == 404
    assert browser.post(path, {"password": GOOD, "again": GOOD}).status_code == 404
    with pytest.raises(CredentialsRefused):
        enter(chidi, now=timezone.now())
    enter(chidi, password=GOOD, now=timezone.now())
    assert selectors.proved_email(chidi.user)
    assert [letter.subject for letter in delivered()] == ["Your password was changed"]


def test_staff_still_need_their_second_factor(world):
    ada = world.ada
    ask(ada.user.email, face="console")
    path = link_in(delivered()[0].body)
    assert path.startswith("/console/reset/")
    browser = Client()
    browser.post(path, {"password": GOOD, "again": GOOD})

    signed = browser.post("/console/sign-in", {"username": "ada", "password": GOOD})
    assert signed["Location"].startswith("/console/sign-in/code")
    assert browser.get("/console/").status_code == 302
    browser.post(signed["Location"], {"otp": ada.otp()})
    assert browser.get("/console/").status_code == 200


@pytest.mark.security
def test_no_table_holds_the_link(chidi):
    """A dump of the database, made at any time, opens nothing."""
    ask("chidi")
    tables = (
        "ops_message",
        "identity_onetimelink",
        "ops_auditentry",
        "ops_outboxevent",
    )
    before = rows_of(*tables)
    path = link_in(delivered()[0].body)
    token = path.rsplit("/", 1)[1]

    assert len(token) == 43
    assert token not in before + rows_of(*tables, "identity_resetrequest")
    message = Message.objects.get()
    assert "{link}" in message.body
    assert message.filled_by == f"identity.link:{OneTimeLink.objects.get().pk}"


@pytest.mark.security
@pytest.mark.parametrize(
    "name", ["nobody", "nobody@mail.example", "ada", "dayo", "x" * 254, "' OR 1=1 --"]
)
def test_others_get_the_same_answer_and_no_mail(world, chidi, name):
    """Unknown, staff at the customers' door, without an address: all alike."""
    assert world.ada
    assert world.dayo

    known, unknown = ask("chidi"), ask(name)

    def plain(page):
        return re.sub(r"[0-9a-f]{32}", "", page.content.decode())

    assert known.status_code == unknown.status_code == 200
    assert plain(known) == plain(unknown)
    assert [letter.to for letter in delivered()] == [["chidi@mail.example"]]


@pytest.mark.security
def test_known_and_unknown_names_cost_the_same_statements(chidi):
    from django.test.utils import CaptureQueriesContext

    def statements(name):
        with CaptureQueriesContext(connection) as found:
            Client().post("/portal/reset", {"username": name})
        return [query["sql"][:40] for query in found]

    assert statements("chidi") == statements("nobody at all")


def test_a_reset_proves_only_the_mailbox_that_it_was_mailed_to(chidi):
    ask("chidi")
    path = link_in(delivered()[0].body)
    User.objects.filter(pk=chidi.id).update(email="elsewhere@mail.example")

    identity.reset_password(
        token=path.rsplit("/", 1)[1], password=GOOD, now=timezone.now()
    )
    assert EmailProof.objects.exists() is False


@pytest.mark.security
def test_nobody_is_flooded(chidi):
    for _ in range(6):
        ask("chidi")
        delivered()

    letters = Message.objects.filter(purpose="identity.reset_password")
    assert letters.count() == 3
    # Only the newest works.
    assert OneTimeLink.objects.unspent().count() == 1


def test_a_link_lives_for_an_hour(chidi):
    now = timezone.now()
    identity.request_reset(name="chidi", face="portal", now=now)
    identity.answer_reset_requests(now=now)
    token = link_in(delivered()[0].body).rsplit("/", 1)[1]

    with pytest.raises(LinkRefused):
        identity.reset_password(
            token=token, password=GOOD, now=now + timedelta(minutes=60)
        )
    with pytest.raises(WeakPassword):
        identity.reset_password(
            token=token, password="password", now=now + timedelta(minutes=59)
        )
    identity.reset_password(token=token, password=GOOD, now=now + timedelta(minutes=59))


@pytest.mark.security
@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000, "%00", ".."])
def test_a_guessed_link_is_over(world, token):
    for door in ("console", "portal"):
        answer = Client().get(f"/{door}/reset/{token or 'A'}")
        assert answer.status_code == 404
    with pytest.raises(LinkRefused):
        identity.reset_password(token=token, password=GOOD, now=timezone.now())


@pytest.mark.security
def test_a_link_serves_its_own_purpose(chidi):
    identity.request_email(
        user_id=chidi.id, email="c@new.example", actor=chidi.actor, now=timezone.now()
    )
    token = link_in(delivered()[0].body).rsplit("/", 1)[1]

    with pytest.raises(LinkRefused):
        identity.reset_password(token=token, password=GOOD, now=timezone.now())
    assert Client().get(f"/portal/reset/{token}").status_code == 404
    assert Client().get(f"/portal/invitation/{token}").status_code == 404


@pytest.mark.security
def test_a_new_key_of_the_installation_keeps_links_that_were_made(chidi, settings):
    ask("chidi")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of the installation, long enough for django"
    path = link_in(delivered()[0].body)
    assert Client().get(path).status_code == 200

    # Without the older key the mail is not sent at all.
    ask("chidi")
    with override_settings(SECRET_KEY="a third one", SECRET_KEY_FALLBACKS=[]):
        assert delivered() == []
    assert Message.objects.latest("pk").error == "The link in this message is over."


def test_a_mail_whose_link_is_over_is_not_sent(chidi):
    ask("chidi")
    OneTimeLink.objects.update(revoked_at=timezone.now())

    assert delivered() == []
    with pytest.raises(LetterOver):
        filled("{link}", "unheard.of:1", now=timezone.now())
    assert filled("{link}", "", now=timezone.now()) == "{link}"


def test_a_switched_off_person_s_link_is_over(world, chidi):
    ask("chidi")
    path = link_in(delivered()[0].body)
    identity.deactivate_user(
        user_id=chidi.id, actor=world.ada.actor, now=timezone.now()
    )

    assert Client().get(path).status_code == 404


def test_what_people_typed_is_forgotten(chidi):
    ask("chidi")
    assert ResetRequest.objects.count() == 1
    forget_sessions()
    assert ResetRequest.objects.count() == 1
    ResetRequest.objects.update(done_at=timezone.now() - timedelta(days=2))
    forget_sessions()
    assert ResetRequest.objects.exists() is False


# Addresses -------------------------------------------------------------------


def test_a_new_address_counts_when_its_mail_is_read(chidi):
    now = timezone.now()
    identity.request_email(
        user_id=chidi.id, email="new@mail.example", actor=chidi.actor, now=now
    )
    chidi.user.refresh_from_db()
    assert chidi.user.email == "chidi@mail.example"
    path = link_in(delivered()[0].body)
    browser = Client()
    assert browser.get(path).status_code == 200
    chidi.user.refresh_from_db()
    assert chidi.user.email == "chidi@mail.example"

    assert b"is confirmed" in browser.post(path).content
    chidi.user.refresh_from_db()
    assert chidi.user.email == "new@mail.example"
    assert selectors.proved_email(chidi.user)
    assert [letter.to for letter in delivered()] == [["chidi@mail.example"]]
    assert browser.post(path).status_code == 404
    actions = AuditEntry.objects.filter(action__endswith="_email")
    assert actions.count() == 2


def test_the_address_one_has_can_be_confirmed_and_nobody_is_told_of_a_change(chidi):
    now = timezone.now()
    for email in ("chidi@mail.example", "Chidi@Mail.example"):
        identity.request_email(
            user_id=chidi.id, email=email, actor=chidi.actor, now=now
        )
        path = link_in(delivered()[0].body)
        identity.confirm_email(token=path.rsplit("/", 1)[1], now=now)
    assert selectors.proved_email(chidi.user)
    assert delivered() == []


def test_a_first_address_tells_nobody_of_a_change(world):
    now = timezone.now()
    assert world.chidi.user.email == ""
    identity.request_email(
        user_id=world.chidi.id, email="first@mail.example",
        actor=world.chidi.actor, now=now,
    )  # fmt: skip
    path = link_in(delivered()[0].body)
    user = identity.confirm_email(token=path.rsplit("/", 1)[1], now=now)
    assert (user.email, delivered()) == ("first@mail.example", [])


def test_an_address_of_somebody_else_is_refused_in_that_mailbox(world, chidi):
    assert world.ada
    identity.request_email(
        user_id=chidi.id,
        email="ADA@demo-isp.example",
        actor=chidi.actor,
        now=timezone.now(),
    )
    path = link_in(delivered()[0].body)
    with pytest.raises(EmailTaken):
        identity.confirm_email(token=path.rsplit("/", 1)[1], now=timezone.now())
    answer = Client().post(path)
    assert (answer.status_code, b"already" in answer.content) == (409, True)
    assert EmailProof.objects.exists() is False


def test_a_malformed_address_is_refused(chidi):
    for email in ("", "x", "a@b", "a b@c.example"):
        with pytest.raises(MalformedEmail):
            identity.request_email(
                user_id=chidi.id, email=email, actor=chidi.actor, now=timezone.now()
            )
    with pytest.raises(NotFound):
        identity.request_email(
            user_id=2**40, email="a@b.example", actor=SYSTEM, now=timezone.now()
        )


def test_an_address_that_staff_typed_is_asked_to_be_confirmed(world):
    identity.create_portal_user(
        customer_id=world.chidi.customer.pk, username="cousin", password=GOOD,
        email="cousin@mail.example", actor=world.ada.actor, now=timezone.now(),
    )  # fmt: skip

    [letter] = delivered()
    assert (letter.to, letter.subject) == (
        ["cousin@mail.example"],
        "Confirm your e-mail address",
    )


# Invitations of staff by mail --------------------------------------------------


@pytest.mark.security
def test_a_colleague_s_invitation_is_mailed_without_being_stored(world, enter_console):
    browser = enter_console(world.ada)
    shown = browser.post(
        "/console/staff/new",
        {
            "username": "tayo",
            "name": "Tayo",
            "email": "tayo@demo-isp.example",
            "role_slug": "support",
            "unit_id": world.operator.pk,
        },
    )
    [letter] = delivered()
    path = link_in(letter.body)
    assert path in shown.content.decode()
    token = path.rsplit("/", 1)[1]
    assert token not in rows_of("ops_message", "identity_invitation", "ops_auditentry")

    answer = Client().post(path, {"password": GOOD, "again": GOOD})
    assert answer["Location"] == "/console/enrolment"
    assert Session.objects.latest("pk").stage == "enrolment"
