"""Every vendor's table, through the functions that RADIUS servers call."""

from __future__ import annotations

from importlib import import_module

import pytest

from apps.network.radius.attributes import attribute_table
from apps.network.radius.vendors import own_maps, read_maps
from apps.network.rules.attributes import checked_attribute
from apps.network.rules.vendors import CONDITIONS, WORDS, MalformedMap
from tests.network.vendors import Case, lines

VENDORS = [found.slug for found in own_maps()]


@pytest.mark.integration
@pytest.mark.usefixtures("own_database")
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_line_is_told_in_the_vendors_words(vendor):
    cases: tuple[Case, ...] = import_module(f"tests.network.vendors.{vendor}").CASES
    session = lines.radius_session()
    try:
        for case in cases:
            account, nas = lines.make_line(case, vendor)
            rows = lines.told(session, account, nas)

            assert sorted((n, v) for n, v, _ in rows) == sorted(case.told), case.says
            assert lines.edge_rate(account, nas) == list(case.coa), case.says
            _check_ops(rows)
    finally:
        session.close()


def _check_ops(rows: list[tuple[str, str, str]]) -> None:
    """Several values of an attribute are added; each value encodes."""
    names = [name for name, _, _ in rows]
    for name, value, op in rows:
        assert op == "+=" or names.count(name) == 1, name
        checked = name if name != "Session-Timeout" else "Idle-Timeout"
        assert checked_attribute(checked, value, attribute_table())


NORTHSTAR = """
label = "Northstar"
source = "https://example.invalid/northstar"

[[reply]]
attribute = "Ascend-Data-Rate"
value = "{up_bps_32}"
send = ["accept", "coa"]

[[reply]]
when = ["throttled"]
attribute = "Filter-Id"
op = "+="
value = "100% of {priority}: {down_kbps}k"
"""
NORTHSTAR_CASES = (
    Case(
        says="open", told=(("Ascend-Data-Rate", "10000000"),),
        coa=(("Ascend-Data-Rate", "10000000"),),
    ),
    Case(
        says="throttled", hold="throttle", profile={"priority": 7},
        told=(("Ascend-Data-Rate", "512000"), ("Filter-Id", "100% of 7: 512k")),
        coa=(("Ascend-Data-Rate", "512000"),),
    ),
)  # fmt: skip


@pytest.mark.integration
@pytest.mark.usefixtures("own_database")
def test_a_vendor_more_is_one_file_and_one_table(tmp_path):
    (tmp_path / "northstar.toml").write_text(NORTHSTAR)
    maps = (*own_maps(), *read_maps(tmp_path))

    assert lines.act("load_vendor_maps", maps=maps) == ["northstar"]
    assert lines.act("load_vendor_maps", maps=maps) == []

    session = lines.radius_session()
    try:
        for case in NORTHSTAR_CASES:
            account, nas = lines.make_line(case, "northstar")
            rows = lines.told(session, account, nas)
            assert sorted((n, v) for n, v, _ in rows) == sorted(case.told)
            assert lines.edge_rate(account, nas) == list(case.coa)
    finally:
        session.close()


REPLY = """
label = "X"
source = "https://example.invalid/x"
[[reply]]
attribute = "{attribute}"
value = "{value}"
{more}
"""


@pytest.mark.unit
@pytest.mark.parametrize(
    ("attribute", "value", "more", "why"),
    [
        ("Mikrotik-Rate-Limt", "1k", "", "No dictionary has the attribute"),
        ("Class", "1", "", "server's own"),
        ("Tunnel-Password", "x", "", "carries a secret"),
        ("Filter-Id", "{up_mbps}", "", "nothing is called {up_mbps}"),
        ("Filter-Id", "{}", "", "nothing is called {}"),
        ("Filter-Id", "{up_kbps", "", "braces enclose words"),
        ("Filter-Id", "x", "when = ['opened']", "nothing is called opened"),
        ("Filter-Id", "x", "color = 'red'", "nothing is called color"),
        ("Filter-Id", "x", "op = '=='", "its op is"),
        ("Filter-Id", "x", "send = ['reject']", "its op is"),
        ("Filter-Id", "x", "send = []", "its op is"),
        ("Framed-Route", "{route}", "", "goes with route_v4"),
        ("Filter-Id", "x", "unless = ['vlan']", "state and profile only"),
        ("Filter-Id", "{vid}", "send = ['coa']", "its speed only"),
        ("Filter-Id", "{vid}-{up_kbps}", "", "of the profile and of the line"),
        (
            "Filter-Id",
            "x",
            "when = ['vlan', 'burst']",
            "of the profile and of the line",
        ),
        ("Framed-Route", "x", "when = ['route_v4']", "goes with route_v4"),
        # Bits a second of a fast line do not fit 32 bits: the unit trap.
        ("WISPr-Bandwidth-Max-Up", "{up_bps}", "", "between 0 and 4294967295"),
        ("WISPr-Bandwidth-Max-Up", "{up_kbps}k", "", "whole number"),
        ("Mikrotik-Address-List", "{redirect_url}{pool}", "", "1 to 247 octets"),
    ],
)
def test_a_map_that_cannot_be_right_is_refused(tmp_path, attribute, value, more, why):
    text = (
        REPLY.replace("{attribute}", attribute)
        .replace("{value}", value)
        .replace("{more}", more)
    )
    (tmp_path / "x.toml").write_text(text)

    with pytest.raises(MalformedMap, match=why.replace("{", r"\{")):
        read_maps(tmp_path)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("X.toml", "label = 'X'", "a vendor's name"),
        ("x.toml", "label = 'X'", "a label, a source and replies"),
        ("x.toml", "label = 'X'\nreply = []\nsource = ''\nunit = 1", "a label, a source"),
        ("x.toml", "label = ''\nreply = []\nsource = ''", "1 to 64"),
        ("x.toml", "label = ", "x: "),
    ],
)  # fmt: skip
def test_a_file_that_is_no_map_is_refused(tmp_path, name, text, why):
    (tmp_path / name).write_text(text)

    with pytest.raises(MalformedMap, match=why):
        read_maps(tmp_path)


@pytest.mark.unit
def test_every_word_and_condition_is_used_by_a_map_or_documented():
    """The order is that of SQL: 20 words of a profile, 10 of a line, 2 more of a
    profile; 20 conditions."""
    assert list(WORDS)[19:22] == ["policy", "pool", "pool_v6"]
    assert list(WORDS)[29:] == ["route_via", "session_octets_32", "session_gigawords"]
    assert len(WORDS) == 32
    assert CONDITIONS["walled_pool"] == 1 << 18
    assert max(CONDITIONS.values()) == CONDITIONS["session_octets"] == 1 << 19
