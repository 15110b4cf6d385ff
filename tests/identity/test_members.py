"""People on a customer's account: invited from console and portal, removed, kept."""

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.errors import (
    ActsElsewhere,
    CannotBeInvited,
    CustomerClosed,
    LastFullMember,
    LinkRefused,
    MalformedEmail,
)
from apps.identity.models import EmailProof, Membership, User
from apps.ops.models import AuditEntry
from apps.ops.tasks import send_messages
from dotmac.core.errors import InvalidInput, NotFound
from tests.identity.test_mailed_links import GOOD, delivered, link_in
from tests.sessions import enter
from tests.world import SYSTEM

pytestmark = pytest.mark.django_db


def invite(world, email="aunt@mail.example", **facts):
    values = {"customer_id": world.chidi.customer.pk, "name": "Aunt Ngozi", **facts}
    return identity.invite_member(
        email=email, actor=SYSTEM, now=timezone.now(), **values
    )


@pytest.fixture
def phone(world):
    return enter(world.chidi, face="portal", key="portal_sid")


def test_support_invites_a_customer_s_relative(world, enter_console):
    customer = world.chidi.customer
    browser = enter_console(world.sola)
    shown = browser.post(
        f"/console/customers/{customer.pk}/invite",
        {"email": "aunt@mail.example", "name": "Aunt Ngozi", "rights": "billing"},
    )
    path = link_in(delivered()[0].body)
    assert path.startswith("/portal/invitation/")
    assert path in shown.content.decode()  # For those without a mailbox at hand.

    newcomer = Client()
    assert b"aunt@mail.example" in newcomer.get(path).content
    newcomer.post(path, {"password": GOOD, "again": GOOD})
    signed = newcomer.post(
        "/portal/sign-in", {"username": "aunt@mail.example", "password": GOOD}
    )
    assert signed["Location"] == "/portal/"
    assert newcomer.get("/portal/").status_code == 200
    assert newcomer.get(path).status_code == 404


