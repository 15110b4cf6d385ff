"""Speeds in the words of vendors, and answers compared in what they mean."""

from __future__ import annotations

import pytest

from apps.network.rules.credentials import MalformedText
from apps.network.rules.imports import Rate, rate_of
from apps.network.rules.imports.comparison import Answer, differences
from apps.network.rules.imports.rates import short

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("pairs", "rate"),
    [
        ([("Mikrotik-Rate-Limit", "512k")], Rate(512, 512)),
        ([("Mikrotik-Rate-Limit", "5000000/20000000")], Rate(20_000, 5_000)),
        ([("Mikrotik-Rate-Limit", "0/0")], None),
        ([("Mikrotik-Rate-Limit", "5M/20M 0/0 0/0 0/0 3")],
         Rate(20_000, 5_000, priority=3)),
        ([("Mikrotik-Rate-Limit", "5M/20M 6M/25M")],
         Rate(20_000, 5_000, 25_000, 6_000, 20_000, 5_000, 1)),
        ([("Mikrotik-Rate-Limit", "5M/20M 6M/25M 4M/15M 8/8 1 5M/20M")],
         Rate(20_000, 5_000, 25_000, 6_000, 15_000, 4_000, 8, 1)),
        ([("WISPr-Bandwidth-Max-Down", "20000000"),
          ("WISPr-Bandwidth-Max-Up", "5000000")], Rate(20_000, 5_000)),
        ([("WISPr-Bandwidth-Max-Down", "0"), ("WISPr-Bandwidth-Max-Up", "0")], None),
        ([("ChilliSpot-Bandwidth-Max-Down", "20000"),
          ("ChilliSpot-Bandwidth-Max-Up", "5000")], Rate(20_000, 5_000)),
        ([("Huawei-Output-Average-Rate", "20000000"),
          ("Huawei-Input-Average-Rate", "5000000")], Rate(20_000, 5_000)),
        ([("Cambium-ePMP-Max-Burst-Downlink-Rate", "20000"),
          ("Cambium-ePMP-Max-Burst-Uplink-Rate", "5000")], Rate(20_000, 5_000)),
        ([("Filter-Id", "20000/5000")], Rate(20_000, 5_000)),
        ([("Filter-Id", "guests")], None),
        ([("Filter-Id", "20000/5000"), ("Mikrotik-Rate-Limit", "5M/20M")],
         Rate(20_000, 5_000)),
    ],
)  # fmt: skip
def test_speeds_are_read_in_each_vendors_words(pairs, rate):
    assert rate_of(pairs) == rate


@pytest.mark.parametrize(
    "pairs",
    [
        [("Mikrotik-Rate-Limit", "a/b")],
        [("Mikrotik-Rate-Limit", "1M 1M 1M 1 1 1M 1M")],
        [("Mikrotik-Rate-Limit", "1M/1M 2M/2M 1M/1M x/x")],
        [("Mikrotik-Rate-Limit", "5M/5M 1M/1M")],
        [("Mikrotik-Rate-Limit", "5M/5M 6M/6M 5M/5M 0/0")],
        [("Mikrotik-Rate-Limit", "5M/5M 6M/6M 5M/5M 8/9")],
        [("Mikrotik-Rate-Limit", "5M/5M 0/0 0/0 0/0 8 1M/1M")],
        [("Mikrotik-Rate-Limit", "100/100")],
        [("WISPr-Bandwidth-Max-Down", "x"), ("WISPr-Bandwidth-Max-Up", "1000")],
        [("WISPr-Bandwidth-Max-Down", "1500"), ("WISPr-Bandwidth-Max-Up", "1000")],
        [("Filter-Id", "20000/5000"), ("Mikrotik-Rate-Limit", "1M/1M")],
    ],
)
def test_speeds_that_mean_nothing_whole_are_refused(pairs):
    with pytest.raises(MalformedText):
        rate_of(pairs)


def test_speeds_have_short_names():
    assert [short(n) for n in (512, 1_000, 20_000, 1_000_000)] == [
        "512k", "1M", "20M", "1G",
    ]  # fmt: skip
    whole = Rate(20_000, 5_000, 25_000, 6_000, 15_000, 4_000, 8, 1)
    assert str(whole) == "20M down, 5M up, burst 25M/6M 8 s from 15M/4M, priority 1"


def accepted(*pairs):
    return Answer("accepted", pairs)


def test_answers_are_compared_in_what_they_mean():
    old = accepted(
        ("Mikrotik-Rate-Limit", "5M/20M"), ("Session-Timeout", "1000"),
        ("Class", "old"), ("Framed-Route", "a"), ("Framed-Route", "b"),
        ("Delegated-IPv6-Prefix", "2001:db8:0::/56"),
    )  # fmt: skip
    new = accepted(
        ("WISPr-Bandwidth-Max-Up", "5000000"), ("Framed-Route", "b"),
        ("WISPr-Bandwidth-Max-Down", "20000000"), ("Framed-Route", "a"),
        ("Session-Timeout", "1003"), ("Delegated-IPv6-Prefix", "2001:db8::/56"),
    )  # fmt: skip
    assert differences(old, new, timeout_s=5) == []
    assert differences(old, new, timeout_s=2) == [
        "Session-Timeout: 1000 before, 1003 now"
    ]
    slower = accepted(("Mikrotik-Rate-Limit", "1M/1M"), ("Session-Timeout", "x"))
    assert differences(old, slower, timeout_s=5) == [
        "Delegated-IPv6-Prefix: 2001:db8::/56 before, nothing now",
        "Framed-Route: a, b before, nothing now",
        "Session-Timeout: 1000 before, x now",
        "speed: 20M down, 5M up before, 1M down, 1M up now",
    ]
    odd = accepted(("Mikrotik-Rate-Limit", "fast"), ("Framed-Pool", "a:b/c"))
    assert differences(odd, odd, timeout_s=0) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (Answer("silent"), accepted(), ["The old server gave no answer."]),
        (accepted(), Answer("silent"), ["DotMac gave no answer."]),
        (accepted(), Answer("rejected"),
         ["The old server lets it in, DotMac refuses it."]),
        (Answer("rejected"), accepted(),
         ["The old server refuses it, DotMac lets it in."]),
        (Answer("rejected", (("Reply-Message", "no"),)), Answer("rejected"), []),
        (accepted(), accepted(("Acct-Interim-Interval", "300")), []),
        (accepted(("Acct-Interim-Interval", "60")),
         accepted(("Acct-Interim-Interval", "300")),
         ["Acct-Interim-Interval: 60 before, 300 now"]),
        (accepted(("Mikrotik-Rate-Limit", "0/0")), accepted(),
         ["speed: no limit before, nothing now"]),
    ],
)  # fmt: skip
def test_verdicts_are_compared_first(old, new, told):
    assert differences(old, new, timeout_s=0) == told
