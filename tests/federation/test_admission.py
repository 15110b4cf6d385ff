"""Who is linked, who gets an account, and which roles come and go with groups."""

from types import SimpleNamespace

import pytest
from django.test import Client

from apps.federation.models import GivenRole, GroupRole, LinkedPerson
from apps.identity import operations as identity
from apps.identity.models import User
from apps.ops.models import AuditEntry
from tests.federation.making import map_group
from tests.federation.ways import (
    assert_refused,
    come_in,
    nobody_linked,
    roles_of,
    session_of,
)
from tests.identity.test_access_rules import came_in, switch_on, write
from tests.world import NOON, SYSTEM, code_at

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


# Linking ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"email_verified": False}, "email_unverified"),
        ({"email_verified": "yes"}, "email_unverified"),
        ({"email_verified": None}, "email_unverified"),
        ({"email": ""}, "email_unverified"),
        ({"email": "sola"}, "email_unverified"),
        ({"email": 7}, "email_unverified"),
        ({"email": "sola@demo-isp.example\n"}, "email_unverified"),
        ({"email": "sola@evil.example"}, "other_domain"),
        ({"email": "sola@mail.demo-isp.example"}, "other_domain"),
        ({"email": "sola@demo-isp.example.evil.example"}, "other_domain"),
        ({"email": "sola@evil.example@demo-isp.examples"}, "other_domain"),
    ],
)
def test_only_verified_addresses_of_the_domains_link(
    world, provider, connect, claims, why
):
    connect(provider, makes_accounts=True)
    assert world.sola
    provider.person |= claims
    assert_refused(come_in(), why)
    assert nobody_linked()


def test_a_trusted_provider_need_not_say_that_an_address_is_verified(
    world, provider, connect
):
    connect(provider, trusts_email=True)
    assert world.sola
    del provider.person["email_verified"]
    assert come_in().status_code == 302


def test_another_subject_with_the_address_of_a_linked_person_is_refused(
    world, provider, connect
):
    connect(provider)
    assert world.sola
    come_in()
    provider.person["sub"] = "p-2"
    assert_refused(come_in(), "linked_otherwise")


def test_a_person_is_known_by_the_subject_not_by_the_address(world, provider, connect):
    connect(provider)
    assert world.sola
    assert world.femi
    come_in()
    provider.person["email"] = "femi@demo-isp.example"
    browser = Client()
    assert come_in(browser).status_code == 302
    assert session_of(browser).user_id == world.sola.id
    assert LinkedPerson.objects.get().email == "femi@demo-isp.example"


def test_a_linked_person_whose_address_left_the_domain_loses_what_groups_gave(
    world, provider, connect
):
    row = connect(provider)
    map_group(row, "everybody", "auditor", world.operator.pk)
    assert world.sola
    come_in()
    assert roles_of(world.sola.id) == {"support", "auditor"}
    provider.person["email"] = "sola@evil.example"
    assert_refused(come_in(), "other_domain")
    assert roles_of(world.sola.id) == {"support"}
    assert LinkedPerson.objects.get().email == "sola@demo-isp.example"


# Owners ---------------------------------------------------------------------------


def test_an_owner_is_not_linked_by_the_address(world, provider, connect):
    connect(provider)
    owner = world.hire("kemi", "Kemi", "owner")
    provider.person["email"] = "kemi@demo-isp.example"
    assert_refused(come_in(), "too_powerful")
    assert roles_of(owner.id) == {"owner"}


def test_who_became_an_owner_by_hand_comes_in_by_the_own_password(
    world, provider, connect
):
    connect(provider)
    assert world.sola
    assert come_in().status_code == 302
    identity.assign_role(
        user_id=world.sola.id, role_slug="owner", unit_id=world.operator.pk,
        actor=SYSTEM, now=world.now,
    )  # fmt: skip
    assert_refused(come_in(), "too_powerful")


def test_an_owner_comes_in_where_a_group_makes_owners(world, provider, connect):
    row = connect(provider)
    world.hire("kemi", "Kemi", "owner")
    map_group(row, "founders", "owner", world.operator.pk)
    provider.person |= {"email": "kemi@demo-isp.example", "groups": ["founders"]}
    assert come_in().status_code == 302


