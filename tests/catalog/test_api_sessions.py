"""Sessions and usage over HTTP: whose they are decides catalog."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.network.models import SessionHistory, SessionLive, UsageHour
from tests.catalog.shops import make_active, ordered, problem
from tests.world import SYSTEM

pytestmark = pytest.mark.django_db
SESSIONS = "/api/v1/sessions"


@pytest.fixture
def nas(shop):
    return shop.net.create_nas(
        name="ikeja-1",
        address="127.0.1.1",
        site_id=shop.net.create_site(name="Ikeja", city="Lagos").pk,
    )


def session_of(
    service, nas, *, ago=timedelta(minutes=1), stopped=False, model=None, **more
):
    """A row as radius_accounting leaves it; the packets are tested elsewhere."""
    now = timezone.now()
    return (model or SessionLive).objects.create(
        session_key=uuid.uuid4(),
        account_id=service.access_id if service else None,
        nas_id=nas.pk,
        login="somebody",
        acct_session_id="s1",
        framed_address="100.64.0.2",
        started_at=now - ago,
        seen_at=now - ago,
        heard_at=now - ago,
        stopped_at=now if stopped else None,
        octets_in=1000,
        octets_out=9000,
        start_received=True,
        **more,
    )


@pytest.fixture
def mine(shop, world):
    return make_active(shop, ordered(shop, world.chidi))


def listed(client, query=""):
    answer = client.get(f"{SESSIONS}{query}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert set(body) >= {"results", "next", "previous"}
    return body["results"]


def test_shows_live_and_past_sessions_of_a_service(world, nas, mine):
    past = session_of(mine, nas, ago=timedelta(hours=5), stopped=True)
    live = session_of(mine, nas)

    found = listed(world.api(world.ada), f"?service={mine.pk}")

    assert [(row["id"], row["online"], row["service"]) for row in found] == [
        (live.pk, True, mine.pk),
        (past.pk, False, mine.pk),
    ]
    assert (found[0]["nas_name"], found[0]["framed_address"]) == (
        "ikeja-1",
        "100.64.0.2",
    )
    assert (found[0]["octets_in"], found[0]["octets_out"]) == (1000, 9000)


def test_a_customer_sees_its_own_sessions_and_a_stranger_none(shop, world, nas, mine):
    other = make_active(shop, ordered(shop, world.dayo))
    live, _ = session_of(mine, nas), session_of(other, nas)

    chidi, esi = world.api(world.chidi), world.api(world.esi)
    for query in ("", f"?service={mine.pk}", f"?customer={world.chidi.customer.pk}"):
        assert [row["id"] for row in listed(chidi, query)] == [live.pk], query
        assert listed(esi, query) == []
    assert listed(chidi, f"?service={other.pk}") == []
    assert listed(chidi, f"?customer={world.dayo.customer.pk}") == []
    assert listed(world.api(world.remi), f"?service={mine.pk}") == []


def test_staff_page_through_all_live_sessions(shop, world, nas, mine):
    far = make_active(shop, ordered(shop, world.esi))
    rows = [session_of(mine, nas), session_of(far, nas), session_of(None, nas)]
    session_of(mine, nas, stopped=True)

    found = listed(world.api(world.nuru))
    assert [row["id"] for row in found] == [row.pk for row in reversed(rows)]
    assert [row["service"] for row in found] == [None, far.pk, mine.pk]
    assert [row["id"] for row in listed(world.api(world.remi))] == [rows[1].pk]
    assert listed(world.api(world.bisi)) == []
    first = world.api(world.femi).get(f"{SESSIONS}?page_size=2").json()
    assert len(first["results"]) == 2
    assert first["next"] is not None


@pytest.mark.parametrize("query", ["?service=x", "?customer=-1", "?login=a"])
def test_refuses_filters_it_does_not_know(world, query):
    code, fields = problem(world.api(world.ada).get(f"{SESSIONS}{query}"), 400)
    assert (code, len(fields)) == ("invalid", 1)


def used(service, hour, sent, received):
    UsageHour.objects.create(
        account_id=service.access_id,
        hour_at=hour,
        octets_in=sent,
        octets_out=received,
    )


def test_tells_the_hours_of_usage(world, mine):
    top = timezone.now().replace(minute=0, second=0, microsecond=0)
    used(mine, top - timedelta(hours=2), 10, 100)
    used(mine, top - timedelta(hours=1), 20, 200)
    used(mine, top - timedelta(days=40), 7, 7)
    url = f"/api/v1/services/{mine.pk}/usage"

    body = world.api(world.chidi).get(url).json()

    assert (body["octets_in"], body["octets_out"], body["service"]) == (
        30,
        300,
        mine.pk,
    )
    assert [hour["octets_in"] for hour in body["hours"]] == [10, 20]
    start = (top - timedelta(days=41)).date().isoformat()
    body = world.api(world.chidi).get(f"{url}?from={start}").json()
    assert body["octets_in"] == 37


def test_tells_the_windows_of_now_whatever_hours_are_asked_for(world, mine):
    top = timezone.now().replace(minute=0, second=0, microsecond=0)
    used(mine, top, 10, 100)
    url = f"/api/v1/services/{mine.pk}/usage?from=2026-01-01&to=2026-01-02"

    windows = world.api(world.chidi).get(url).json()["windows"]

    assert [window["window"] for window in windows] == ["day", "week", "month"]
    assert {(w["octets_in"], w["octets_out"]) for w in windows} == {(10, 100)}
    for window in windows:
        start, end = (datetime.fromisoformat(window[at]) for at in ("start", "end"))
        assert start <= top < end


def test_windows_and_days_are_by_the_clock_of_the_branch(
    shop, world, mine, monkeypatch
):
    """Half past midnight in Lagos is half past eleven, still yesterday, in Accra."""
    now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    far = make_active(shop, ordered(shop, world.esi))
    identity.change_unit(
        unit_id=world.reseller.pk, time_zone="Africa/Accra", actor=SYSTEM, now=now
    )
    for service in (mine, far):
        used(service, datetime(2026, 11, 30, 10, tzinfo=UTC), 100, 0)
        used(service, datetime(2026, 11, 30, 23, tzinfo=UTC), 1, 0)
    told = {}

    for service in (mine, far):
        url = f"/api/v1/services/{service.pk}/usage?from=2026-12-01&to=2026-12-02"
        body = world.api(world.ada).get(url).json()
        sums = [window["octets_in"] for window in body["windows"]]
        told[body["zone"]] = (sums, body["octets_in"])
        assert [window["exact"] for window in body["windows"]] == [True] * 3

    # Day, week (from Monday, the 30th) and month; then what the day asked for had.
    assert told == {"Africa/Lagos": ([1, 101, 1], 1), "Africa/Accra": ([101] * 3, 0)}


def test_bounds_are_instants_or_local_days(world, mine):
    url = f"/api/v1/services/{mine.pk}/usage"
    midnight = datetime(2026, 9, 30, 23, 0, tzinfo=UTC)  # 1 October in Lagos
    used(mine, midnight, 5, 5)
    used(mine, midnight - timedelta(hours=1), 9, 9)
    api = world.api(world.ada)

    for query in (
        "from=2026-10-01&to=2026-10-02",
        "from=2026-09-30T23:00:00Z&to=2026-10-01T23:00:00%2B00:00",
        "from=2026-09-30T23:00:00&to=2026-10-01T00:00:00",
    ):
        assert api.get(f"{url}?{query}").json()["octets_in"] == 5, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-01-02&to=2026-01-01", "from"),
        ("from=2020-01-01&to=2026-01-01", "from"),
        ("from=99999-01-01", "from"),
        ("to=0001-01-02", "to"),
        ("to=0001-01-02T00:00:00Z", "to"),
        ("from=9999-12-31", "from"),
        ("from=9999-12-31T23:59:59-11:00", "from"),
    ],
)
def test_refuses_bounds_that_make_no_sense(world, mine, query, field):
    answer = world.api(world.ada).get(f"/api/v1/services/{mine.pk}/usage?{query}")
    assert problem(answer, 400) == ("invalid", [field])


def test_a_service_that_waits_has_no_usage(shop, world):
    waiting = ordered(shop, world.chidi)
    body = world.api(world.chidi).get(f"/api/v1/services/{waiting.pk}/usage").json()
    assert (body["hours"], body["octets_in"], body["windows"]) == ([], 0, [])
    assert listed(world.api(world.chidi), f"?service={waiting.pk}") == []


def test_an_archived_session_is_found_by_its_service(world, nas, mine):
    old = session_of(
        mine, nas, ago=timedelta(hours=30), stopped=True, model=SessionHistory, id=7
    )
    assert [
        row["id"] for row in listed(world.api(world.ada), f"?service={mine.pk}")
    ] == [old.pk]
