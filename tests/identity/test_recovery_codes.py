"""Recovery codes: ten, shown once, each for one use, told by mail."""

import pytest

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionFace
from apps.identity.errors import NoSecondFactor, OtpRefused
from apps.identity.models import RecoveryCode
from apps.ops.models import AuditEntry, Message
from dotmac.core.errors import NotFound
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


def made(person):
    return identity.make_recovery_codes(user_id=person.id, actor=person.actor, now=NOON)


def test_ten_codes_that_no_table_holds(world):
    codes = made(world.ada)

    assert len(set(codes)) == 10
    assert all(len(code) == 19 and code.count("-") == 3 for code in codes)
    stored = "".join(RecoveryCode.objects.values_list("digest", flat=True))
    assert not any(code.replace("-", "") in stored for code in codes)
    assert selectors.factors_of(world.ada.id).codes_left == 10


def test_one_opens_the_console_once(world, enter):
    """The support agent who lost the phone."""
    sola = world.sola
    code, other = made(sola)[:2]
    owing = enter(sola, face=SessionFace.CONSOLE).session

    identity.confirm_code(session_id=owing.pk, otp=f" {code.upper()} ", now=NOON)

    owing.refresh_from_db()
    assert (owing.stage, owing.mfa_at) == ("full", NOON)
    again = enter(sola, face=SessionFace.CONSOLE).session
    with pytest.raises(OtpRefused):
        identity.confirm_code(session_id=again.pk, otp=code, now=NOON)
    assert enter(sola, otp=other.replace("-", "")).tokens is not None
    entries = AuditEntry.objects.filter(action="identity.use_recovery_code")
    assert [entry.changes for entry in entries.order_by("pk")] == [
        {"left": 9},
        {"left": 8},
    ]
    mail = Message.objects.filter(recipient=sola.user.email).latest("pk")
    assert "recovery code" in mail.subject_line
    assert "8 are left" in mail.body
    assert code not in mail.body


def test_new_codes_replace_the_old(world, enter):
    old = made(world.ada)[0]
    made(world.ada)

    assert RecoveryCode.objects.count() == 10
    with pytest.raises(OtpRefused):
        enter(world.ada, otp=old)


def test_a_code_opens_its_own_account_only(world, enter):
    code = made(world.ada)[0]

    with pytest.raises(OtpRefused):
        enter(world.bisi, otp=code)
    enter(world.ada, otp=code)


@pytest.mark.parametrize(
    "text", ["abcd-efgh-jkmn-pqrs", "0000-0000-0000-0000", "a" * 16]
)
def test_a_guess_is_a_wrong_code(world, enter, text):
    made(world.ada)

    with pytest.raises(OtpRefused):
        enter(world.ada, otp=text)


def test_refuses_people_without_a_factor(world):
    with pytest.raises(NoSecondFactor):
        made(world.chidi)
    with pytest.raises(NotFound):
        identity.make_recovery_codes(user_id=2**40, actor=world.ada.actor, now=NOON)


def test_few_codes_are_said_to_be_few(world, enter):
    codes = made(world.ada)
    for code in codes[:7]:
        enter(world.ada, otp=code)

    factors = selectors.factors_of(world.ada.id)
    assert (factors.codes_left, factors.codes_few) == (3, True)
    body = world.console(world.ada).get("/console/my-security").content.decode()
    assert "3 left" in body


def test_the_page_shows_them_by_post_with_a_fresh_factor(world):
    from datetime import timedelta

    from apps.identity.models import Session

    browser = world.console(world.ada)
    page = browser.get("/console/recovery-codes?next=/console/my-security")
    assert page.status_code == 200
    assert RecoveryCode.objects.exists() is False
    shown = browser.post("/console/recovery-codes").content.decode()
    assert shown.count("<li><code>") == 10
    Session.objects.update(mfa_at=NOON - timedelta(minutes=11))
    stale = browser.post("/console/recovery-codes")
    assert stale["Location"] == "/console/step-up?next=%2Fconsole%2Frecovery-codes"
