"""Counters of 32 bits without gigawords: a fall while time goes on is an overflow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.network.test_radius_sessions import Line, examples, owner

pytestmark = pytest.mark.integration
__all__ = ["owner"]

TURN = 2**32
INTERVAL = 300


def switch(line, on=True):
    line.connection.execute(
        "UPDATE network_nas SET counts_32_bits = %s WHERE name = 'hypo'", [on]
    )


def tell(line, status, seconds, octets_in, octets_out=0, **more):
    """A packet of a session that began 3000 s ago, with 32 bits of each counter."""
    assert line.send(
        status=status, event=line.ago(3000 - seconds), seconds=seconds,
        octets_in=octets_in % TURN, octets_out=octets_out % TURN, **more,
    ) == [status.lower()]  # fmt: skip


def told(line):
    return [(row[4], row[5], row[6]) for row in line.rows()]


def nonzero(total):
    """Less one where the 32 bits would be zeros, which say nothing."""
    return total - 1 if total and total % TURN == 0 else total


@examples
@given(
    steps=st.lists(
        st.tuples(
            st.integers(min_value=1, max_value=TURN - 1),
            st.integers(min_value=0, max_value=TURN - 1),
            st.integers(min_value=1, max_value=3),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_less_than_a_turn_between_packets_is_counted_to_the_octet(owner, steps):
    """Whatever each packet is told how often, as the interim or the Stop."""
    with Line(owner) as line:
        switch(line)
        sent = received = seconds = 0
        tell(line, "Start", 0, 0)
        for number, (more_in, more_out, times) in enumerate(steps):
            sent, received, seconds = sent + more_in, received + more_out, seconds + 300
            sent, received = nonzero(sent), nonzero(received)
            last = number == len(steps) - 1
            for _repeated in range(times):
                tell(
                    line, "Stop" if last else "Interim-Update", seconds, sent, received
                )

        assert told(line) == [(seconds, sent, received)]
        assert line.usage() == (sent, received)


class TestSwitchedOn:
    @pytest.fixture
    def line(self, owner):
        with Line(owner) as line:
            switch(line)
            yield line

    def test_both_ways_turn_on_their_own_and_more_than_once(self, line):
        for seconds, sent, received in (
            (300, 4_000_000_000, 5), (600, 4_300_000_000, 6), (900, 8_500_000_000, 7),
            (1200, 8_600_000_000, TURN - 1), (1500, 8_600_000_001, TURN + 1),
        ):  # fmt: skip
            tell(line, "Interim-Update", seconds, sent, received)

        assert told(line) == [(1500, 8_600_000_001, TURN + 1)]
        assert line.usage() == (8_600_000_001, TURN + 1)

    def test_what_is_late_or_the_same_moment_is_no_overflow(self, line):
        tell(line, "Interim-Update", 600, 4_000_000_000)
        tell(line, "Interim-Update", 300, 3_000_000_000)
        tell(line, "Interim-Update", 600, 3_999_999_999)

        assert told(line) == [(600, 4_000_000_000, 0)]

    def test_a_stop_without_counters_says_nothing(self, line):
        tell(line, "Interim-Update", 600, 4_000_000_000, 7)
        line.send(status="Stop", event=line.ago(2000), seconds=1000)

        assert told(line) == [(1000, 4_000_000_000, 7)]

    def test_gigawords_are_believed_where_they_come_after_all(self, line):
        tell(line, "Interim-Update", 300, 4_000_000_000)
        tell(line, "Interim-Update", 600, 5, giga_in=3)

        assert told(line) == [(600, 3 * TURN + 5, 0)]

    def test_a_new_session_of_the_same_id_begins_at_its_own_counters(self, line):
        tell(line, "Start", 0, 0)
        tell(line, "Interim-Update", 600, 4_000_000_000)
        line.send(status="Start", event=line.ago(1000))
        line.send(
            status="Interim-Update", event=line.ago(100), seconds=900, octets_in=9
        )

        assert [row[1] for row in told(line)] == [4_000_000_000, 9]
        assert line.usage() == (4_000_000_009, 0)

    def test_the_order_matters_in_this_mode(self, line):
        """Why it is no default: what a late packet fell from is not known."""
        tell(line, "Interim-Update", 600, TURN + 100_000_000)
        tell(line, "Interim-Update", 300, 4_000_000_000)

        assert told(line) == [(600, 4_000_000_000, 0)]


def test_without_the_switch_a_counter_that_falls_stays(owner):
    with Line(owner) as line:
        for seconds, octets in ((300, 4_000_000_000), (600, 100_000_000)):
            tell(line, "Interim-Update", seconds, octets)

        assert told(line) == [(600, 4_000_000_000, 0)]
        assert line.usage() == (4_000_000_000, 0)
