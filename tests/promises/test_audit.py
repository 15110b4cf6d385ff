"""Whoever changes something leaves an audit row with a name.

The walk reads the source (tests/promises/calls.py): from each writing route, action,
form and page to an operation that records, and from each operation that takes an
actor to `ops.record`. It says that the row is written somewhere on the way, not on
each branch; that is what the tests of the single operations are for.
"""

from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import resolve
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from apps.ops import operations as ops
from apps.ops.enums import MessageState
from apps.ops.models import AuditEntry, Message
from dotmac.console.autodiscover import load_screens
from dotmac.core import portal
from dotmac.core.console import Action, BulkAction, registry
from dotmac.core.portal import PortalPage
from dotmac.core.refs import SubjectRef
from tests.console.lines import put_on_line
from tests.promises import calls
from tests.promises.test_api_routes import ROUTES, path_of
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.security

RECORD = "apps.ops.operations.audit.record"
OPERATIONS = dict(calls.public_operations())
SHORT = {where: name for name, where in OPERATIONS.items()}
WRITING = {"post", "put", "patch", "delete"}

# The actor is made inside, from the one who proved to be somebody: by a password, a
# code, a passkey, a link or a token.
PROVE_THEMSELVES = {
    f"identity.{name}"
    for name in [
        "accept_invitation",
        "accept_portal_invitation",
        "add_passkey",
        "ask_for_new_passkey",
        "ask_for_passkey",
        "begin_totp",
        "change_password",
        "confirm_code",
        "confirm_email",
        "confirm_totp",
        "confirm_with_passkey",
        "enrol_totp",
        "refresh_tokens",
        "remove_totp",
        "replace_totp",
        "request_reset",
        "require_proof",
        "reset_password",
        "sign_in",
        "sign_in_with_passkey",
        "sign_out",
        "step_up",
    ]
}
# A person by the word of a sign-in provider, an application by its secret.
PROVE_THEMSELVES |= {
    f"federation.{name}"
    for name in [
        "begin_federated",
        "exchange_code",
        "finish_federated",
        "revoke_token",
        "take_saml_answer",
    ]
}
# What happens is the gateway's word, and is recorded in its name.
GATEWAYS_WORD = {
    "billing.accept_webhook",
    "billing.confirm_checkout",
    "billing.open_checkout",
}
UNRECORDED = {
    # Bookkeeping of requests. The sign-in, the key and what the request did have
    # entries of their own.
    "identity.count_key_use",
    "identity.touch_session",
    "ops.claim_idempotency_key",
    "ops.store_answer",
    # Questions: the answer to them is recorded, or the reset that is mailed.
    "identity.ask_for_new_passkey",
    "identity.ask_for_passkey",
    "identity.begin_totp",
    "identity.enrol_totp",
    "identity.request_reset",
    # What is asked of a provider and what it says; who came in by it is recorded.
    "federation.begin_federated",
    "federation.take_saml_answer",
    # The code that an application turns into a token, and its end, stand on a consent
    # or an authorisation that is recorded with the person's name.
    "federation.exchange_code",
    "federation.revoke_token",
    # An app's part of an erasure, which identity.erase_customer records as one.
    "billing.erase_words",
    "federation.forget_people",
    # The job is a row that names its actor; what wanted the work records it.
    "ops.start_job",
    "ops.start_reseal",
}
# A POST because the answer is dear to make; it changes nothing.
ONLY_ASK = {"apps.identity.api.access.AccessRuleViewSet.try_out"}
# A form that leads to the page with the answer.
LEAD_ON = {"apps.network.console.explain.ExplainLogin.run"}


def records(function: str) -> bool:
    return RECORD in calls.reached_from(function)


def named_by_faces() -> set[str]:
    """The operations that views, screens and doors call."""
    named = {name for face in calls.faces() for name in calls.named_by(face)}
    return {SHORT[name] for name in named & SHORT.keys()}


def where_is(function: Any) -> str:
    """Its dotted name; of a function made inside another, that of the other."""
    return f"{function.__module__}.{function.__qualname__.partition('.<locals>')[0]}"


