"""Decisions that can be found again, and a storm of them that fills no disk."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.network import operations, selectors, tasks
from apps.network.models import AccessAttempt, AttemptBatch, Nas
from apps.network.operations import attempts
from apps.network.radius import spool
from apps.network.radius.database import AccessFacts, encoded
from apps.network.radius.spool import Decision, Spool
from apps.network.rules.sampling import eased, sample_rates
from tests.network.conftest import acting, build_network, nuru_actor, staff
from tests.network.vendors import lines
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.integration
LONG_AGO = 1_790_000_000
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
MAC, DEVICE = "aa:bb:cc:00:00:01", "02:00:00:00:00:55"
LOGINS = {"ada@isp", "bola@isp", "chi@isp", "dayo@isp", DEVICE}


@pytest.fixture
def folder(settings, tmp_path):
    settings.RADIUS_DECISIONS_DIR = tmp_path / "decisions"
    return settings.RADIUS_DECISIONS_DIR


def decide(login="ada@home", *, accepted=False, reason="password", at=LONG_AGO,
           nas="127.0.1.1", mac="", **more):  # fmt: skip
    return Decision(at, accepted, reason, nas, login, mac, **more)


def write(folder, *decisions):
    for decision in decisions:
        Spool(folder).write(decision)


def rates():
    rows = Nas.objects.values_list("address", "decisions_sample_of")
    return {str(address).split("/")[0]: rate for address, rate in rows}


class TestRates:
    @given(
        st.dictionaries(
            st.text(max_size=3), st.integers(1, 10**6), min_size=1, max_size=50
        )
    )
    def test_they_leave_about_as_many_as_wanted(self, counted):
        found = sample_rates(counted, wanted=5_000)

        assert found.keys() == counted.keys()
        kept = sum(counted[source] / rate for source, rate in found.items())
        assert kept <= 5_000 + len(counted)
        if sum(counted.values()) <= 5_000:
            assert set(found.values()) == {1}
        else:
            # Not far fewer either: a rate is a whole number.
            assert kept >= 5_000 / 2 - len(counted)

    def test_who_asks_little_is_written_whole(self):
        found = sample_rates(
            {"quiet": 30, "storm": 600_000, "other": 900}, wanted=5_000
        )

        assert (found["quiet"], found["other"]) == (1, 1)
        assert found["storm"] == -(-600_000 // (5_000 - 930))

    def test_they_rise_at_once_and_fall_by_half(self):
        assert [eased(1, 40), eased(40, 1), eased(40, 30), eased(1, 1)] == [
            40,
            20,
            30,
            1,
        ]

    def test_of_nothing_there_is_no_rate(self):
        assert sample_rates({}, wanted=5_000) == {}


class TestSampling:
    def test_a_rate_that_fits_is_left_alone(self, net):
        address = str(net.nas.address).split("/", maxsplit=1)[0]

        assert attempts._write_rates({address: 40}) == 1
        assert attempts._write_rates({address: 40}) == 0

    def test_a_storm_at_one_nas_is_sampled_and_ends(self, net, folder, monkeypatch):
        monkeypatch.setattr(attempts, "BATCH_MAX", 50)
        net.do.create_nas(name="quiet", address="127.15.0.7")
        write(
            folder, *(decide(sample_of=10) for _ in range(40)), decide(nas="127.15.0.7")
        )

        tasks.read_attempts()

        assert rates() == {"127.0.1.1": -(-400 // 49), "127.15.0.7": 1}
        assert AttemptBatch.objects.get().decided == 401
        # No news is no calm, until minutes have passed without any.
        tasks.read_attempts()
        assert rates()["127.0.1.1"] == 9
        AttemptBatch.objects.update(read_at=timezone.now() - timedelta(minutes=4))
        seen = []
        for _ in range(4):
            tasks.read_attempts()
            seen.append(rates()["127.0.1.1"])
        assert seen == [4, 2, 1, 1]

    def test_who_reads_says_so_and_not_each_time(self, net):
        now = timezone.now()
        operations.set_attempt_sampling(decisions=[], now=now)
        first = Nas.objects.get().decisions_read_until or NEVER
        operations.set_attempt_sampling(decisions=[], now=now + timedelta(minutes=1))
        second = Nas.objects.get().decisions_read_until
        operations.set_attempt_sampling(decisions=[], now=now + timedelta(minutes=6))

        assert first == now + attempts.READ_FOR
        assert second == first
        assert (Nas.objects.get().decisions_read_until or NEVER) > first

    def test_the_database_draws_lots_and_says_how_many_each_stands_for(
        self, own_database
    ):
        """At one in ten some 100 of 1,000; what is decided stays the same."""
        do = acting(nuru_actor())
        nas = do.create_nas(name="n", address="127.15.0.8")
        session = lines.radius_session()
        facts = AccessFacts(login=encoded(b"nobody"), nas="127.15.0.8")
        before = session.authorize(facts)
        Nas.objects.filter(pk=nas.pk).update(decisions_sample_of=10)
        drawn = Counter(session.authorize(facts)[0] for _ in range(1_000))
        later = session.authorize(facts)
        Nas.objects.filter(pk=nas.pk).update(
            decisions_sample_of=1, decisions_read_until=timezone.now() - timedelta(1)
        )
        unread = Counter(session.authorize(facts)[0][1] for _ in range(50))
        session.close()

        assert before == []
        written = drawn["Tmp-Integer-0", "10", ":="]
        assert 40 < written < 200
        assert drawn["Tmp-Integer-0", "0", ":="] == 1_000 - written
        assert [(name, value) for name, value, _ in later[1:]] == [
            ("Auth-Type", "Reject"), ("Tmp-String-1", "unknown"),
        ]  # fmt: skip
        assert set(unread) <= {"0", "1000"}
        assert unread["0"] >= 45


class TestSpool:
    def test_the_oldest_go_unread_when_there_is_too_much(self, net, folder, settings):
        settings.RADIUS_DECISIONS_MAX_MB = 1
        big = decide("x" * 250)
        size = len(big.line())
        for minute in range(3):
            path = folder / f"{LONG_AGO // 60 + minute}.log"
            folder.mkdir(exist_ok=True)
            path.write_text(big.line() * (600_000 // size))

        tasks.read_attempts()

        lost = AttemptBatch.objects.filter(lost__gt=0)
        assert [batch.lost for batch in lost] == [600_000 // size] * 2
        assert all(batch.decided == batch.lost for batch in lost)
        assert AccessAttempt.objects.count() > 0
        assert list(folder.iterdir()) == []

    def test_a_writer_stops_before_the_folder_is_too_large(self, folder):
        writer = Spool(folder, bytes_max=10 * len(decide().line()))
        for _ in range(50):
            writer.write(decide())
        (path,) = folder.iterdir()
        full = path.read_text()
        path.unlink()
        # A minute later it looks again, and says what was lost.
        with structlog.testing.capture_logs() as said:
            writer.write(decide(at=LONG_AGO + 60))

        assert full == decide().line() * 10
        assert len(list(folder.iterdir())) == 1
        assert [(line["event"], line["lost"]) for line in said] == [
            ("radius.decisions_lost", 40)
        ]

    def test_the_minute_that_is_written_now_is_never_taken_away(self, folder):
        write(folder, decide(at=int(time.time())))

        assert spool.take_away(folder, bytes_max=0) == []
        assert len(list(folder.iterdir())) == 1

    def test_lines_of_before_are_read_as_well(self, net, folder):
        write(folder, decide())
        (path,) = folder.iterdir()
        path.write_text(path.read_text().removesuffix(" 1 0 0\n") + "\n")
        assert len(path.read_text().split(" ")) == 6

        assert tasks.read_attempts() == 1

    @pytest.mark.parametrize("end", [" x 0", " 1 x", " 1", " 1 0 0"])
    def test_a_line_that_is_none_costs_itself_only(self, net, folder, end):
        write(folder, decide(), decide())
        (path,) = folder.iterdir()
        first, second = path.read_text().splitlines()
        path.write_text(f"{first.removesuffix(' 1 0')}{end}\n{second}\n")

        assert tasks.read_attempts() == 1


def test_the_hold_the_device_and_the_account_are_kept(net, folder):
    write(
        folder,
        decide(reason="hold", hold="abuse", mac="AA-BB-CC-00-00-01"),
        decide(MAC, accepted=True, reason="walled_garden", hold="non_payment",
               account=net.account.pk, mac="console 1"),
        decide(reason="hold", hold="no-such"),
    )  # fmt: skip

    tasks.read_attempts()

    held, line, odd = AccessAttempt.objects.order_by("pk")
    assert (held.hold_reason, held.mac, held.account_id) == (
        "abuse",
        MAC,
        net.account.pk,
    )
    assert (line.account_id, line.hold_reason) == (net.account.pk, "non_payment")
    assert line.mac == "console 1"
    assert odd.hold_reason == ""
    told = {h.name: list(h.rows) for h in selectors.held_about([net.account.pk])}
    assert [row["hold_reason"] for row in told["network.login_attempts"]] == [
        "abuse", "non_payment", "",
    ]  # fmt: skip


class TestFinding:
    @pytest.fixture
    def world(self, db):
        return World()

    @pytest.fixture
    def shown(self, world, folder):
        """Which logins the list holds with this query."""
        net = build_network(acting(world.nuru.actor, now=timezone.now()))
        net.do.create_nas(name="lekki-1", address="127.15.0.6")
        now = int(time.time()) - 300
        write(
            folder,
            decide("ada@isp", at=now, mac="AA-BB-CC-00-00-01"),
            decide("bola@isp", at=now, accepted=True, reason="open", nas="127.15.0.6"),
            decide("chi@isp", at=now, reason="hold", hold="abuse"),
            decide("dayo@isp", at=now - 2 * 86_400),
            decide(DEVICE, at=now - 5 * 3_600, reason="unknown"),
        )
        tasks.read_attempts()
        browser = enter(world.nuru)

        def found(query):
            page = browser.get(f"/console/login-attempts?{query}").content.decode()
            return {login for login in LOGINS if login in page}

        return found

    @pytest.mark.parametrize(
        ("query", "logins"),
        [
            ("", LOGINS),
            ("q=bola@isp", {"bola@isp"}),
            ("q=ada@", set()),
            ("q=aabb.cc00.0001", {"ada@isp"}),
            (f"q={DEVICE}", {DEVICE}),
            ("q=lekki-1", {"bola@isp"}),
            ("q=127.15.0.6", {"bola@isp"}),
            ("answer=yes", {"bola@isp"}),
            ("answer=no&reason=hold", {"chi@isp"}),
            ("hold=abuse", {"chi@isp"}),
            ("within=1", {"ada@isp", "bola@isp", "chi@isp"}),
            ("within=24", LOGINS - {"dayo@isp"}),
            ("until=2020-01-01", set()),
            ("from=2020-01-01&until=2099-01-01", LOGINS),
        ],
    )
    def test_by_login_device_nas_answer_hold_and_time(self, shown, query, logins):
        assert shown(query) == logins

    def test_how_much_there_was_is_told_whom_it_concerns(self, world):
        AttemptBatch.objects.create(
            name="a", read_at=timezone.now(), decided=1_234, lost=56
        )
        AttemptBatch.objects.create(
            name="b", read_at=timezone.now() - timedelta(days=2), decided=9, lost=9
        )
        net = build_network(acting(world.nuru.actor, now=timezone.now()))
        Nas.objects.filter(pk=net.nas.pk).update(decisions_sample_of=40)

        page = enter(world.nuru).get("/console/login-attempts").content.decode()
        counts = selectors.attempt_counts(nuru_actor(), at=timezone.now())

        assert counts == selectors.AttemptCounts(1_234, 56, 40)
        assert "Lost in 24 hours" in page
        assert "1 of 40" in page
        assert selectors.attempt_counts(staff(), at=timezone.now()) is None


def test_a_file_that_goes_while_it_is_weighed_weighs_nothing(folder, monkeypatch):
    write(folder, decide())
    (path,) = folder.iterdir()
    monkeypatch.setattr(
        type(folder), "iterdir", lambda _self: iter([path, path / "gone"])
    )

    assert [size for _, size in spool._sizes(folder)] == [path.stat().st_size]
