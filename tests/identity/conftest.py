"""Signing people of the cast in at noon, by the operation.

Imports stand inside: pytest reads this file before Django has its settings.
"""

from datetime import timedelta

import pytest
import time_machine


@pytest.fixture
def enter():
    """enter(person, otp="", face="api", now=NOON, …): SignedIn or the refusal."""
    from apps.identity import operations as identity
    from tests.world import NOON

    def enter(person, otp="", face="api", now=NOON, **facts):
        values = {"password": person.password, "address": "192.0.2.7", **facts}
        return identity.sign_in(
            username=person.username, otp=otp, face=face, now=now, **values
        )

    return enter


@pytest.fixture
def at_noon(world):
    """The cast is a day old; django-axes, which reads the clock itself, sees noon."""
    from tests.world import NOON

    world.now = NOON - timedelta(days=1)
    with time_machine.travel(NOON):
        yield


@pytest.fixture
def enter_console():
    """enter_console(person) is a browser signed in to the console."""
    from tests.sessions import enter

    return enter