def a_second_time(world):
    """Somebody's portal user of Dayo's account, invited to Chidi's as well."""
    aunt = identity.create_portal_user(
        customer_id=world.dayo.customer.pk, username="aunt", password=GOOD,
        email="aunt@mail.example", actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    delivered()
    made = invite(world, "AUNT@mail.example", rights="billing")
    assert (made.user, made.link) == (aunt, None)
    return aunt, link_in(delivered()[0].body)


def test_somebody_who_signs_in_already_says_yes_first(world):
    aunt, path = a_second_time(world)
    assert Membership.objects.filter(user=aunt).count() == 1

    browser = Client()
    page = browser.get(path).content.decode()
    assert "Sign in as that person first" in page
    browser.post(f"/portal/sign-in?next={path}", {"username": "aunt", "password": GOOD})
    assert "Yes, I act for this account" in browser.get(path).content.decode()
    assert Membership.objects.filter(user=aunt).count() == 1
    assert "You act for Chidi Eze now" in browser.post(path).content.decode()

    member = Membership.objects.get(user=aunt, customer=world.chidi.customer)
    assert member.rights == "billing"
    entry = AuditEntry.objects.get(action="identity.accept_account_invitation")
    assert (entry.customer_id, entry.actor_label) == (member.customer_id, "aunt")
    assert browser.get(path).status_code == 404
    invite(world, "aunt@mail.example")
    assert delivered() == []  # She knows.


@pytest.mark.security
def test_only_the_invited_person_says_yes(world, phone):
    """Neither a stranger who reads the mail nor somebody else who is signed in."""
    aunt, path = a_second_time(world)
    for browser in (Client(), phone):
        assert "Sign in as that person first" in browser.post(path).content.decode()
    token = path.rsplit("/", 1)[1]
    with pytest.raises(LinkRefused):
        identity.accept_account_invitation(
            token=token, actor=world.esi.actor, now=timezone.now()
        )
    assert Membership.objects.filter(user=aunt).count() == 1


def test_an_account_that_was_closed_meanwhile_is_not_joined(world):
    _aunt, path = a_second_time(world)
    identity.close_customer(
        customer_id=world.chidi.customer.pk, actor=SYSTEM, now=timezone.now()
    )
    browser = Client()
    browser.post("/portal/sign-in", {"username": "aunt", "password": GOOD})
    answer = browser.post(path)
    assert (answer.status_code, b"closed" in answer.content) == (409, True)


def test_invitations_to_two_accounts_stand_side_by_side(world):
    aunt, path = a_second_time(world)
    invite(world, aunt.email, customer_id=world.esi.customer.pk)
    other = link_in(delivered()[0].body)

    browser = Client()
    browser.post("/portal/sign-in", {"username": "aunt", "password": GOOD})
    assert "Chidi Eze" in browser.get(path).content.decode()
    assert "Esi Mensah" in browser.get(other).content.decode()


@pytest.mark.security
def test_a_reseller_takes_over_nobody_s_sign_in(world, enter_console):
    """A customer who comes in by a provider has no password to begin with."""
    User.objects.filter(pk=world.chidi.id).update(
        email="chidi@mail.example", password="!"
    )
    EmailProof.objects.create(
        user=world.chidi.user, email="chidi@mail.example", proved_at=world.now
    )
    esi, remi = world.esi.customer, enter_console(world.remi)
    typed = {"email": "chidi@mail.example", "name": "x", "rights": "full"}
    shown = remi.post(f"/console/customers/{esi.pk}/invite", typed, follow=True)

    assert "/portal/invitation/" not in shown.content.decode()
    assert "Chidi" not in shown.content.decode()
    assert not Membership.objects.filter(user=world.chidi.user, customer=esi).exists()
    with pytest.raises(NotFound):
        identity.set_portal_password(
            customer_id=esi.pk, user_id=world.chidi.id, password=GOOD,
            actor=world.remi.actor, now=timezone.now(),
        )  # fmt: skip


@pytest.mark.security
def test_a_password_is_not_set_for_who_acts_elsewhere(world):
    """Esi may have said yes to an account of the operator's: that is not Remi's."""
    values = {
        "customer_id": world.esi.customer.pk, "user_id": world.esi.id,
        "password": GOOD, "now": timezone.now(),
    }  # fmt: skip
    remi = world.remi.actor
    identity.set_portal_password(actor=remi, **values)
    Membership.objects.create(user=world.esi.user, customer=world.dayo.customer)
    before = User.objects.get(pk=world.esi.id).password

    with pytest.raises(ActsElsewhere):
        identity.set_portal_password(actor=remi, **values)
    assert User.objects.get(pk=world.esi.id).password == before
    identity.set_portal_password(actor=world.sola.actor, **values)


def test_the_audit_never_learns_the_address(world):
    """It cannot forget, and the person may ask to be forgotten (decision 0051)."""
    aunt = invite(world).user
    assert "@" not in aunt.username
    assert aunt.sign_in_name == "aunt@mail.example"
    person = {"user_id": aunt.pk, "actor": SYSTEM, "now": timezone.now()}
    identity.rename_user(**person, name="Ngozi Aunt")
    identity.request_email(**person, email="auntie@mail.example")
    said = " ".join(
        f"{entry.subject_label} {entry.actor_label} {entry.changes}"
        for entry in AuditEntry.objects.filter(subject_id=aunt.pk, subject_kind="user")
    )
    assert "identity.invite_member" in set(
        AuditEntry.objects.values_list("action", flat=True)
    )
    for word in ("aunt@", "auntie", "Ngozi"):
        assert word not in said


def test_who_acts_for_nobody_any_more_has_no_sign_in(world):
    dayo = world.dayo.customer
    both, single = invite(world, "both@mail.example"), invite(world)
    Membership.objects.create(user=both.user, customer=dayo, rights="view")
    for made in (both, single):
        identity.remove_member(
            customer_id=world.chidi.customer.pk, user_id=made.user.pk, actor=SYSTEM,
            now=timezone.now(),
        )  # fmt: skip
    assert User.objects.filter(pk=both.user.pk).exists()
    assert not User.objects.filter(pk=single.user.pk).exists()
    # Invited again they begin anew.
    assert invite(world).link is not None


def test_a_second_invitation_replaces_the_link(world):
    first, second = invite(world), invite(world)
    assert second.link is None  # The first inviter may be somebody else.
    path = link_in(delivered()[-1].body)

    assert Client().get(first.link.path).status_code == 404
    assert Client().get(path).status_code == 200
    assert Membership.objects.filter(user=first.user).count() == 1


def test_a_link_that_somebody_was_shown_proves_no_mailbox(world):
    token = invite(world).link.path.rsplit("/", 1)[1]
    identity.accept_portal_invitation(token=token, password=GOOD, now=timezone.now())
    assert EmailProof.objects.exists() is False
    assert "/portal/confirm-email/" in delivered()[-1].body

    identity.invite_member(
        customer_id=world.chidi.customer.pk, email="bo@mail.example",
        actor=world.chidi.actor, now=timezone.now(),
    )  # fmt: skip
    token = link_in(delivered()[0].body).rsplit("/", 1)[1]
    bo = identity.accept_portal_invitation(
        token=token, password=GOOD, now=timezone.now()
    )
    assert EmailProof.objects.get().user == bo


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"email": "ada@demo-isp.example"}, CannotBeInvited),
        ({"email": "nobody"}, MalformedEmail),
        ({"rights": "owner"}, InvalidInput),
        ({"customer_id": 2**40}, NotFound),
    ],
)
def test_refuses_to_invite(world, facts, refusal):
    assert world.ada
    with pytest.raises(refusal):
        invite(world, **facts)
    assert Membership.objects.exclude(user=world.chidi.user).exists() is False


def test_the_same_rights_again_change_nothing(world):
    member = invite(world).user
    for _ in range(2):
        identity.change_member(
            customer_id=world.chidi.customer.pk, user_id=member.pk, rights="view",
            actor=SYSTEM, now=timezone.now(),
        )  # fmt: skip
    entries = AuditEntry.objects.filter(action="identity.change_member")
    assert [entry.changes["rights"] for entry in entries] == [["full", "view"]]


