"""A record for each detail screen, made by the operations."""

from __future__ import annotations

from datetime import UTC, timedelta
from io import BytesIO

from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.models import AccessDecision
from apps.network import operations as network
from apps.ops import operations as ops
from apps.ops.enums import JobState
from dotmac.core.console import registry
from dotmac.core.refs import SubjectRef
from tests.console.lines import put_on_line
from tests.console.screens import flat
from tests.federation.making import make_application, make_connection, map_group
from tests.identity.papers import A_PDF


def make_records(world) -> None:
    """Customers, jobs in several states, a message, a line."""
    now = world.now
    chidi = world.chidi.customer
    assert world.dayo
    subject = SubjectRef("identity", "customer", chidi.pk, chidi.name)
    jobs = []
    for number in range(4):
        job = ops.start_job(
            kind="test.work",
            subject=subject,
            actor=world.ada.actor,
            now=now,
            total=100,
            customer_id=chidi.pk,
        )
        jobs.append(job.pk)
        if number:
            ops.advance_job(job_id=job.pk, done=number * 30, now=now)
    later = now + timedelta(seconds=40)
    error = "The RADIUS server did not answer."
    ops.finish_job(job_id=jobs[2], state=JobState.FAILED, now=later, error=error)
    ops.finish_job(
        job_id=jobs[3], state=JobState.SUCCEEDED, now=later, result={"rows": 12}
    )
    ops.send_message(
        to=chidi.email,
        subject="Your invoice",
        body="Dear Chidi,\n\nit is attached.",
        purpose="invoice",
        unique_key="records-1",
        customer_id=chidi.pk,
        now=now,
    )
    _know(world, chidi, now)
    put_on_line(world, world.chidi, now=timezone.now())
    _make_rules(world)
    map_group(make_connection(), "noc", "auditor", world.operator.pk)
    make_application()
    _read_old_server(world)


def _read_old_server(world) -> None:
    """A preview of two users: one has no password that can be read."""
    rows = ("1,ada,Cleartext-Password,:=,x", "2,bola,NT-Password,:=,0xAB")
    text = "\n".join(["id,username,attribute,op,value", *rows, ""])
    network.begin_import(
        name="radcheck.csv", files=[("radcheck.csv", text.encode())], zone=UTC,
        actor=world.ada.actor, now=world.now,
    )  # fmt: skip


def _know(world, chidi, now) -> None:
    """What hangs on a customer, and two more that look like it."""
    known = {"customer_id": chidi.pk, "actor": world.ada.actor, "now": now}
    identity.add_location(**known, label="Shop", address="1 Marina", city="Lagos")
    identity.add_contact(**known, name="Ify Eze", email="ify@mail.example")
    note = identity.write_note(**known, text="Calls in the evening.", pinned=True)
    identity.edit_note(
        note_id=note.pk, text="Calls by day.", actor=world.ada.actor, now=now
    )
    identity.add_document(
        **known, kind="contract", name="contract.pdf", content=BytesIO(A_PDF)
    )
    identity.request_export(**known)
    twin = identity.register_customer(
        kind=chidi.kind, name=chidi.name, email="twin@mail.example",
        actor=world.ada.actor, now=now,
    )  # fmt: skip
    identity.register_customer(
        kind=chidi.kind, name=chidi.name, email="third@mail.example",
        actor=world.ada.actor, now=now,
    )  # fmt: skip
    identity.merge_customers(
        duplicate_id=twin.pk, survivor_id=chidi.pk, actor=world.ada.actor, now=now
    )
    by = {"actor": world.ada.actor, "now": now}
    identity.define_field(slug="nin", name="NIN", kind="text", in_list=True, **by)
    identity.make_tag(slug="vip", name="VIP", colour="amber", **by)
    identity.tag_customers(customer_ids=[chidi.pk], add=["vip"], **by)


def _make_rules(world) -> None:
    """A rule that waits for approval, and a decision that it refused."""
    rule = identity.create_rule(
        name="Large payments from the office",
        why="Above 50,000 only from the office.",
        effect="deny",
        permissions=["billing.record_payment"],
        expression="amount.major > 50000.0",
        actor=world.ada.actor,
        now=world.now,
    )
    identity.ask_rule_step(
        rule_id=rule.pk, step="switch_on", actor=world.ada.actor, now=world.now
    )
    AccessDecision.objects.create(
        at=world.now,
        actor_kind="staff",
        actor_label="bisi",
        permission="billing.record_payment",
        granted=False,
        rule=rule.slug,
        facts={"actor.username": "bisi", "request.address": "127.0.0.1"},
        amount_minor=6_000_000,
        currency="NGN",
    )


def addresses() -> list[str]:
    """The flat screens, and the newest record of each detail screen with its tabs."""
    from tests.world import SYSTEM

    found = ["/console/", "/console/search?q=chidi"]
    found += [f"/console/{screen.slug}" for screen in flat()]
    for slug, screen in sorted(registry.details.items()):
        row = screen.rows(SYSTEM, screen.permission).order_by("pk").first()
        if row is None:
            continue
        found += [
            f"/console/{slug}/{row.pk}?tab={tab.slug}" for tab in screen.all_tabs()
        ]
    return found
