"""The demonstration ISP as a newcomer finds it, before anybody has changed anything.

It stands before the other journeys, which move the date and pay bills.
"""

import json
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.journeys.conftest import DEMO
from tests.journeys.installation import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
MONTHS = 3


def test_the_start_says_where_everything_is(installation):
    said, ready = installation.said, installation.ready
    assert f"DotMac {ready['version']} runs." in said
    shown = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert ready["console_url"] in shown["Console"]
    assert ready["portal_url"] in shown["Portal"]
    assert f"{ready['api_url']}, documents at {ready['docs_url']}" in shown["API"]
    radius = ready["radius"]
    ports = (
        f"{radius['host']}, UDP ports {radius['auth_port']} and {radius['acct_port']}"
    )
    assert ports in shown["RADIUS"]
    assert str(installation.folder / "demo-credentials.json") in shown["Sign-ins"]
    assert httpx.get(ready["docs_url"]).status_code == 200


def test_the_sign_ins_are_private_and_complete(installation):
    path = installation.folder / "demo-credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = installation.credentials
    roles = {person["role"] for person in found["staff"]}
    assert roles == {
        "owner", "support", "billing-clerk", "network-engineer", "auditor",
    }  # fmt: skip
    for person in found["staff"]:
        assert set(person) >= {"username", "password", "totp_secret", "role"}
    assert len(found["customers"]) >= 2
    for person in found["customers"]:
        answer = httpx.post(
            f"{installation.ready['api_url']}/auth/login",
            json={"username": person["username"], "password": person["password"]},
        )
        assert answer.status_code == 200, answer.text
    assert set(found["nas"]) == {"address", "secret", "coa_port"}


def test_each_subscriber_is_answered_as_the_file_expects(installation, radclient):
    shown = installation.credentials["subscribers"]
    kinds = Counter(each["expected"] for each in shown)
    assert set(kinds) == {"accept", "walled_garden", "reject"}
    assert max(kinds.values()) <= DEMO // 10
    answered = {}
    for each in shown:
        answer = radclient.auth(User_Name=each["login"], User_Password=each["password"])
        answered[each["login"]] = kind_of(answer)
    assert answered == {each["login"]: each["expected"] for each in shown}


def kind_of(answer):
    """A walled garden lets in without the customer's own address, into its pool."""
    if answer.rejected:
        return "reject"
    assert answer.accepted
    if answer.attributes.get("Framed-Pool") == "walled":
        assert "Framed-IP-Address" not in answer.attributes
        return "walled_garden"
    assert answer.attributes["Framed-IP-Address"]
    return "accept"


def test_three_months_of_bills_and_payments_were_made_by_operations(installation):
    ask = installation.ask
    runs = ask(
        "SELECT r.day, count(i.id), count(DISTINCT a.id) FROM billing_billingrun r"
        " JOIN billing_invoice i ON i.run_id = r.id"
        " LEFT JOIN ops_auditentry a ON a.subject_app = 'billing'"
        "  AND a.subject_kind = 'run' AND a.subject_id = r.id"
        " GROUP BY r.id ORDER BY r.day"
    )
    assert len(runs) == MONTHS
    first, last = runs[0][0], runs[-1][0]
    assert (last.year * 12 + last.month) - (first.year * 12 + first.month) == MONTHS - 1
    # Begun and finished, each with who did it.
    assert all(invoices > DEMO / 4 and audited == 2 for _, invoices, audited in runs)
    ((by_hand,),) = ask("SELECT count(*) FROM billing_invoice WHERE run_id IS NULL")
    assert by_hand == 0

    months = ask(
        "SELECT date_trunc('month', p.received_date), count(*), count(a.id)"
        " FROM billing_payment p LEFT JOIN ops_auditentry a"
        "  ON a.subject_app = 'billing' AND a.subject_kind = 'payment'"
        "  AND a.subject_id = p.id AND a.action = 'billing.payment.settled.v1'"
        " WHERE p.state = 'succeeded' GROUP BY 1"
    )
    assert len(months) >= MONTHS - 1
    assert all(payments == audited > 0 for _, payments, audited in months)
    told = dict(ask("SELECT action, count(*) FROM ops_auditentry GROUP BY action"))
    for made in ("identity.customer.registered", "catalog.service.ordered"):
        assert told[f"{made}.v1"] == DEMO


def test_no_usage_was_invented(installation):
    """What is counted came by packets, in the hour of the first start or later."""
    began = datetime.fromtimestamp(installation.began, tz=UTC)
    earlier = installation.ask(
        "SELECT (SELECT count(*) FROM network_usagehour WHERE hour_at < %s),"
        " (SELECT count(*) FROM network_sessionlive WHERE started_at < %s),"
        " (SELECT count(*) FROM network_sessionhistory)",
        began - timedelta(hours=1),
        began,
    )
    assert earlier == [(0, 0, 0)]


def test_a_tenth_is_simulated_and_comes_on_line_by_packets(installation):
    roster = json.loads((installation.folder / "simulator.json").read_text())
    accounts = roster["account_ids"]
    assert len(accounts) == DEMO // 10
    services = [each["service_id"] for each in installation.credentials["subscribers"]]
    kept_free = installation.ask(
        "SELECT access_id FROM catalog_service WHERE id = ANY(%s)", services
    )
    assert not {row[0] for row in kept_free} & set(accounts)

    def on_line():
        rows = installation.ask(
            "SELECT s.account_id, host(n.address) FROM network_sessionlive s"
            " JOIN network_nas n ON n.id = s.nas_id WHERE s.stopped_at IS NULL"
        )
        return rows if {row[0] for row in rows} == set(accounts) else None

    sessions = wait_until(on_line, says="a session of each simulated subscriber")
    assert all(address.startswith("127.0.1.") for _, address in sessions)


def test_every_invariant_holds(installation):
    said = installation.manage("check_integrity")
    assert "invariants hold" in said