def test_operations_that_take_an_actor_record():
    silent = {
        name
        for name, where in OPERATIONS.items()
        if "actor" in calls.arguments(where) and not records(where)
    }
    assert silent <= UNRECORDED


def test_operations_behind_faces_take_an_actor_and_record():
    named = named_by_faces()
    without = {n for n in named if "actor" not in calls.arguments(OPERATIONS[n])}
    silent = {n for n in named if not records(OPERATIONS[n])}

    assert len(named) > 90
    assert without - PROVE_THEMSELVES - GATEWAYS_WORD - UNRECORDED == set()
    assert silent - UNRECORDED == set()
    assert without >= PROVE_THEMSELVES | GATEWAYS_WORD, "No exception any more."
    assert {name for name in UNRECORDED if records(OPERATIONS[name])} == set()


def test_the_walk_tells_who_records_from_who_does_not():
    assert records(OPERATIONS["ops.emit"])
    assert records(OPERATIONS["network.place_hold"])
    assert not records(OPERATIONS["ops.finish_job"])
    assert not records("dotmac.core.money.Money.__str__")


def test_every_writing_route_gets_to_an_operation_that_records():
    handlers = set()
    for pattern, method in ROUTES:
        if method in WRITING:
            view: Any = resolve(path_of(pattern)).func
            handlers.add(where_is(getattr(view.cls, view.actions[method])))
    assert len(handlers) > 40
    assert {name for name in handlers if not records(name)} == ONLY_ASK


def screens() -> set[str]:
    """The functions behind the console's actions and forms and the portal's pages."""
    load_screens()
    autodiscover_modules("portal")
    actions: list[Action | BulkAction] = []
    for detail in registry.details.values():
        actions += detail.all_actions()
    for listed in registry.lists.values():
        actions += listed.actions
        actions += listed.bulk
    for contribution in registry.hub.values():
        actions += contribution.actions
    found = {where_is(action.run) for action in actions}
    found |= {where_is(type(form).run) for form in registry.forms.values()}
    submits = {type(page).submit for page in portal.pages()}
    return found | {where_is(submit) for submit in submits - {PortalPage.submit}}


def test_every_action_form_and_page_gets_to_an_operation_that_records():
    found = screens()
    assert len(found) > 60
    assert {name for name in found if not records(name)} == LEAD_ON


@pytest.fixture
def stage(world):
    """Ada at the console and at the API, and something of each kind to act on."""
    _service, session = put_on_line(world, world.chidi, now=timezone.now(), hours=1)
    jobs = [
        ops.start_job(
            kind="tests.work",
            subject=SubjectRef("tests", "thing", number),
            actor=SYSTEM,
            now=NOON,
            customer_id=world.chidi.customer.pk,
        ).pk
        for number in range(2)
    ]
    message = ops.send_message(
        to="a@b.example", subject="Hello", body="x", purpose="test", unique_key="k",
        now=NOON,
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(state=MessageState.FAILED)
    return SimpleNamespace(
        console=enter(world.ada), api=world.api(world.ada), jobs=jobs,
        message=message.pk, account=session.account_id,
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("face", "path", "action"),
    [
        ("api", "/api/v1/jobs/{jobs[0]}/cancel", "ops.job.cancelled"),
        ("console", "/console/jobs/{jobs[1]}/cancel", "ops.job.cancelled"),
        ("console", "/console/messages/{message}/resend", "ops.message.resent"),
        ("api", "/api/v1/accounts/{account}/disconnect", "network.request_disconnects"),
        (
            "console",
            "/console/accounts/{account}/disconnect",
            "network.request_disconnects",
        ),
    ],
)
def test_the_row_names_who_asked_and_repeating_adds_none(stage, face, path, action):
    address = path.format(**vars(stage))
    answers = [getattr(stage, face).post(address).status_code for _ in range(2)]

    row = AuditEntry.objects.get(action=action)
    assert answers[0] in {200, 202, 302}
    assert (row.actor_label, row.address) == ("ada", "127.0.0.1")
