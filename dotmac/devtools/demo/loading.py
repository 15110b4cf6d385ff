"""Load the demonstration and write down its sign-ins."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from apps.billing import operations as billing
from apps.catalog import operations as catalog
from apps.catalog import selectors as services
from apps.identity import operations as identity
from dotmac.core.actors import Actor
from dotmac.core.periods import add_months, local_date
from dotmac.devtools import credentials
from dotmac.devtools.credentials import (
    Credentials,
    CustomerSignIn,
    Expected,
    SubscriberLogin,
)
from dotmac.devtools.demo import roster
from dotmac.devtools.demo.customers import Member
from dotmac.devtools.demo.network import lay_ground
from dotmac.devtools.demo.staff import hire_staff, strong_password
from dotmac.devtools.demo.story import CAST, MONTHS, Story

SEED = 20_261_123
PORTAL_CUSTOMERS_MAX = 4
BLOCKED = 2
SHOWN_PER_KIND_MAX = 5
SIMULATED_SHARE = 10
# Below it, not every kind of subscriber could be shown beside a simulated one.
COUNT_MIN = 10
Tell = Callable[[int, int, str], None]


def load(*, count: int, folder: Path, actor: Actor, now: datetime, tell: Tell) -> None:
    """Make the whole ISP. Needs the RADIUS server, for provisioning checks by it.

    Not repeatable: it begins with an empty installation.
    """
    assert count >= COUNT_MIN
    zone = settings.OPERATOR_ZONE
    today = local_date(now, zone)
    first_month = add_months(today.replace(day=1), 1 - MONTHS)
    opened = now - timedelta(days=(today - first_month).days + 60)
    identity.sync_roles(operator_name=settings.OPERATOR_NAME, actor=actor, now=opened)
    tell(0, 1, "Staff")
    staff = hire_staff(actor=actor, now=opened)
    ground = lay_ground(actor=actor, opened=opened, raised=add_months(first_month, 1))
    story = Story(ground, actor, zone, now, random.Random(SEED))  # nosec B311
    story.write(count, first_month)
    story.play(tell)
    story.members.sort(key=lambda member: member.number)
    _block_some(story.members, actor, now)
    billing.run_dunning(day=today, actor=actor, now=now)
    credentials.write(
        folder,
        Credentials(
            nas=ground.free_nas,
            staff=staff,
            customers=_portal_sign_ins(story.members, actor, now),
            subscribers=(shown := _shown_subscribers(story.members, count, actor, now)),
        ),
    )
    _write_roster(folder, ground.nas_ids, story.members, shown, count)


def _block_some(members: list[Member], actor: Actor, now: datetime) -> None:
    """A few lines are shut for abuse, so that every kind of answer can be seen."""
    for member in _settled(members)[-BLOCKED:]:
        catalog.suspend_service(
            service_id=member.service_id,
            reason="abuse",
            effect="reject",
            note="Sends spam; promised to clean the computer.",
            actor=actor,
            now=now,
        )


def _settled(members: list[Member]) -> list[Member]:
    """Who pays in time, from the last of the cast on."""
    return [member for member in members[len(CAST) - 1 :] if member.habit == "punctual"]


def _portal_sign_ins(
    members: list[Member], actor: Actor, now: datetime
) -> list[CustomerSignIn]:
    made = []
    for number, member in enumerate(members[:PORTAL_CUSTOMERS_MAX], 1):
        password, username = strong_password(), f"customer{number}"
        identity.create_portal_user(
            customer_id=member.customer_id,
            username=username,
            password=password,
            actor=actor,
            now=now,
        )
        made.append(
            CustomerSignIn(
                username=username, password=password, customer_id=member.customer_id
            )
        )
    return made


def _shown_subscribers(
    members: list[Member], count: int, actor: Actor, now: datetime
) -> list[SubscriberLogin]:
    """Some logins of each kind, kept free of the simulator; fewer among few.

    The first customer of the portal is the simulator's, so that it shows usage.
    """
    most = min(count // SIMULATED_SHARE, SHOWN_PER_KIND_MAX)
    shown: list[SubscriberLogin] = []
    counts: dict[Expected, int] = {"accept": 0, "walled_garden": 0, "reject": 0}
    for member in members[1:]:
        expected = _expected(services.service_view(member.service_id).state)
        if expected is None or counts[expected] >= most:
            continue
        counts[expected] += 1
        known = catalog.reveal_credentials(
            service_id=member.service_id, actor=actor, now=now
        )
        shown.append(
            SubscriberLogin(
                login=known.login,
                password=known.password,
                service_id=member.service_id,
                expected=expected,
            )
        )
    return shown


def _expected(state: str) -> Expected | None:
    answers: dict[str, Expected] = {
        "active": "accept",
        "walled_garden": "walled_garden",
        "suspended": "reject",
    }
    return answers.get(state)


def _write_roster(
    folder: Path,
    nas_ids: list[int],
    members: list[Member],
    shown: list[SubscriberLogin],
    count: int,
) -> None:
    """A tenth of all lives behind the simulated NASes: lines that work today."""
    kept_free = {subscriber.service_id for subscriber in shown}
    accounts = [
        view.access_id
        for member in members
        if member.service_id not in kept_free
        and (view := services.service_view(member.service_id)).state == "active"
        and view.access_id is not None
    ]
    chosen = accounts[: count // SIMULATED_SHARE]
    roster.write(folder, roster.Roster(nas_ids=nas_ids, account_ids=chosen))
