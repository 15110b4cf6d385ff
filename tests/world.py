"""The cast. Everybody is made by the operations, when first named.

Staff: Ada (owner, may open the admin site), Bisi (billing clerk), Nuru (network
engineer), Sola (support), Femi (auditor), Mina (manager). Customers with a
portal sign-in: Chidi (pays in time), Dayo (pays late), Esi (the stranger: of a
reseller, so that branch staff and other customers must not see her). Remi
(support) works for that reseller alone.

In a test, `world` is a fixture over the rolled-back database; a test with a
database of its own says `World()`. What makes Chidi paid up and Dayo overdue
(services, bills) belongs to the tests of the apps that own those.

    client = world.api(world.ada)            # bearer token on every request
    client.post("/api/v1/customers", {...})  # JSON by default
    browser = world.console(world.bisi)      # signed in through the pages
    phone = world.portal(world.chidi)
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from django.test import Client
from django.utils import timezone
from django_otp.oath import hotp

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import Customer, OrganisationUnit, TotpDevice, User
from dotmac.core.actors import Actor, system_actor

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # noon in Lagos
SYSTEM = system_actor("tests")
STEP_S = 30
MARGIN_S = 8


@dataclass
class Person:
    """Somebody who signs in."""

    user: User
    password: str
    secret: str = ""  # base32, staff only
    _spent: list[int] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.user.pk

    @property
    def username(self) -> str:
        return self.user.username

    @property
    def actor(self) -> Actor:
        """From the live rows, each time."""
        return selectors.actor_for_user(User.objects.get(pk=self.user.pk))

    def otp(self, now: datetime | None = None) -> str:
        """A code that is accepted now and was not used before.

        Three steps are accepted at a time, so a test may sign the same person
        in three times within a minute.
        """
        if not self.secret:
            return ""
        current, into_step = divmod(int((now or timezone.now()).timestamp()), STEP_S)
        device = TotpDevice.objects.get(user=self.user, confirmed=True)
        spent = max([device.last_step, *self._spent])
        # Late in a step the oldest code would be too old when it arrives.
        oldest = current - 1 if into_step < STEP_S - MARGIN_S else current
        step = max(oldest, spent + 1)
        assert step <= current + 1, "All codes of this minute are used up."
        self._spent.append(step)
        return code_at(self.secret, step)


@dataclass
class Subscriber(Person):
    """A portal user with the customer it acts for."""

    customer: Customer = field(kw_only=True)


class Api(Client):
    """A client that sends JSON, as one person or as a stranger."""

    def __init__(self, bearer: str = "", **kwargs: Any) -> None:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        super().__init__(headers=headers, **kwargs)
        self.bearer = bearer

    def post(self, path: Any, data: Any = None, *a: Any, **extra: Any) -> Any:
        if not a:
            extra.setdefault("content_type", "application/json")
        return super().post(path, {} if data is None else data, *a, **extra)

    def put(self, path: Any, data: Any = None, *a: Any, **extra: Any) -> Any:
        if not a:
            extra.setdefault("content_type", "application/json")
        return super().put(path, {} if data is None else data, *a, **extra)

    def patch(self, path: Any, data: Any = None, *a: Any, **extra: Any) -> Any:
        if not a:
            extra.setdefault("content_type", "application/json")
        return super().patch(path, {} if data is None else data, *a, **extra)


class World:
    """People when they are named; roles and the operator's unit are in the template."""

    def __init__(self, now: datetime | None = None) -> None:
        # In the past, so that today's one-time codes are still unused.
        self.now = now or timezone.now() - timedelta(days=1)

    # Units ----------------------------------------------------------------

    @cached_property
    def operator(self) -> OrganisationUnit:
        return selectors.default_unit()

    @cached_property
    def reseller(self) -> OrganisationUnit:
        return identity.create_unit(
            name="Kano Reseller",
            kind="reseller",
            parent_id=self.operator.pk,
            actor=SYSTEM,
            now=self.now,
        )

    # Staff ----------------------------------------------------------------

    @cached_property
    def ada(self) -> Person:
        return self.hire("ada", "Ada Obi", "owner", admin=True)

    @cached_property
    def bisi(self) -> Person:
        return self.hire("bisi", "Bisi Adeyemi", "billing-clerk")

    @cached_property
    def nuru(self) -> Person:
        return self.hire("nuru", "Nuru Bello", "network-engineer")

    @cached_property
    def sola(self) -> Person:
        return self.hire("sola", "Sola Martins", "support")

    @cached_property
    def femi(self) -> Person:
        return self.hire("femi", "Femi Okafor", "auditor")

    @cached_property
    def mina(self) -> Person:
        return self.hire("mina", "Mina Yusuf", "manager")

    @cached_property
    def remi(self) -> Person:
        return self.hire("remi", "Remi Sani", "support", unit_id=self.reseller.pk)

    # Customers ------------------------------------------------------------

    @cached_property
    def chidi(self) -> Subscriber:
        return self.subscribe("chidi", "Chidi Eze", "+2348031000001")

    @cached_property
    def dayo(self) -> Subscriber:
        return self.subscribe("dayo", "Dayo Ojo", "+2348031000002")

    @cached_property
    def esi(self) -> Subscriber:
        return self.subscribe(
            "esi", "Esi Mensah", "+2348031000003", unit_id=self.reseller.pk
        )

    # Making people --------------------------------------------------------

    def hire(
        self,
        username: str,
        name: str,
        role_slug: str,
        *,
        unit_id: int | None = None,
        admin: bool = False,
    ) -> Person:
        """A member of staff who has accepted the invitation and enrolled."""
        user = identity.create_staff(
            username=username,
            email=f"{username}@demo-isp.example",
            name=name,
            role_slug=role_slug,
            unit_id=unit_id,
            admin=admin,
            actor=SYSTEM,
            now=self.now,
        )
        link = identity.invite_staff(user_id=user.pk, actor=SYSTEM, now=self.now)
        password = f"{username} walks over nine bridges"
        session = identity.accept_invitation(
            token=link.token, password=password, now=self.now
        )
        secret = identity.enrol_totp(session_id=session.pk, now=self.now).secret
        step = int(self.now.timestamp()) // STEP_S
        identity.confirm_totp(
            session_id=session.pk, otp=code_at(secret, step), now=self.now
        )
        identity.end_session(session_id=session.pk, now=self.now)
        return Person(user=user, password=password, secret=secret)

    def subscribe(
        self, username: str, name: str, phone: str, *, unit_id: int | None = None
    ) -> Subscriber:
        """A prospect with a portal sign-in."""
        customer = identity.register_customer(
            kind="individual",
            name=name,
            email=f"{username}@mail.example",
            phone=phone,
            unit_id=unit_id,
            address="12 Broad Street",
            city="Lagos",
            country="NG",
            actor=SYSTEM,
            now=self.now,
        )
        password = f"{username} drinks palm wine slowly"
        user = identity.create_portal_user(
            customer_id=customer.pk,
            username=username,
            password=password,
            actor=SYSTEM,
            now=self.now,
        )
        return Subscriber(user=user, password=password, customer=customer)

    # Signing in -----------------------------------------------------------

    def api(self, person: Person | None = None) -> Api:
        """A client that signed in through auth/login; without a person, nobody."""
        return Api(login(Api(), person)["access"]) if person is not None else Api()

    def console(self, person: Person) -> Client:
        """A browser that went through the console's sign-in pages."""
        browser = Client()
        answer = browser.post(
            "/console/sign-in",
            {"username": person.username, "password": person.password},
        )
        assert answer.status_code == 302, answer.content
        answer = browser.post(answer["Location"], {"otp": person.otp()})
        assert answer.status_code == 302, answer.content
        return browser

    def portal(self, person: Person) -> Client:
        """A browser that went through the portal's sign-in page."""
        browser = Client()
        answer = browser.post(
            "/portal/sign-in",
            {"username": person.username, "password": person.password},
        )
        assert answer.status_code == 302, answer.content
        return browser


def login(client: Client, person: Person) -> dict[str, Any]:
    """POST auth/login: {access, refresh, token_type, expires_in}."""
    body = {"username": person.username, "password": person.password}
    if otp := person.otp():
        body["otp"] = otp
    answer = client.post("/api/v1/auth/login", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def code_at(secret: str, step: int) -> str:
    """The six digits that an authenticator shows in this 30-second step."""
    return f"{hotp(base64.b32decode(secret), step):06d}"
