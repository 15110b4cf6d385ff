"""One subscriber from sign-up to cash, driven from outside like a newcomer would:
HTTP, RADIUS packets, Celery, Chromium, against a whole installation."""

import io
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from tests.browser import PHONE, chromium
from tests.journeys.installation import get, post, wait_until

__all__ = ["chromium"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
NAME, MAIL, PLAN = "Amaka Nwosu", "amaka@mail.example", "home-10"
LOGIN, PASSWORD, PORTAL_PASSWORD = (
    "amaka.home",
    "Kettle-Drum-77",
    "Seven-Quiet-Rivers-4",
)
FULL_SPEED = "5000k/10000k"
FIRST, WALLED = "journey-0001", "journey-0002"
REMIND_AFTER, CUT_OFF_AFTER = timedelta(days=1), timedelta(days=14)
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def office(installation, chromium):
    """The console at a desk: support, signed in with a password and a code."""
    person = installation.staff("support")
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(installation.ready["console_url"])
    page.get_by_label("Name", exact=False).first.fill(person["username"])
    page.get_by_label("Password").fill(person["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("code", exact=False).first.fill(installation.otp(person))
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/console/")
    yield page
    page.close()


@pytest.fixture
def phone(chromium):
    """A customer's phone without JavaScript."""
    context = chromium.new_context(
        viewport={"width": PHONE, "height": 844}, java_script_enabled=False
    )
    yield context.new_page()
    context.close()


@dataclass(frozen=True)
class Scene:
    """Everybody and everything that takes part."""

    installation: Any
    desk: Any
    office: Any
    phone: Any
    radclient: Any
    listener: Any


@pytest.fixture
def scene(installation, desk, office, phone, radclient, listener):  # noqa: PLR0917
    return Scene(installation, desk, office, phone, radclient, listener)


def test_a_subscriber_from_sign_up_to_cash(scene):
    desk = scene.desk
    customer_id, service_id = order(desk)
    service = get(desk, f"services/{service_id}")
    address = service["addresses"][0].split("/")[0]
    assert (service["state"], service["online"]) == ("active", False)
    assert get(desk, f"customers/{customer_id}")["state"] == "active"
    join_the_portal(scene, customer_id)

    be_let_in(scene.radclient, address)
    use_the_line(scene, service_id, address)
    invoice = be_billed(scene, customer_id)
    open_the_bill_in_the_console(scene, invoice)

    be_reminded(scene, service_id, invoice)
    be_cut_off(scene, service_id, invoice)
    be_disconnected(scene, FIRST)
    assert get(desk, f"services/{service_id}")["online"] is False
    find_only_the_garden(scene.radclient)

    pay_on_the_phone(scene, service_id, invoice)
    be_disconnected(scene, WALLED)
    be_let_in(scene.radclient, address)
    letter(scene, "Your connection is back")
    scene.installation.manage("check_integrity")


def order(desk):
    """Sign up, order, provision by a Celery worker."""
    plan = next(plan for plan in get(desk, "plans")["results"] if plan["slug"] == PLAN)
    customer = post(
        desk,
        "customers",
        {"kind": "individual", "name": NAME, "email": MAIL, "phone": "0803 900 0001"},
    )
    assert customer["state"] == "prospect"
    wish = {"customer": customer["id"], "plan": plan["id"]}
    service = post(desk, "services", {**wish, "login": LOGIN, "password": PASSWORD})
    job = post(desk, f"services/{service['id']}/provision", {})["job"]
    job_id = job["id"] if isinstance(job, dict) else job
    ended = wait_until(
        lambda: (found := get(desk, f"jobs/{job_id}"))["state"]
        not in ("queued", "running")
        and found
    )
    assert (ended["state"], ended["progress"]) == ("succeeded", 100), ended
    return customer["id"], service["id"]


def join_the_portal(scene, customer_id):
    """Staff invite the customer by mail; its link lets the customer choose a password."""
    installation, office, phone = scene.installation, scene.office, scene.phone
    office.goto(f"{installation.ready['console_url']}customers/{customer_id}")
    choose(office, "Invite to the portal")
    dialog = office.get_by_role("dialog")
    assert dialog.get_by_label("E-mail").input_value() == MAIL
    dialog.get_by_role("button", name="Invite to the portal").click()
    office.get_by_text("may act for the customer now").wait_for()
    mail = wait_until(lambda: installation.mails_to(MAIL), says="the invitation")[0]
    (link,) = re.findall(r"http://\S+/portal/invitation/\S+", mail.get_content())

    phone.goto(link)
    for field in phone.locator("input[type=password]").all():
        field.fill(PORTAL_PASSWORD)
    phone.locator("main form button").click()
    phone.goto(installation.ready["portal_url"])
    phone.fill("input[name=username]", MAIL)
    phone.fill("input[name=password]", PORTAL_PASSWORD)
    phone.get_by_role("button", name="Sign in").click()
    assert NAME in phone.inner_text("h1")


def choose(office, label):
    """Click an action of a page's head, behind its menu where it stands there."""
    link = office.get_by_role("link", name=label).first
    if not link.is_visible():
        office.locator(".dm-head-actions summary").first.click()
    link.click()


def be_let_in(radclient, address):
    """Accept with the allocated address and the plan's whole speed."""
    answer = radclient.auth(User_Name=LOGIN, User_Password=PASSWORD)
    assert answer.accepted, answer
    assert answer.attributes["Framed-IP-Address"] == address
    assert answer.attributes["Mikrotik-Rate-Limit"] == FULL_SPEED
    assert "Session-Timeout" not in answer.attributes
    assert radclient.auth(User_Name=LOGIN, User_Password="wrong").rejected


def use_the_line(scene, service_id, address):
    """Usage grows with each interim, and the customer sees this hour's."""
    desk, radclient = scene.desk, scene.radclient
    line = {"User_Name": LOGIN, "Framed_IP_Address": address}
    radclient.acct("Start", **line, Acct_Session_Id=FIRST)
    assert get(desk, f"services/{service_id}")["online"] is True
    seen = []
    for minutes, up, down in ((1, 5, 80), (2, 12, 200)):
        radclient.acct(
            "Interim-Update", **line, Acct_Session_Id=FIRST,
            Acct_Session_Time=60 * minutes, Acct_Input_Octets=up * MEGABYTE,
            Acct_Output_Octets=down * MEGABYTE,
        )  # fmt: skip
        (session,) = get(desk, "sessions", service=service_id)["results"]
        assert session["octets_in"] == up * MEGABYTE
        assert session["octets_out"] == down * MEGABYTE
        seen.append(usage_by_hour(scene))
    assert seen == [[("80.0 MB", "5.0 MB")], [("200 MB", "12.0 MB")]]


def usage_by_hour(scene):
    """The rows of the usage page's table; two when an hour has just begun."""
    phone = scene.phone
    phone.goto(f"{scene.installation.ready['portal_url']}usage")
    phone.locator("summary", has_text="View as table").click()
    rows = phone.locator(".dm-chart-table tbody tr").all()
    cells = [row.locator("td").all_inner_texts()[1:] for row in rows]
    return [tuple(cell) for cell in cells if cell != ["0 B", "0 B"]]


def be_billed(scene, customer_id):
    """Running the billing twice makes one invoice."""
    installation, desk = scene.installation, scene.desk
    today = date.fromisoformat(
        installation.manage("shell", "-v0", "-c", SHOW_TODAY).strip().splitlines()[-1]
    )
    installation.manage("run_billing", "--date", today.isoformat())
    installation.manage("run_billing", "--date", today.isoformat())
    (listed,) = get(desk, "billing/invoices", customer=customer_id)["results"]
    invoice = get(desk, f"billing/invoices/{listed['id']}")
    assert (invoice["state"], invoice["total"]) == ("open", invoice["open"])
    return invoice


SHOW_TODAY = "from django.utils import timezone; from apps.ops import selectors; print(selectors.business_date(now=timezone.now()))"


def open_the_bill_in_the_console(scene, invoice):
    """The PDF behind the button of the invoice's page."""
    installation, office = scene.installation, scene.office
    office.goto(f"{installation.ready['console_url']}invoices/{invoice['id']}")
    assert invoice["reference"] in office.inner_text("h1")
    link = office.get_by_role("link", name="PDF").get_attribute("href")
    pdf = office.context.request.get(f"{installation.ready['base_url']}{link}")
    assert pdf.headers["content-type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(pdf.body())).pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    for words in (invoice["reference"], NAME, invoice["total"]["amount"]):
        assert words in text.replace(",", "")


def let_pass_until(installation, day):
    installation.manage("set_business_date", day.isoformat())
    installation.manage("run_dunning", "--date", day.isoformat())


def be_reminded(scene, service_id, invoice):
    """A day late: a letter that names the invoice, and nothing else yet."""
    let_pass_until(scene.installation, due_date(invoice) + REMIND_AFTER)
    reference = invoice["reference"]
    reminder = letter(scene, f"Reminder: invoice {reference} is overdue")
    assert f"Invoice {reference} was due on" in reminder.get_content()
    assert get(scene.desk, f"services/{service_id}")["state"] == "active"


def be_cut_off(scene, service_id, invoice):
    """Two weeks late: the walled garden, because of money, and a letter that says so."""
    let_pass_until(scene.installation, due_date(invoice) + CUT_OFF_AFTER)
    told = letter(scene, "Your connection is limited until your account is paid")
    assert f"Invoice {invoice['reference']}, due on" in told.get_content()
    service = get(scene.desk, f"services/{service_id}")
    assert service["state"] == "walled_garden"
    assert [hold["reason"] for hold in service["holds"]] == ["non_payment"]


def due_date(invoice):
    return date.fromisoformat(invoice["due_date"])


def letter(scene, subject):
    """The one letter with that subject, once it has come."""

    def come():
        mails = scene.installation.mails_to(MAIL)
        return [mail for mail in mails if mail["subject"] == subject]

    (found,) = wait_until(come, says=f"the letter: {subject}")
    return found


def be_disconnected(scene, session_id):
    """A real Disconnect-Request comes, and then what a NAS does after its ACK."""
    wait_until(
        lambda: scene.listener.disconnected(session_id), says="a Disconnect-Request"
    )
    scene.radclient.acct(
        "Stop",
        User_Name=LOGIN,
        Acct_Session_Id=session_id,
        Acct_Terminate_Cause="Admin-Reset",
    )


def find_only_the_garden(radclient):
    """Let in to pay: another pool, a lower speed, and not for long."""
    answer = radclient.auth(User_Name=LOGIN, User_Password=PASSWORD)
    assert answer.accepted
    assert answer.attributes["Framed-Pool"] == "walled"
    assert "Framed-IP-Address" not in answer.attributes
    assert answer.attributes["Mikrotik-Rate-Limit"] != FULL_SPEED
    radclient.acct(
        "Start",
        User_Name=LOGIN,
        Acct_Session_Id=WALLED,
        Framed_IP_Address="10.99.0.7",
    )


def pay_on_the_phone(scene, service_id, invoice):
    """Pay on the gateway's hosted page, without JavaScript, and come back."""
    phone, desk = scene.phone, scene.desk
    phone.goto(scene.installation.ready["portal_url"])
    assert "limited to paying" in phone.inner_text("main")
    phone.get_by_role("link", name="Pay and reconnect").click()
    owed = phone.get_by_label("Amount in NGN").input_value()
    phone.get_by_role("button", name="Go to secure payment").click()
    phone.wait_for_url("**/checkout/**")
    assert "no real money" in phone.inner_text("body").lower()
    phone.get_by_role("button", name="Pay").first.click()
    phone.wait_for_url("**/portal/pay/return**")
    assert phone.inner_text("h1") == "Paid. Thank you."
    assert f"You were charged {float(owed):,.2f} NGN." in phone.inner_text("main")
    assert get(desk, f"billing/invoices/{invoice['id']}")["state"] == "paid"
    wait_until(
        lambda: get(desk, f"services/{service_id}")["state"] == "active", says="resumed"
    )
    phone.get_by_role("link", name="Home").first.click()
    assert "You're all paid" in phone.inner_text("main")


def test_staff_order_a_service_in_the_console(installation, office):
    """Open a customer, order, and watch it finish."""
    page = office
    page.goto(f"{installation.ready['console_url']}customers")
    page.locator("main table a").first.click()
    page.get_by_role("link", name="Order a service").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("select[name=plan_id]").select_option(index=1)
    dialog.get_by_role("button", name="Order a service").click()
    page.wait_for_url("**/console/services/*")
    page.get_by_role("button", name="Provision").click()
    page.wait_for_url("**tab=provisioning**")
    wait_until(lambda: state_on(page) == "Active", says="the service on the page")


def state_on(page):
    page.reload(wait_until="networkidle")
    return page.locator("main .dm-state").first.inner_text().strip()


def test_a_simulated_session_is_ended_by_our_disconnect(desk):
    """Our CoA sender asks, the simulated NAS obeys: ACK, then a Stop by packet."""
    session = wait_until(
        lambda: [
            row
            for row in get(desk, "sessions")["results"]
            if row["nas_name"].startswith("bng-") and row["octets_out"] > 0
        ],
        limit_s=90,
        says="a session of the simulator with usage",
    )[0]
    post(desk, f"accounts/{session['account']}/disconnect", {})

    def ended():
        rows = get(desk, "sessions", service=session["service"])["results"]
        (row,) = (row for row in rows if row["id"] == session["id"])
        return row if row["stopped_at"] else None

    row = wait_until(ended, says="the Stop of the simulated NAS")
    assert row["cause"] == "Admin-Reset"
    request = next(
        each
        for each in get(desk, "coa-requests")["results"]
        if each["login"] == session["login"] and each["reason"] == "asked by staff"
    )
    assert (request["kind"], request["state"]) == ("disconnect", "acknowledged")
    assert request["attempts"] == 1