def test_who_only_looks_leaves_without_another(world):
    member = invite(world, rights="view").user
    identity.remove_member(
        customer_id=world.chidi.customer.pk, user_id=member.pk, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    assert list(Membership.objects.all()) == [
        Membership.objects.get(user=world.chidi.user)
    ]


def test_an_invitation_proves_only_the_mailbox_that_it_was_mailed_to(world):
    identity.invite_member(
        customer_id=world.chidi.customer.pk, email="aunt@mail.example",
        actor=world.chidi.actor, now=timezone.now(),
    )  # fmt: skip
    token = link_in(delivered()[0].body).rsplit("/", 1)[1]
    User.objects.filter(email="aunt@mail.example").update(email="other@mail.example")
    identity.accept_portal_invitation(token=token, password=GOOD, now=timezone.now())
    assert EmailProof.objects.exists() is False


def test_a_closed_customer_gets_nobody_new(world):
    identity.close_customer(
        customer_id=world.chidi.customer.pk, actor=SYSTEM, now=timezone.now()
    )
    with pytest.raises(CustomerClosed):
        invite(world)


def test_a_customer_invites_changes_and_removes(world, phone):
    page = phone.get("/portal/people").content.decode()
    assert "Invite somebody" in page
    done = phone.post(
        "/portal/people",
        {"do": "invite", "email": "b@mail.example", "name": "Bo", "rights": "view"},
    )
    assert done.status_code == 302
    mail.outbox.clear()
    send_messages()
    assert mail.outbox[0].to == ["b@mail.example"]
    bo = User.objects.get(email="b@mail.example")
    phone.post("/portal/people", {"do": "rights", "user": bo.pk, "rights": "full"})
    assert Membership.objects.get(user=bo).rights == "full"
    phone.post("/portal/people", {"do": "remove", "user": bo.pk})
    assert Membership.objects.filter(user=bo).exists() is False


@pytest.mark.security
@pytest.mark.parametrize(
    "typed",
    [
        {"do": "invite", "email": "b@mail.example", "name": "Bo", "rights": "full"},
        {"do": "rights", "user": "me", "rights": "full"},
        {"do": "remove", "user": "chidi"},
    ],
)
def test_who_has_not_all_rights_changes_nobody(world, typed):
    made = invite(world, rights="view")
    User.objects.filter(pk=made.user.pk).update(password="x")
    person = world.chidi.__class__(
        user=made.user, password="", customer=world.chidi.customer
    )
    browser = enter(person, face="portal", key="portal_sid")
    ids = {"me": made.user.pk, "chidi": world.chidi.id}
    values = {name: ids.get(value, value) for name, value in typed.items()}

    assert "Invite somebody" not in browser.get("/portal/people").content.decode()
    assert browser.post("/portal/people", values).status_code == 404
    assert Membership.objects.get(user=made.user).rights == "view"
    assert Membership.objects.filter(user=world.chidi.user).exists()


@pytest.mark.security
def test_nobody_touches_the_people_of_another_customer(world, phone):
    typed = {"do": "remove", "user": world.esi.id}
    assert phone.post("/portal/people", typed).status_code == 404
    for user in ("x", "", "9" * 40):
        typed = {"do": "remove", "user": user}
        assert phone.post("/portal/people", typed).status_code == 404
    assert Membership.objects.filter(user=world.esi.user).exists()


def test_the_last_one_with_all_rights_stays(world, phone):
    made = invite(world, rights="view")
    refused = phone.post("/portal/people", {"do": "remove", "user": world.chidi.id})
    assert (refused.status_code, b"must remain" in refused.content) == (422, True)
    facts = {"customer_id": world.chidi.customer.pk, "user_id": world.chidi.id}
    with pytest.raises(LastFullMember):
        identity.change_member(rights="view", actor=SYSTEM, now=timezone.now(), **facts)
    identity.change_member(
        customer_id=world.chidi.customer.pk, user_id=made.user.pk, rights="full",
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    identity.remove_member(actor=SYSTEM, now=timezone.now(), **facts)

    # Who was taken off the last account has no sign-in any more.
    assert not User.objects.filter(pk=world.chidi.id).exists()
    assert phone.get("/portal/")["Location"].startswith("/portal/sign-in")


def test_a_sign_in_without_an_account_is_told_so(world, phone):
    """No operation leaves one behind; whoever has one may sign out."""
    Membership.objects.filter(user=world.chidi.user).delete()
    answer = phone.get("/portal/")
    assert (answer.status_code, b"no account any more" in answer.content) == (403, True)
    assert phone.post("/portal/sign-out")["Location"] == "/portal/sign-in"


def test_unknown_rights_and_people_are_refused(world):
    facts = {"customer_id": world.chidi.customer.pk, "actor": SYSTEM}
    with pytest.raises(InvalidInput):
        identity.change_member(
            user_id=world.chidi.id, rights="king", now=timezone.now(), **facts
        )
    with pytest.raises(NotFound):
        identity.remove_member(user_id=world.esi.id, now=timezone.now(), **facts)
    identity.change_member(
        user_id=world.chidi.id, rights="full", now=timezone.now(), **facts
    )
