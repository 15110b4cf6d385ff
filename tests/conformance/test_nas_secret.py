"""Both servers switch to another secret of a NAS by themselves, and back again."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations
from apps.network.enums import NasSecretState
from apps.network.models import NasSecret
from tests.conformance import wire
from tests.conformance.isp import ACTOR, CLIENT_LIFETIME_S, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.security]
OLD = SECRET.encode()
ACCEPT, ACCOUNTED = 2, 5
# A server may have looked just before the change.
PATIENCE_S = CLIENT_LIFETIME_S + 4


class Bng:
    """A NAS whose secret is changed, and packets of it."""

    def __init__(self, isp, **facts) -> None:
        self.row = isp.nas(**facts)
        account = isp.account(profile={"sessions_max": 0})
        self.client, self.login = isp.client, account.login.encode()
        self.source = str(self.row.address)

    def logs_in(self, secret: bytes, *, signed: bool = True) -> bool:
        data = wire.access_request(
            self.login, b"right horse", secret, signed=signed, identifier=_id()
        )
        answer = wire.ask(self.client.auth_port, data, source=self.source, wait_s=0.4)
        return answer is not None and answer[0] == ACCEPT

    def accounts(self, secret: bytes) -> bool:
        data = wire.accounting_request(
            secret, wire.attribute(1, self.login), wire.attribute(44, b"s"),
            identifier=_id(),
        )  # fmt: skip
        answer = wire.ask(self.client.acct_port, data, source=self.source, wait_s=0.4)
        return answer is not None and answer[0] == ACCOUNTED

    def within_its_lifetime(self, does, *args, **facts) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if does(*args, **facts):
                return True
        return False

    def switch(self, **facts) -> bytes:
        """To another secret, now."""
        _, new = operations.propose_nas_secret(
            nas_id=self.row.pk, actor=ACTOR, now=timezone.now()
        )
        operations.schedule_nas_secret(
            nas_id=self.row.pk, switch_at=timezone.now(), actor=ACTOR,
            now=timezone.now(), **facts,
        )  # fmt: skip
        return new.encode()

    @property
    def state(self) -> str:
        return NasSecret.objects.get(nas=self.row).state


_ids = iter(range(10**6))


def _id() -> int:
    return next(_ids) % 256


@pytest.mark.parametrize("proof", ["logs_in", "accounts"])
def test_the_next_valid_packet_proves_the_new_secret_and_the_old_one_is_over(
    isp, proof
):
    bng = Bng(isp)
    assert bng.logs_in(OLD)

    new = bng.switch()
    assert bng.within_its_lifetime(getattr(bng, proof), new)

    assert bng.state == NasSecretState.CONFIRMED
    assert not bng.logs_in(OLD)
    assert not bng.accounts(OLD)
    operations.settle_nas_secrets(now=timezone.now())
    assert bng.state == NasSecretState.IN_USE
    time.sleep(CLIENT_LIFETIME_S + 1)
    assert bng.logs_in(new)
    assert not bng.logs_in(OLD)


def test_taken_back_the_old_secret_counts_again(isp):
    bng = Bng(isp, require_message_authenticator=False)
    new = bng.switch()
    # Unsigned it proves nothing: any password decodes to something.
    assert bng.within_its_lifetime(bng.logs_in, new, signed=False)
    assert bng.state == NasSecretState.SCHEDULED

    operations.roll_back_nas_secret(nas_id=bng.row.pk, actor=ACTOR, now=timezone.now())

    assert bng.within_its_lifetime(bng.logs_in, OLD)
    assert not bng.logs_in(new)
    assert bng.state == NasSecretState.ROLLED_BACK


def test_it_is_switched_at_the_minute_and_no_sooner(isp):
    bng = Bng(isp)
    assert bng.logs_in(OLD)
    _, new = operations.propose_nas_secret(
        nas_id=bng.row.pk, actor=ACTOR, now=timezone.now()
    )
    at = timezone.now() + timedelta(seconds=3)
    operations.schedule_nas_secret(
        nas_id=bng.row.pk, switch_at=at, actor=ACTOR, now=timezone.now()
    )

    while timezone.now() < at - timedelta(seconds=1):
        assert bng.logs_in(OLD)
    assert bng.within_its_lifetime(bng.logs_in, new.encode())
    assert timezone.now() > at