def test_an_administrator_of_the_tables_is_never_linked(world, provider, connect):
    row = connect(provider)
    map_group(row, "founders", "owner", world.operator.pk)
    assert world.ada
    provider.person |= {"email": "ada@demo-isp.example", "groups": ["founders"]}
    assert_refused(come_in(), "too_powerful")


def test_the_last_owner_keeps_the_role_and_stays_outside(world, provider, connect):
    row = connect(provider, makes_accounts=True)
    map_group(row, "founders", "owner", world.operator.pk)
    map_group(row, "founders", "auditor", world.operator.pk)
    provider.person |= {"email": "new@demo-isp.example", "groups": ["founders"]}
    come_in()
    user = User.objects.get(email="new@demo-isp.example")
    assert roles_of(user.pk) == {"owner", "auditor"}
    provider.person["groups"] = []
    assert_refused(come_in(), "last_owner")
    assert roles_of(user.pk) == {"owner"}
    assert GivenRole.objects.count() == 1


def test_the_last_one_whom_the_rules_let_keeps_the_role(world, provider, connect):
    assert world.ada
    identity.create_role(
        name="Keeper", permissions=["identity.view_rule", "identity.approve_rule"],
        actor=SYSTEM, now=NOON,
    )  # fmt: skip
    row = connect(provider, makes_accounts=True)
    map_group(row, "keepers", "keeper", world.operator.pk)
    provider.person |= {"email": "new@demo-isp.example", "groups": ["keepers"]}
    come_in()
    user = User.objects.get(email="new@demo-isp.example")
    came_in(SimpleNamespace(user=user))  # once with a second factor
    only = f"actor.username == '{user.username}'"
    switch_on(write(permissions=["identity.approve_rule"], expression=only))
    provider.person["groups"] = []
    assert_refused(come_in(), "last_owner")
    assert roles_of(user.pk) == {"keeper"}


# Accounts just in time ------------------------------------------------------------


def test_a_new_colleague_gets_an_account_and_sets_up_a_factor(world, provider, connect):
    row = connect(provider, makes_accounts=True)
    map_group(row, "helpdesk", "support", world.operator.pk)
    provider.person |= {
        "email": "Ngozi@Demo-ISP.example", "name": "Ngozi", "groups": ["helpdesk"],
    }  # fmt: skip
    browser = Client()

    answer = come_in(browser)

    user = User.objects.get(email__iexact="ngozi@demo-isp.example")
    assert (user.username, user.kind) == ("ngozi@demo-isp.example", "staff")
    assert not user.is_superuser
    assert roles_of(user.pk) == {"support"}
    assert answer["Location"] == "/console/enrolment"
    assert browser.get("/console/").status_code == 302
    page = browser.get("/console/enrolment")
    assert page.status_code == 200
    secret = page.context["secret"]
    from django.utils import timezone

    step = int(timezone.now().timestamp()) // 30
    browser.post("/console/enrolment", {"otp": code_at(secret, step)})
    assert browser.get("/console/").status_code == 200
    again = Client()
    assert "/sign-in/code" in come_in(again)["Location"]
    assert User.objects.filter(email__iexact="ngozi@demo-isp.example").count() == 1


def test_an_address_that_is_no_sign_in_name_gets_another_name(world, provider, connect):
    row = connect(provider, makes_accounts=True)
    map_group(row, "helpdesk", "support", world.operator.pk)
    provider.person |= {
        "email": "o'brien@demo-isp.example", "groups": ["helpdesk"],
    }  # fmt: skip
    come_in()
    user = User.objects.get(email="o'brien@demo-isp.example")
    assert user.username.startswith("head-office.")


