"""Ending many sessions at once, and finding them by place and address."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.utils import timezone

from apps.network import operations, selectors, tasks
from apps.network.errors import SessionUnknown
from apps.network.models import CoaRequest, DisconnectRun, SessionLive
from apps.network.operations import many
from apps.ops import operations as ops
from apps.ops.enums import JobState
from apps.ops.models import AuditEntry, Job
from dotmac.core.errors import InvalidInput
from tests.console.lines import put_on_line
from tests.network import edge
from tests.network.conftest import acting, another_account, build_network, session_row
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world):
    return build_network(acting(world.nuru.actor, now=timezone.now()))


@pytest.fixture
def browser(world):
    return enter(world.nuru)


def on_line(net, count: int, **more) -> list[SessionLive]:
    now = timezone.now()
    return [
        session_row(net, net.account, session=f"s{n}", started_at=now, **more)
        for n in range(count)
    ]


def ask(net, sessions):
    return net.do.disconnect_sessions(session_ids=[row.pk for row in sessions])


def requests(**which) -> list[tuple[str, str, str]]:
    rows = CoaRequest.objects.filter(**which).order_by("session_id", "pk")
    return list(rows.values_list("acct_session_id", "kind", "state"))


def test_the_chosen_sessions_are_asked_for_in_one_statement(
    net, django_assert_max_num_queries
):
    sessions = on_line(net, 30)
    with patch.object(ops, "record"), django_assert_max_num_queries(3):
        made = ask(net, sessions)  # with its savepoint

    assert made.asked == 30
    rows = CoaRequest.objects.filter(batch=made.batch)
    assert {row.session_id for row in rows} == {row.pk for row in sessions}
    assert {(row.kind, row.state, row.reason) for row in rows} == {
        ("disconnect", "queued", "by hand")
    }
    assert all(row.not_before <= timezone.now() for row in rows)


def test_each_session_is_in_the_audit_by_name(net):
    sessions = on_line(net, 2)
    ask(net, sessions)

    found = AuditEntry.objects.filter(action="network.disconnect_session")
    assert {row.subject_id for row in found} == {row.pk for row in sessions}


def test_what_has_ended_is_left_out_and_nothing_at_all_is_refused(net):
    first, second = on_line(net, 2)
    SessionLive.objects.filter(pk=first.pk).update(stopped_at=timezone.now())

    assert ask(net, [first, second]).asked == 1
    with pytest.raises(SessionUnknown):
        ask(net, [first])
    with pytest.raises(InvalidInput):
        net.do.disconnect_sessions(session_ids=list(range(501)))

    assert requests() == [("s1", "disconnect", "queued")]


def test_asking_again_moves_what_waits_to_the_newer_batch_and_withdraws_coas(net):
    sessions = on_line(net, 2)
    faster = net.do.create_rate_profile(name="20M", down_kbps=20_000, up_kbps=9_000)
    net.do.change_access(account_id=net.account.pk, profile_id=faster.pk)
    first, second = ask(net, sessions), ask(net, sessions)

    assert requests(batch=first.batch) == []
    assert requests(batch=second.batch) == [
        ("s0", "disconnect", "queued"), ("s1", "disconnect", "queued")
    ]  # fmt: skip
    assert requests(kind="coa") == [
        ("s0", "coa", "obsolete"),
        ("s1", "coa", "obsolete"),
    ]


@pytest.mark.parametrize("place", ["nas", "site"])
def test_a_whole_place_ends_in_chunks_but_who_dials_in_again_stays(net, place):
    on_line(net, 5)
    elsewhere = net.do.create_nas(name="far", address="127.16.2.1")
    SessionLive.objects.filter(acct_session_id="s4").update(nas_id=elsewhere.pk)
    where = {f"{place}_id": getattr(net, place).pk}
    with patch.object(many, "SESSIONS_MAX", 2):
        run = net.do.disconnect_place(**where)
        assert (run.asked, run.done_at, run.job.total) == (2, None, 4)
        assert net.do.disconnect_place(**where).pk == run.pk
        session_row(net, net.account, session="again", started_at=timezone.now())
        assert tasks.carry_disconnects() == 2

    assert [name for name, *_ in requests(batch=run.batch)] == ["s0", "s1", "s2", "s3"]
    assert requests(reason="all of the place") == requests()
    job = Job.objects.get(pk=run.job_id)
    assert (job.state, job.done) == ("succeeded", 4)
    assert job.result == {"asked": 4, "batch": str(run.batch)}
    assert tasks.carry_disconnects() == 0


def test_a_run_killed_between_chunks_goes_on_and_a_cancelled_one_ends(net):
    on_line(net, 6)
    with patch.object(many, "SESSIONS_MAX", 2):
        run = net.do.disconnect_place(nas_id=net.nas.pk)
        boom = patch.object(ops, "advance_job", side_effect=KeyboardInterrupt)
        with boom, pytest.raises(KeyboardInterrupt):
            operations.carry_disconnects(now=timezone.now())
        assert len(requests()) == 2
        assert operations.carry_disconnects(now=timezone.now()) == 2
        ops.cancel_job(job_id=run.job_id, actor=edge.ACTOR, now=timezone.now())
        assert operations.carry_disconnects(now=timezone.now()) == 0
        assert operations.carry_disconnects(now=timezone.now()) == 0

    assert len(requests()) == 4
    assert Job.objects.get(pk=run.job_id).state == "cancelled"
    assert DisconnectRun.objects.get().done_at is not None


def test_a_run_whose_job_was_ended_otherwise_asks_for_nothing(net):
    on_line(net, 3)
    with patch.object(many, "SESSIONS_MAX", 2):
        run = net.do.disconnect_place(nas_id=net.nas.pk)
        ops.finish_job(
            job_id=run.job_id, state=JobState.FAILED, result={}, now=timezone.now()
        )
        assert operations.carry_disconnects(now=timezone.now()) == 0

    assert len(requests()) == 2
    assert DisconnectRun.objects.get().done_at is not None


def test_an_empty_place_is_done_at_once(net):
    run = net.do.disconnect_place(site_id=net.site.pk)

    assert (run.job.total, run.asked) == (0, 0)
    assert Job.objects.get(pk=run.job_id).state == "succeeded"


def shown(browser, path):
    answer = browser.get(f"/console/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_staff_chooses_rows_and_sees_each_answer(browser, net):
    first, second, third = on_line(net, 3)
    chosen = {"chosen": [first.pk, third.pk], "back": "nas=1"}
    assert "Disconnect the chosen" in shown(browser, "sessions")

    answer = browser.post("/console/sessions/bulk/disconnect", chosen)

    batch = CoaRequest.objects.get(session_id=first.pk).batch
    assert answer.url == f"/console/coa-requests?batch={batch}"
    CoaRequest.objects.filter(session_id=first.pk).update(
        state="refused", answer="Resources-Unavailable"
    )
    page = shown(browser, f"coa-requests?batch={batch}")
    assert "2 of 2 sessions are being ended" in page
    assert "Resources-Unavailable" in page
    assert page.count("/console/coa-requests/") >= 2
    assert not CoaRequest.objects.filter(session_id=second.pk).exists()
    assert "Resources-Unavailable" not in shown(
        browser, "coa-requests?batch=00000000-0000-0000-0000-000000000000"
    )
    assert browser.get("/console/coa-requests?batch=nonsense").status_code < 500


def test_a_stranger_ends_nothing(world, net):
    sessions = on_line(net, 1)
    chosen = {"chosen": [sessions[0].pk]}
    for person in (world.bisi, world.remi):
        refused = enter(person).post("/console/sessions/bulk/disconnect", chosen)
        assert refused.status_code in {403, 404}
        refused = enter(person).post(f"/console/nas/{net.nas.pk}/disconnect-all")
        assert refused.status_code in {403, 404}
    assert requests() == []


def test_a_nas_and_a_site_end_all_of_theirs_from_their_page(browser, net):
    on_line(net, 3)
    for path in (f"nas/{net.nas.pk}", f"sites/{net.site.pk}"):
        assert "Disconnect all" in shown(browser, path)
        question = shown(browser, f"{path}/disconnect-all")
        assert "3 sessions end" in question
        answer = browser.post(f"/console/{path}/disconnect-all", {"confirm": "1"})
        batch = DisconnectRun.objects.latest("pk").batch
        assert answer.url == f"/console/coa-requests?batch={batch}"
    assert len(requests()) == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.2", True), ("192.0.2.3", False), ("192.0.2.0/29", True),
        ("2001:db8::7", True), ("2001:0db8::0007", True), ("2001:db8::8", False),
        ("2001:db8:1::99", True), ("2001:db8:2:3::1", True), ("2001:db8:2::/48", True),
        ("2001:db8:9::1", False), ("ada@home", True), ("nobody", False),
    ],
)  # fmt: skip
def test_sessions_are_found_by_any_address_they_have(browser, net, text, found):
    (session,) = on_line(net, 1)
    SessionLive.objects.filter(pk=session.pk).update(
        framed_ipv6="2001:db8::7", framed_ipv6_prefix="2001:db8:1::/64",
        delegated_prefix="2001:db8:2::/56",
    )  # fmt: skip

    page = shown(browser, f"sessions?q={text}")

    assert (f"/console/sessions/{session.pk}" in page) is found


def test_the_list_is_narrowed_by_nas_site_pool_and_vlan_group(browser, net):
    far = net.do.create_site(name="Far")
    group = net.do.create_vlan_group(name="towers")
    on_line(net, 1)
    net.do.assign_vlan(group_id=group.pk, account_id=net.account.pk)
    other = another_account(net, "esi@home")
    net.do.change_access(account_id=other.pk, pool_id=None)
    elsewhere = net.do.create_nas(name="far-1", address="127.16.2.1", site_id=far.pk)
    row = session_row(net, other, session="x", started_at=timezone.now())
    SessionLive.objects.filter(pk=row.pk).update(nas_id=elsewhere.pk)
    for query, has, lacks in (
        (f"nas={elsewhere.pk}", "esi@home", "ada@home"),
        (f"site={net.site.pk}", "ada@home", "esi@home"),
        (f"site={far.pk}", "esi@home", "ada@home"),
        (f"pool={net.pool.pk}", "ada@home", "esi@home"),
        (f"vlan-group={group.pk}", "ada@home", "esi@home"),
        (f"account={other.pk}", "esi@home", "ada@home"),
    ):
        page = shown(browser, f"sessions?{query}")
        assert has in page, query
        assert lacks not in page, query


def test_a_customers_page_shows_what_is_on_line_and_through_which_nas(world):
    service, session = put_on_line(world, world.chidi, now=timezone.now(), hours=2)
    page = shown(enter(world.ada), f"customers/{service.customer_id}?tab=services")

    assert f"/console/sessions/{session.pk}" in page
    assert session.nas.name in page
    assert selectors.open_session_count(nas_id=session.nas_id) >= 1
