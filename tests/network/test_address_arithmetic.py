"""Address arithmetic, in Python and in SQL, against Python's ipaddress."""

from __future__ import annotations

import ipaddress

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.network.rules import addressing, credentials, effects

v4 = st.ip_addresses(v=4)
v6 = st.ip_addresses(v=6)


@st.composite
def networks(draw, low4=8, low6=16):
    version = draw(st.sampled_from([4, 6]))
    if version == 4:
        address, length = draw(v4), draw(st.integers(low4, 32))
    else:
        address, length = draw(v6), draw(st.integers(low6, 128))
    return ipaddress.ip_network((address, length), strict=False)


@pytest.mark.unit
@given(networks())
def test_a_network_reads_back_as_itself(network):
    assert addressing.parsed_network(f" {network} ") == network


@pytest.mark.unit
@given(networks(), st.integers(1, 2**20))
def test_host_bits_are_refused_and_the_right_network_is_named(network, offset):
    offset %= network.num_addresses
    if offset == 0:
        return
    text = f"{network.network_address + offset}/{network.prefixlen}"
    with pytest.raises(credentials.MalformedText, match=str(network)):
        addressing.parsed_network(text)


@pytest.mark.unit
@given(st.text(max_size=30))
def test_no_text_breaks_the_readers(text):
    for reader in (
        addressing.parsed_network, addressing.parsed_address, credentials.canonical_mac,
        credentials.checked_login, credentials.checked_password,
        credentials.checked_nas_secret,
    ):  # fmt: skip
        try:
            reader(text)
        except credentials.MalformedText as complaint:
            assert str(complaint)  # noqa: PT017 - any text may be refused, with words


@pytest.mark.unit
@given(networks())
def test_the_default_gateway_is_a_host(network):
    gateway = addressing.default_gateway(network)
    if network.prefixlen >= network.max_prefixlen - 1:
        assert gateway is None
    else:
        assert gateway is not None
        assert addressing.is_host_of(gateway, network)


@pytest.mark.unit
@given(networks(low4=20, low6=116))
def test_hosts_are_those_of_ipaddress(network):
    ours = [address for address in network if addressing.is_host_of(address, network)]
    assert ours == list(network.hosts())


@pytest.mark.unit
@given(st.one_of(v4, v6))
def test_the_enclosing_blocks_hold_the_address_each_once(address):
    blocks = addressing.enclosing_blocks(address)
    assert len(blocks) == len(set(blocks)) == address.max_prefixlen
    assert blocks[0] == f"{address}/{address.max_prefixlen}"
    assert all(address in ipaddress.ip_network(block) for block in blocks)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("AA:BB:CC:DD:EE:FF", "aa:bb:cc:dd:ee:ff"),
        ("aabb.ccdd.eeff", "aa:bb:cc:dd:ee:ff"),
        ("AA-BB-CC-DD-EE-FF", "aa:bb:cc:dd:ee:ff"),
        ("aabbccddeeff", "aa:bb:cc:dd:ee:ff"),
    ],
)
def test_a_mac_address_has_one_form(text, canonical):
    assert credentials.canonical_mac(text) == canonical


@pytest.mark.unit
@pytest.mark.parametrize("text", ["fe80::1%eth0", "0.0.0.0/0", "10.0.0", "1.2.3.4.5"])
def test_no_address(text):
    with pytest.raises(credentials.MalformedText):
        addressing.parsed_address(text)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("127.0.0.1", True), ("10.0.0.1", True), ("2001:db8::1", True),
        ("0.0.0.0", False),  # noqa: S104 - what is refused
        ("::", False), ("224.0.0.1", False), ("ff02::1", False),
        ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_which_addresses_can_send(text, usable):
    assert addressing.usable_as_source(ipaddress.ip_address(text)) is usable


ORDER = ("accept", "throttle", "walled_garden", "reject")


@pytest.mark.unit
@given(st.sampled_from(ORDER), st.sampled_from(ORDER), st.booleans(), st.booleans())
def test_what_the_edge_is_told(before, after, rate_changed, pool_changed):
    act = effects.edge_act(
        before=before, after=after, rate_changed=rate_changed, pool_changed=pool_changed
    )
    online = {"accept", "throttle"}
    if pool_changed or (before != after and not {before, after} <= online):
        assert act == effects.EdgeAct.DISCONNECT
    elif before != after or (rate_changed and after in online):
        assert act == effects.EdgeAct.COA
    else:
        assert act == effects.EdgeAct.NOTHING


def sql(expression, *params):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}", params)
        return cursor.fetchone()[0]


def text_of(expression, *params):
    found = sql(f"text({expression})", *params)
    # PostgreSQL writes ::255.255.255.255 where Python writes ::ffff:ffff.
    return str(ipaddress.ip_interface(found)) if found else None


@pytest.mark.django_db
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks())
def test_sql_knows_first_last_and_count_of_hosts(db, network):
    cidr = str(network)
    top = network.max_prefixlen
    if network.version == 4 and network.prefixlen < 31:
        first, last = network[1], network[-2]
    elif network.version == 6 and network.prefixlen < 127:
        first, last = network[1], network[-1]
    else:
        first, last = network[0], network[-1]
    count = int(last) - int(first) + 1

    assert text_of("network_first_unit(%s, NULL)", cidr) == f"{first}/{top}"
    assert text_of("network_last_unit(%s, NULL)", cidr) == f"{last}/{top}"
    assert sql("network_unit_count(%s, NULL, NULL)", cidr) == count
    assert sql("network_unit_count(%s, NULL, %s)", cidr, str(first)) == count - 1
    outside = "203.0.113.77" if network.version == 6 else "2001:db8::1"
    assert sql("network_unit_count(%s, NULL, %s)", cidr, outside) == count


@pytest.mark.django_db
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks(), st.integers(0, 128))
def test_sql_cuts_delegated_blocks(db, network, more):
    length = min(network.prefixlen + more, network.max_prefixlen)
    assert addressing.delegation_fits(network, length)
    step = 2 ** (network.max_prefixlen - length)
    first = network.network_address
    last = network[-1] - (step - 1)

    assert text_of("network_first_unit(%s, %s)", str(network), length) == (
        f"{first}/{length}"
    )
    assert text_of("network_last_unit(%s, %s)", str(network), length) == (
        f"{last}/{length}"
    )
    assert sql("network_unit_count(%s, %s, NULL)", str(network), length) == (
        network.num_addresses // step
    )


@pytest.mark.django_db
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks(), st.integers(0, 2**64))
def test_sql_steps_from_unit_to_unit_and_never_past_the_last(db, network, offset):
    unit = network[offset % network.num_addresses]
    last = network[-1]
    found = text_of(
        "network_next_unit(%s::inet, %s::inet)",
        f"{unit}/{network.max_prefixlen}",
        f"{last}/{network.max_prefixlen}",
    )
    expected = None if unit == last else f"{unit + 1}/{network.max_prefixlen}"
    assert found == expected


@pytest.mark.unit
@pytest.mark.parametrize(
    ("address", "within"),
    [
        ("10.1.2.3", True),
        ("192.0.2.1", False),
        ("fd00::1", True),
        ("2001:db8::1", False),
    ],
)
def test_an_address_lies_within_networks_of_its_own_kind(address, within):
    networks = ["nonsense", " 10.0.0.0/8", "fc00::/7"]
    assert addressing.lies_within(address, networks) is within