@pytest.mark.parametrize(
    ("facts", "groups", "why"),
    [
        ({"makes_accounts": False}, ["helpdesk"], "no_account"),
        ({"makes_accounts": True}, ["Helpdesk", "help"], "no_role"),
        ({"makes_accounts": True}, [], "no_role"),
        ({"makes_accounts": True}, {"helpdesk": True}, "no_role"),
        ({"makes_accounts": True}, [7, None, "g" * 300], "no_role"),
    ],
)
def test_strangers_get_no_account(  # noqa: PLR0917
    world, provider, connect, facts, groups, why
):
    row = connect(provider, **facts)
    map_group(row, "helpdesk", "support", world.operator.pk)
    provider.person |= {"email": "ngozi@demo-isp.example", "groups": groups}
    before = User.objects.count()
    assert_refused(come_in(), why)
    assert User.objects.count() == before
    assert nobody_linked()


def test_an_account_cannot_be_made_twice_for_one_name(world, provider, connect):
    """Somebody signs in as that address already, with another one in the account."""
    row = connect(provider, makes_accounts=True)
    map_group(row, "helpdesk", "support", world.operator.pk)
    identity.create_staff(
        username="ngozi@demo-isp.example", email="n@demo-isp.example", name="N",
        role_slug="support", actor=SYSTEM, now=world.now,
    )  # fmt: skip
    provider.person |= {"email": "ngozi@demo-isp.example", "groups": ["helpdesk"]}
    assert_refused(come_in(), "linked_otherwise")


# Roles ------------------------------------------------------------------------------


def test_roles_follow_the_groups_at_each_sign_in(world, provider, connect):
    row = connect(provider, group_claim="realm_access.roles")
    map_group(row, "noc", "network-engineer", world.operator.pk)
    map_group(row, "noc", "auditor", world.reseller.pk)
    map_group(row, "books", "billing-clerk", world.operator.pk)
    assert world.sola
    provider.person["realm_access"] = {"roles": ["noc"]}
    come_in()
    assert roles_of(world.sola.id) == {"support", "network-engineer", "auditor"}
    provider.person["realm_access"] = {"roles": ["books", "noc "]}
    come_in()
    assert roles_of(world.sola.id) == {"support", "billing-clerk"}
    entry = AuditEntry.objects.filter(action="federation.admit_person").latest("pk")
    assert entry.changes["roles_given"] == ["billing-clerk"]
    assert sorted(entry.changes["roles_taken"]) == ["auditor", "network-engineer"]


def test_what_a_colleague_gave_by_hand_stays(world, provider, connect):
    row = connect(provider)
    map_group(row, "helpdesk", "support", world.operator.pk)
    provider.person["groups"] = ["helpdesk"]
    assert world.sola
    come_in()
    assert not GivenRole.objects.exists()
    provider.person["groups"] = []
    assert come_in().status_code == 302
    assert roles_of(world.sola.id) == {"support"}


def test_without_any_role_nobody_stays_in(world, provider, connect):
    row = connect(provider, makes_accounts=True)
    map_group(row, "helpdesk", "support", world.operator.pk)
    provider.person |= {"email": "ngozi@demo-isp.example", "groups": ["helpdesk"]}
    come_in()
    user = User.objects.get(email="ngozi@demo-isp.example")
    GroupRole.objects.all().delete()
    assert_refused(come_in(), "no_role")
    assert roles_of(user.pk) == set()


def test_a_connection_that_goes_off_on_the_way_lets_nobody_in(
    world, provider, connect, monkeypatch
):
    from apps.federation.operations import sign_in
    from apps.federation.operations.admission import settle

    row = connect(provider)
    assert world.sola

    def late(**facts):
        type(row).objects.update(is_active=False)
        return settle(**facts)

    monkeypatch.setattr(sign_in, "settle", late)
    assert_refused(come_in(), "not_here")


def test_who_is_switched_off_on_the_way_is_not_let_in(
    world, provider, connect, monkeypatch
):
    from apps.federation.operations import sign_in
    from apps.federation.operations.admission import settle

    connect(provider)
    assert world.sola

    def late(**facts):
        settled = settle(**facts)
        identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=world.now)
        return settled

    monkeypatch.setattr(sign_in, "settle", late)
    assert_refused(come_in())


def test_a_switched_off_account_is_not_linked(world, provider, connect):
    connect(provider)
    identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=world.now)
    assert_refused(come_in(), "not_here")
    assert nobody_linked()
