"""Mangled packets at both servers; tests/fuzz sends a hundred thousand of them."""

from __future__ import annotations

import random

import pytest

from tests.conformance import mangle, peer
from tests.conformance.campaign import KEY, Campaign
from tests.conformance.mangle import Person

pytestmark = [pytest.mark.integration, pytest.mark.security]
PACKETS, SEED = 3_000, 4


def test_mangled_packets_do_no_harm(server, isp, radius_database):
    campaign = Campaign(server, isp, radius_database, random.Random(SEED))

    campaign.run(PACKETS)

    campaign.look_at_answers()


def test_the_judge_looks_at_every_method_that_a_packet_offers():
    """A right CHAP answer proves the password beside half an MS-CHAPv2 one."""
    ada = Person(b"ada", b"right horse", b"s1")
    _, chap, *_ = mangle.seeds([ada], KEY)
    half = peer.vendor(25, peer.Peer(b"ada", "wrong horse").response)
    head = chap[: mangle.HEAD + 18]  # up to the signature, which comes first

    both = mangle.signed(head + half + chap[len(head) :], KEY)

    assert mangle.proves_password(both, [ada], KEY)
    assert not mangle.proves_password(both, [Person(b"ada", b"pw", b"s1")], KEY)
