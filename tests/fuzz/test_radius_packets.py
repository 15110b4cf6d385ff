"""A hundred thousand mangled RADIUS packets at each server."""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.conformance.campaign import Campaign
from tests.conformance.conftest import isp, radius_database, server

__all__ = ["isp", "radius_database", "server"]
# Four minutes a server on two quiet cores; the run's five cut a busier machine off.
pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(1800)]
PACKETS = int(os.environ.get("FUZZ_PACKETS", "100000"))


def test_mangled_packets_do_no_harm(server, isp, radius_database, record_property):
    """Other packets each time; FUZZ_SEED sends those of a run that failed again."""
    seed = int(os.environ.get("FUZZ_SEED", time.time_ns() % 10**9))
    campaign = Campaign(server, isp, radius_database, random.Random(seed))

    try:
        campaign.run(PACKETS)
    except AssertionError as failed:
        failed.add_note(
            f"FUZZ_SEED={seed}, {campaign.sent} packets were sent, {campaign.answers}"
        )
        raise

    campaign.look_at_answers()
    record_property("packets", campaign.sent)
    record_property("answers", dict(campaign.answers))
    record_property("resident KiB after each thousand", campaign.rss)
