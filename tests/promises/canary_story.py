"""A day at an ISP in which every secret is a canary. Runs in a process of its own.

`python -m tests.promises.canary_story FILE` writes what was planted to FILE, which
is no part of what is searched afterwards.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import sys
import time
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings

# Pages name their files without a manifest: none were collected here.
settings.STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
django.setup()

from django.test import Client  # noqa: E402 - models need the settings
from django.utils import timezone  # noqa: E402

from apps.billing.gateways import paystack  # noqa: E402
from apps.federation import operations as federation  # noqa: E402
from apps.identity import operations as identity  # noqa: E402
from apps.network import tasks as network_tasks  # noqa: E402
from apps.ops import tasks as ops_tasks  # noqa: E402
from apps.ops.models import OutboxEvent  # noqa: E402
from dotmac.core.errors import DomainError  # noqa: E402
from dotmac.core.models import keyring  # noqa: E402
from tests.catalog.shops import build_shop  # noqa: E402
from tests.federation.asking import ask, exchange, told, userinfo  # noqa: E402
from tests.federation.making import make_application  # noqa: E402
from tests.world import (  # noqa: E402
    STEP_S,
    SYSTEM,
    Api,
    Person,
    World,
    code_at,
    login,
)

OPEN = "OpenControlCanary"
WAIT_S = 60


def canary(name: str) -> str:
    """A secret that nothing else resembles."""
    return f"Canary-{name.title().replace(' ', '')}-{secrets.token_hex(12)}"


class Story:
    """What happens, and what was planted on the way."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}
        self.now = timezone.now() - timedelta(days=1)
        self.world = World(now=self.now)

    def plant(self, name: str, value: str = "") -> str:
        value = value or canary(name)
        self.planted[name] = value
        return value

    def tell(self) -> dict[str, str]:
        self.files()
        owner = self.hire()
        browser = self.world.console(owner)
        api = self.sign_in(owner, browser)
        self.network(api)
        self.customers(api)
        self.federation(browser)
        self.gateway()
        self.work()
        return self.planted

    def files(self) -> None:
        """What stands in the key files, and what is made of it."""
        for name in ("django.key", "encryption.key", "paystack.key"):
            text = (settings.SECRETS_DIR / name).read_text().strip()
            self.plant(f"file {name}", text.removeprefix("1:"))
        for name in ("jwt.key", "audit.key"):
            self.plant(
                f"file {name}", (settings.SECRETS_DIR / name).read_text().split("\n")[1]
            )
        self.plant("derived keys", keyring().current.session_value)

    def hire(self) -> Person:
        user = identity.create_staff(
            username="canary", email="canary@demo-isp.example", name=OPEN,
            role_slug="owner", actor=SYSTEM, now=self.now,
        )  # fmt: skip
        link = identity.invite_staff(user_id=user.pk, actor=SYSTEM, now=self.now)
        self.plant("invitation", link.token)
        Client().get(f"/console/invitation/{link.token}")
        password = self.plant("staff password")
        session = identity.accept_invitation(
            token=link.token, password=password, now=self.now
        )
        secret = identity.enrol_totp(session_id=session.pk, now=self.now).secret
        self.plant("totp base32", secret)
        self.plant("totp seed", base64.b32decode(secret).hex())
        identity.confirm_totp(
            session_id=session.pk,
            otp=code_at(secret, int(self.now.timestamp()) // STEP_S),
            now=self.now,
        )
        return Person(user=user, password=password, secret=secret)

    def sign_in(self, owner: Person, browser: Client) -> Api:
        self.plant("console cookie", browser.cookies["sessionid"].value)
        browser.get("/console/")
        tokens = login(Api(), owner)
        self.plant("first refresh token", tokens["refresh"])
        self.plant("first access token", tokens["access"])
        answer = Api().post("/api/v1/auth/refresh", {"refresh": tokens["refresh"]})
        assert answer.status_code == 200, answer.content
        self.plant("refresh token", answer.json()["refresh"])
        access = self.plant("access token", answer.json()["access"])
        wrong = self.plant("mistyped password")
        Api().post("/api/v1/auth/login", {"username": "canary", "password": wrong})
        Client().post("/console/sign-in", {"username": "canary", "password": wrong})
        Api(bearer=self.plant("forged bearer")).get("/api/v1/customers")
        Client().get(f"/api/v1/customers?token={self.plant('token in a query')}")
        return Api(bearer=access)

    def federation(self, browser: Client) -> None:
        """A provider's secret by its form, a tool's secret, a code and its token."""
        row = federation.create_connection(
            kind="oidc", audience="staff", actor=SYSTEM, now=self.now,
            facts=federation.ConnectionFacts(
                name=OPEN, issuer="http://127.0.0.1:9", client_id="dotmac",
                secret=self.plant("provider secret"), domains=["demo-isp.example"],
            ),
        )  # fmt: skip
        federation.check_connection(connection_id=row.pk, actor=SYSTEM, now=self.now)
        app = make_application(asks_consent=False)
        self.plant("application secret token", app.secret)
        code = told(ask(browser, app))["code"]
        self.plant("authorisation code token", code)
        given = exchange(app, code).json()
        self.plant("application token", given["access_token"])
        self.plant("id token", given["id_token"])
        userinfo(given["access_token"])

    def network(self, api: Api) -> None:
        body = {
            "name": "edge",
            "address": "127.0.1.1",
            "secret": self.plant("nas secret"),
        }
        answer = api.post("/api/v1/nas", body, headers=key("nas"))
        assert answer.status_code == 201, answer.content
        answer = api.post("/api/v1/nas", body, headers=key("nas"))
        assert answer["Idempotent-Replay"] == "true"
        answer = api.post(
            "/api/v1/nas", {"name": "made", "address": "127.0.1.2"}, headers=key("made")
        )
        self.plant("generated nas secret", answer.json()["secret"])
        refused = {
            **body,
            "name": "x",
            "secret": self.plant("refused secret") + " \u2603",
        }
        assert api.post("/api/v1/nas", refused).status_code == 400
        nas_id = answer.json()["id"]
        change = {"secret": self.plant("changed nas secret")}
        changed = api.patch(
            f"/api/v1/nas/{nas_id}", change, headers={"If-Match": answer["ETag"]}
        )
        assert changed.status_code == 200, changed.content

    def customers(self, api: Api) -> None:
        shop = build_shop()
        answer = api.post(
            "/api/v1/customers",
            {"kind": "individual", "name": f"{OPEN} Customer",
             "email": "canary@mail.example", "phone": "+2348031000099",
             "address": "1 Broad Street", "city": "Lagos", "country": "NG"},
        )  # fmt: skip
        assert answer.status_code == 201, answer.content
        customer = answer.json()["id"]
        password = self.plant("portal password")
        identity.create_portal_user(
            customer_id=customer, username="canary-customer", password=password,
            actor=SYSTEM, now=self.now,
        )  # fmt: skip
        phone = Client()
        signed_in = phone.post(
            "/portal/sign-in", {"username": "canary-customer", "password": password}
        )
        assert signed_in.status_code == 302, signed_in.content
        self.plant("portal cookie", phone.cookies["sessionid"].value)
        subscriber = self.plant("subscriber password")
        answer = api.post(
            "/api/v1/services",
            {"customer": customer, "plan": shop.plan.slug, "login": "canary-line",
             "password": subscriber},
            headers=key("service"),
        )  # fmt: skip
        assert answer.status_code == 201, answer.content
        service = answer.json()["id"]
        provisioned = api.post(
            f"/api/v1/services/{service}/provision", headers=key("p")
        )
        assert provisioned.status_code == 202, provisioned.content
        api.get(f"/api/v1/services/{service}")
        shown = api.post(f"/api/v1/services/{service}/credentials", headers=key("show"))
        assert subscriber in shown.content.decode() or shown.status_code >= 400

    def gateway(self) -> None:
        """The gateway is away: the request with its key fails."""
        try:
            paystack.find_charge("reference")
        except DomainError as error:
            logging.getLogger("story").warning("gateway %s", error)
        except Exception:
            logging.getLogger("story").exception("gateway")

    def work(self) -> None:
        """What a worker does with it, until nothing waits."""
        logging.getLogger("story").warning("open %s", OPEN)
        deadline = time.monotonic() + WAIT_S
        while OutboxEvent.objects.exclude(state="done").exists():
            for task in (
                ops_tasks.sweep_outbox, ops_tasks.send_messages, ops_tasks.chain_audit,
                network_tasks.send_coa_requests, ops_tasks.check_integrity,
            ):  # fmt: skip
                task.delay(note=OPEN)
            time.sleep(1)
            assert time.monotonic() < deadline, "Events wait for ever."


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": f"canary-{name}-0123456789"}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(Story().tell()))
