"""The spool of decisions becomes rows, once, and some of them under a storm."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations, tasks
from apps.network.enums import AttemptReason
from apps.network.models import AccessAttempt
from apps.network.radius.spool import Decision, Spool, complete_files, read_lines

pytestmark = pytest.mark.integration
LONG_AGO = 1_790_000_000


@pytest.fixture
def folder(settings, tmp_path):
    settings.RADIUS_DECISIONS_DIR = tmp_path / "decisions"
    return settings.RADIUS_DECISIONS_DIR


def decide(login="ada@home", *, accepted=True, reason="open", at=LONG_AGO, mac=""):
    return Decision(at, accepted, reason, "127.0.1.1", login, mac)


def test_decisions_become_rows_of_the_account_and_the_nas(net, folder):
    spool = Spool(folder)
    spool.write(decide(mac="aa:bb:cc:00:00:01"))
    spool.write(decide("nobody", accepted=False, reason="unknown"))

    assert tasks.read_attempts() == 2

    mine, other = AccessAttempt.objects.order_by("pk")
    assert (mine.account_id, mine.nas_id) == (net.account.pk, net.nas.pk)
    assert (mine.accepted, mine.reason, mine.mac) == (True, "open", "aa:bb:cc:00:00:01")
    assert int(mine.decided_at.timestamp()) == LONG_AGO
    assert (other.login, other.account_id, other.reason) == ("nobody", None, "unknown")
    assert list(folder.iterdir()) == []


def test_every_reason_that_a_server_may_give_is_kept(net, folder):
    spool = Spool(folder)
    for reason in AttemptReason.values:
        spool.write(decide(reason=reason))

    tasks.read_attempts()

    assert set(AccessAttempt.objects.values_list("reason", flat=True)) == set(
        AttemptReason.values
    )


def test_a_file_that_is_still_written_is_left_alone(net, folder):
    Spool(folder).write(decide(at=int(time.time())))

    assert tasks.read_attempts() == 0
    assert len(list(folder.iterdir())) == 1


def test_a_worker_that_died_before_deleting_the_file_adds_nothing_twice(net, folder):
    spool = Spool(folder)
    spool.write(decide())
    tasks.read_attempts()
    spool.write(decide())

    assert tasks.read_attempts() == 0
    assert AccessAttempt.objects.count() == 1


def test_a_storm_is_sampled_evenly(folder):
    spool = Spool(folder)
    for number in range(95):
        spool.write(decide(f"user{number}"))
    (path,) = complete_files(folder, limit=9)

    decisions, step = read_lines(path, limit=10)

    assert step == 10
    assert [d.login for d in decisions] == [f"user{n}" for n in range(0, 95, 10)]


def test_broken_lines_cost_themselves_only(net, folder):
    Spool(folder).write(decide())
    (path,) = complete_files(folder, limit=9)
    with path.open("ab") as file:
        file.write(b"\xff\xfe\n1\taccept\n\n")
        file.write(b"1 accept open 127.0.1.1 !!! \n")
        file.write(
            b"1 accept no-such-reason 127.0.1.1 YQ== \n1 accept open nowhere YQ== \n"
        )

    assert tasks.read_attempts() == 1


def test_how_long_it_took_is_a_number_or_two_clocks(folder):
    Spool(folder).write(decide())
    (path,) = complete_files(folder, limit=9)
    numbers = ("1234", "101:000007:999000", "101:5:x", "100:1:2", "1:2", "")
    path.write_text(
        "".join(f"100 accept open 127.0.1.1 YQ== YQ== 1 0 {n}\n" for n in numbers)
    )

    decisions, _ = read_lines(path, limit=10)

    assert [d.took_us for d in decisions] == [1234, 1_007, 0]


def test_a_line_that_a_full_disk_cut_off_keeps_nobody_from_reading_on(net, folder):
    """The next line stands behind its beginning; what no row can hold stays out."""
    spool = Spool(folder)
    line = decide().line()
    spool.write(decide())
    (path,) = complete_files(folder, limit=9)
    with path.open("a") as file:
        for size in range(1, len(line)):
            file.write(line[:size] + line)
        file.write(line.replace(" 1 0 ", f" {2**31} 0 "))
        file.write(line.replace(" 1 0 ", f" 1 {2**63} "))
        file.write(line)

    tasks.read_attempts()

    rows = AccessAttempt.objects.all()
    assert rows.filter(login=decide().login).count() == 2
    assert not rows.filter(decided_at__gt=timezone.now() + timedelta(days=1)).exists()
    assert not complete_files(folder, limit=9)


def test_attempts_are_forgotten_after_a_month(net, folder):
    Spool(folder).write(decide(at=int(time.time()) - 32 * 86_400))
    Spool(folder).write(decide(at=int(time.time()) - 28 * 86_400))
    tasks.read_attempts()

    assert operations.forget_attempts(now=timezone.now()) == 1
    assert operations.forget_attempts(now=timezone.now()) == 0
    assert AccessAttempt.objects.count() == 1
    assert operations.forget_attempts(now=timezone.now() + timedelta(days=40)) == 1


def test_a_file_without_one_whole_line_adds_nothing(net):
    now = timezone.now()

    assert operations.store_attempts(batch="b", decisions=[], now=now) == 0


def test_without_a_spool_there_is_nothing_to_read(db, folder):
    assert tasks.read_attempts() == 0


class TestConsole:
    """Staff see why; the subscriber's equipment was told only no."""

    @pytest.fixture
    def people(self, db):
        from tests.world import World

        return World()

    def test_the_list_and_the_accounts_page_tell_why(self, people, folder):
        from tests.network.conftest import acting, build_network
        from tests.sessions import enter

        net = build_network(acting(people.nuru.actor, now=timezone.now()))
        spool = Spool(folder)
        spool.write(decide(accepted=False, reason="mac", mac="aa:bb:cc:00:00:02"))
        spool.write(decide("nobody", accepted=False, reason="unknown"))
        browser = enter(people.nuru)
        empty = browser.get("/console/login-attempts").content.decode()
        tasks.read_attempts()

        shown = browser.get("/console/login-attempts").content.decode()
        found = browser.get("/console/login-attempts?q=nobody").content.decode()
        account = browser.get(f"/console/accounts/{net.account.pk}?tab=sessions")

        assert "No attempt yet" in empty
        assert "aa:bb:cc:00:00:02" not in empty
        assert "aa:bb:cc:00:00:02" in shown
        assert "nobody" in shown
        assert "aa:bb:cc:00:00:02" not in found
        assert "nobody" in found
        assert "Another device" in account.content.decode()
