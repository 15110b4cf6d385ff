"""Mangled packets at both servers; tests/fuzz sends a hundred thousand of them."""

from __future__ import annotations

import random

import pytest

from tests.conformance.campaign import Campaign

pytestmark = [pytest.mark.integration, pytest.mark.security]
PACKETS, SEED = 3_000, 4


def test_mangled_packets_do_no_harm(server, isp, radius_database):
    campaign = Campaign(server, isp, radius_database, random.Random(SEED))

    campaign.run(PACKETS)

    campaign.look_at_answers()
