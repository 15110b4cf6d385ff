"""One subscriber from sign-up to cash, driven from outside like a newcomer would:
HTTP, RADIUS packets, Celery, Chromium, against a whole installation."""

import io
from datetime import date, timedelta

import pytest
from pypdf import PdfReader

from dotmac.devtools.servers import free_port
from tests.browser import chromium
from tests.conformance.radclient import RadClient
from tests.journeys.coa_listener import CoaListener
from tests.journeys.installation import Installation, get, post, wait_until

__all__ = ["chromium"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
LOGIN, PASSWORD = "amaka.home", "Kettle-Drum-77"
SESSION = "journey-0001"


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    whole = Installation(tmp_path_factory.mktemp("journey"))
    whole.start(demo=10, port=free_port())
    yield whole
    whole.stop()
    assert not (whole.folder / "ready.json").exists()


@pytest.fixture(scope="module")
def radclient(installation):
    radius, nas = installation.ready["radius"], installation.credentials["nas"]
    return RadClient(
        auth_port=radius["auth_port"],
        acct_port=radius["acct_port"],
        secret=nas["secret"],
        host=radius["host"],
    )


@pytest.fixture(scope="module")
def listener(installation):
    nas = installation.credentials["nas"]
    with CoaListener(nas["address"], nas["coa_port"], nas["secret"]) as found:
        yield found


@pytest.fixture(scope="module")
def desk(installation):
    """The API as the owner, signed in once."""
    with installation.api("owner") as client:
        yield client


def order(desk, plan):
    """Sign up, order, provision by a Celery worker."""
    customer = post(
        desk,
        "customers",
        {
            "kind": "individual",
            "name": "Amaka Nwosu",
            "email": "amaka@mail.example",
            "phone": "0803 900 0001",
        },
    )
    assert customer["state"] == "prospect"
    service = post(
        desk,
        "services",
        {
            "customer": customer["id"],
            "plan": plan["id"],
            "login": LOGIN,
            "password": PASSWORD,
        },
    )
    job = post(desk, f"services/{service['id']}/provision", {})["job"]
    job_id = job["id"] if isinstance(job, dict) else job
    ended = wait_until(
        lambda: (found := get(desk, f"jobs/{job_id}"))["state"]
        not in ("queued", "running")
        and found
    )
    assert (ended["state"], ended["progress"]) == ("succeeded", 100), ended
    return customer["id"], service["id"]


def test_a_subscriber_from_sign_up_to_cash(installation, radclient, listener, desk):
    plan = next(
        plan for plan in get(desk, "plans")["results"] if plan["slug"] == "home-10"
    )
    customer_id, service_id = order(desk, plan)
    service = get(desk, f"services/{service_id}")
    address = service["addresses"][0].split("/")[0]
    assert (service["state"], service["online"]) == ("active", False)
    assert get(desk, f"customers/{customer_id}")["state"] == "active"

    be_let_in(radclient, address)
    use_the_line(desk, radclient, service_id, address)
    invoice = be_billed(installation, desk, customer_id)
    be_reminded_and_walled(installation, desk, service_id, invoice)
    wait_until(lambda: listener.disconnected(SESSION), says="a Disconnect-Request")
    # What a NAS does after its ACK.
    radclient.acct(
        "Stop",
        User_Name=LOGIN,
        Acct_Session_Id=SESSION,
        Acct_Terminate_Cause="Admin-Reset",
    )
    assert get(desk, f"services/{service_id}")["online"] is False
    walled = radclient.auth(User_Name=LOGIN, User_Password=PASSWORD)
    assert walled.accepted
    assert walled.attributes.get("Framed-IP-Address") != address

    pay(desk, customer_id, invoice)
    wait_until(
        lambda: get(desk, f"services/{service_id}")["state"] == "active", says="resumed"
    )
    be_let_in(radclient, address)
    installation.manage("check_integrity")


def be_let_in(radclient, address):
    answer = radclient.auth(User_Name=LOGIN, User_Password=PASSWORD)
    assert answer.accepted, answer
    assert answer.attributes["Framed-IP-Address"] == address
    assert (
        answer.attributes["Mikrotik-Rate-Limit"].strip('"').startswith("5M/10M")
        or "10000k" in answer.attributes["Mikrotik-Rate-Limit"]
    )
    assert radclient.auth(User_Name=LOGIN, User_Password="wrong").rejected


def use_the_line(desk, radclient, service_id, address):
    facts = {
        "User_Name": LOGIN,
        "Acct_Session_Id": SESSION,
        "Framed_IP_Address": address,
    }
    radclient.acct("Start", **facts)
    assert get(desk, f"services/{service_id}")["online"] is True
    octets = {"Acct_Input_Octets": 5_000_000, "Acct_Output_Octets": 80_000_000}
    radclient.acct("Interim-Update", **facts, **octets, Acct_Session_Time=60)
    (session,) = get(desk, "sessions", service=service_id)["results"]
    assert (session["octets_in"], session["octets_out"]) == (5_000_000, 80_000_000)


def be_billed(installation, desk, customer_id):
    today = date.fromisoformat(
        installation.manage("shell", "-v0", "-c", SHOW_TODAY).strip().splitlines()[-1]
    )
    installation.manage("run_billing", "--date", today.isoformat())
    installation.manage("run_billing", "--date", today.isoformat())
    (listed,) = get(desk, "billing/invoices", customer=customer_id)["results"]
    invoice = get(desk, f"billing/invoices/{listed['id']}")
    assert invoice["state"] == "open"
    pdf = desk.get(f"billing/invoices/{listed['id']}/pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages
    )
    assert invoice["reference"] in text
    assert "Amaka Nwosu" in text
    return invoice


SHOW_TODAY = "from django.utils import timezone; from apps.ops import selectors; print(selectors.business_date(now=timezone.now()))"


def be_reminded_and_walled(installation, desk, service_id, invoice):
    due = date.fromisoformat(invoice["due_date"])
    for days in (3, 30):
        day = (due + timedelta(days=days)).isoformat()
        installation.manage("set_business_date", day)
        installation.manage("run_dunning", "--date", day)
    wait_until(
        lambda: mails_to(installation, "amaka@mail.example"), says="a reminder mail"
    )
    service = get(desk, f"services/{service_id}")
    assert service["state"] == "walled_garden"
    assert [hold["reason"] for hold in service["holds"]] == ["non_payment"]


def mails_to(installation, person):
    return list((installation.folder / "mail").glob(f"*{person}*.eml"))


def pay(desk, customer_id, invoice):
    owed = get(desk, "billing/invoices", customer=customer_id, state="open")["results"]
    for each in owed:
        amount = get(desk, f"billing/invoices/{each['id']}")["open"]
        payment = post(
            desk,
            "billing/payments",
            {
                "customer": customer_id,
                "amount": amount,
                "method": "bank_transfer",
                "invoice": each["id"],
            },
        )
        assert payment["state"] == "succeeded"
    assert get(desk, f"billing/invoices/{invoice['id']}")["state"] == "paid"


def test_staff_order_a_service_in_the_console(installation, chromium):
    """Sign in with a password and a code, open a customer, order, watch it finish."""
    owner = next(p for p in installation.credentials["staff"] if p["role"] == "owner")
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(installation.ready["console_url"])
    page.get_by_label("Name", exact=False).first.fill(owner["username"])
    page.get_by_label("Password").fill(owner["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("code", exact=False).first.fill(installation.otp(owner))
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/console/")

    page.goto(f"{installation.ready['console_url']}customers")
    page.locator("main table a").first.click()
    page.get_by_role("link", name="Order a service").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("select[name=plan_id]").select_option(index=1)
    dialog.get_by_role("button", name="Order a service").click()
    page.wait_for_url("**/console/services/*")
    page.get_by_role("button", name="Provision").click()
    page.wait_for_url("**tab=provisioning**")
    wait_until(lambda: "Active" in reloaded(page), says="the service on the page")
    page.close()


def reloaded(page):
    page.reload(wait_until="networkidle")
    return page.inner_text("main")


def test_a_customer_pays_on_a_phone_without_javascript(installation, chromium, desk):
    """Walled for debt, pays on the gateway's hosted page, and is back on line."""
    person = installation.credentials["customers"][1]
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(installation.ready["portal_url"])
    page.fill("input[name=username]", person["username"])
    page.fill("input[name=password]", person["password"])
    page.get_by_role("button", name="Sign in").click()
    assert "limited to paying" in page.inner_text("main")
    (service,) = get(desk, "services", customer=person["customer_id"])["results"]
    assert service["state"] == "walled_garden"

    page.get_by_role("link", name="Pay and reconnect").click()
    page.get_by_role("button", name="Go to secure payment").click()
    assert "no real money" in page.inner_text("body").lower()
    page.get_by_role("button", name="Pay").first.click()

    assert "You were charged" in page.inner_text("main")
    wait_until(
        lambda: get(desk, f"services/{service['id']}")["state"] == "active",
        says="resumed",
    )
    page.get_by_role("link", name="Home").first.click()
    assert (
        "Nothing owed" in page.inner_text("main")
        or "paid" in page.inner_text("main").lower()
    )
    context.close()


def test_simulated_subscribers_come_on_line_by_packets(installation, desk):
    session = wait_until(
        lambda: get(desk, "sessions")["results"], says="a session of the simulator"
    )[0]
    wait_until(lambda: usage_of(desk, session) > 0, limit_s=90, says="its usage")


def usage_of(desk, session):
    rows = [
        row
        for row in get(desk, "sessions")["results"]
        if row["login"] == session["login"]
    ]
    return max((row["octets_out"] for row in rows), default=0)
