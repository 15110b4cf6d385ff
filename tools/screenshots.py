"""Pictures of every screen of a running demonstration, at 1440 and 390 px.

    python tools/screenshots.py [--data .dotmac] [--out docs/pictures] [--only NAME ...]

Signs in by the doors with the generated credentials, follows the side rail of
the console and the bar of the portal, opens the first record of each list, and
goes as far as the payment gateway's hosted page. Where pngquant is installed,
pictures are reduced to a palette, which makes them three times smaller.
Prints what the browser complained about; exit code 1 if it did.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import shutil
import struct
import subprocess  # nosec B404
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--no-first-run"]
SIZES = {1440: 900, 390: 844}
TALL_MAX = 2200
COLOURS = 16
# Which record of a list shows most, where that is not the first.
RECORDS = {"prefixes": 1, "roles": 2}
STEP_S = 30
# The NAS of a demonstration that is there for people and programs to try.
FREE_NAS = "127.0.0.1"


@dataclass
class Camera:
    """Takes pictures of one face and keeps what went wrong."""

    page: Any
    base: str
    out: Path
    width: int
    only: list[str]
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        host = urlsplit(self.base).netloc

        def on_console(message: Any) -> None:
            if message.type in {"error", "warning"}:
                self.faults.append(f"{self.page.url}: {message.text}")

        def on_request(request: Any) -> None:
            netloc = urlsplit(request.url).netloc
            if netloc and netloc != host:
                self.faults.append(f"{self.page.url}: asked {netloc}")

        self.page.on("console", on_console)
        self.page.on("request", on_request)

    def take(self, path: str, name: str) -> None:
        """Open the path and keep its picture as NAME-WIDTH.png."""
        if self.only and name not in self.only:
            return
        self.page.goto(f"{self.base}{path}", wait_until="networkidle")
        self.keep(name)

    def keep(self, name: str) -> None:
        """The picture of the page that is open."""
        if self.only and name not in self.only:
            return
        path = urlsplit(self.page.url).path
        wide, seen = self.page.evaluate(
            "[document.documentElement.scrollWidth, window.innerWidth]"
        )
        if wide > seen:
            self.faults.append(f"{path}: {wide} px wide on {seen}")
        target = self.out / f"{name}-{self.width}.png"
        height = self.page.evaluate("document.documentElement.scrollHeight")
        if self.width == min(SIZES):
            # A taller phone, so that a bar at its foot stands at the foot.
            height = max(SIZES[self.width], min(height, TALL_MAX))
            self.page.set_viewport_size({"width": self.width, "height": height})
        self.page.screenshot(path=target)
        self.page.set_viewport_size({"width": self.width, "height": SIZES[self.width]})
        reduce_colours(target)
        print(target)

    def links(self, selector: str) -> list[str]:
        """The paths of the links that match, each once, in order."""
        found = self.page.eval_on_selector_all(
            selector, "links => links.map(link => link.getAttribute('href'))"
        )
        return list(dict.fromkeys(path for path in found if path.startswith("/")))


def reduce_colours(picture: Path) -> None:
    """A palette is enough for pages of text; without pngquant all colours stay."""
    program = shutil.which("pngquant")
    if program:
        words = ["--force", "--strip", "--nofs", "--ext", ".png", str(COLOURS)]
        subprocess.run([program, *words, picture], check=True)  # nosec B603


def main(arguments: list[str]) -> int:
    options = _options().parse_args(arguments)
    ready = json.loads((options.data / "ready.json").read_text())
    people = json.loads((options.data / "demo-credentials.json").read_text())
    options.out.mkdir(parents=True, exist_ok=True)
    base = ready["base_url"].rstrip("/")
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for width in SIZES:
            camera = _camera(browser, base, width, options)
            sign_in_staff(camera, people["staff"][0])
            picture_console(camera, people["subscribers"][0]["login"])
            faults += camera.faults
            camera = _camera(browser, base, width, options)
            sign_in_customer(camera, people["customers"][0])
            picture_portal(camera)
            faults += camera.faults
            camera = _camera(browser, base, width, options)
            sign_in_customer(camera, people["customers"][1])
            picture_payment(camera)
            faults += camera.faults
        browser.close()
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".dotmac"))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    return parser


def _camera(browser: Browser, base: str, width: int, options: Any) -> Camera:
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme=options.scheme,
        locale="en-GB",
    )
    camera = Camera(context.new_page(), base, options.out, width, options.only)
    camera.watch()
    return camera


def sign_in_staff(camera: Camera, person: dict[str, str]) -> None:
    """Password, then the code that an authenticator would show."""
    page = camera.page
    camera.take("/console/sign-in", "console-sign-in")
    page.goto(f"{camera.base}/console/sign-in")
    page.fill("[name=username]", person["username"])
    page.fill("[name=password]", person["password"])
    page.click("main button")
    camera.keep("console-code")
    for _attempt in range(3):
        page.fill("[name=otp]", code_now(person["totp_secret"]))
        page.click("main button")
        page.wait_for_load_state("networkidle")
        if page.locator("[name=otp]").count() == 0:
            camera.faults.clear()
            return
        # A code works once: wait for the next one.
        page.wait_for_timeout(1000 * (STEP_S - time.time() % STEP_S + 1))
    raise SystemExit("The console did not let the owner in.")


def sign_in_customer(camera: Camera, person: dict[str, str]) -> None:
    page = camera.page
    camera.take("/portal/sign-in", "portal-sign-in")
    page.goto(f"{camera.base}/portal/sign-in")
    page.fill("[name=username]", person["username"])
    page.fill("[name=password]", person["password"])
    page.click("main button")
    page.wait_for_load_state("networkidle")
    camera.faults.clear()


def picture_console(camera: Camera, login: str) -> None:
    """Home, each place of the rail, its first record, its forms, and why of a login."""
    camera.page.goto(f"{camera.base}/console/", wait_until="networkidle")
    places = camera.links(".dm-rail nav a")
    camera.take("/console/", "console-home")
    for place in places[1:]:
        slug = place.removeprefix("/console/").replace("/", "-")
        camera.page.goto(f"{camera.base}{place}", wait_until="networkidle")
        records = camera.links("td.dm-first a")
        forms = camera.links(".dm-head-actions > a.btn")
        if slug == "integrity":
            camera.page.goto(f"{camera.base}{place}/run")
            camera.page.get_by_role("button", name="Run now").click()
            camera.page.wait_for_load_state("networkidle")
        camera.take(place, f"console-{slug}")
        if records and records[0].startswith("/console/"):
            record = records[RECORDS.get(slug, 0) % len(records)]
            camera.take(record, f"console-{slug}-detail")
        for form in forms:
            name = form.split("?")[0].removeprefix("/console/").replace("/", "-")
            camera.take(form, f"console-{name}")
    asked = f"login-attempts/explain?login={login}&nas={FREE_NAS}"
    camera.take(f"/console/{asked}", "console-login-attempts-explain")


def picture_portal(camera: Camera) -> None:
    """Home, each place of the bar, and the newest bill."""
    camera.page.goto(f"{camera.base}/portal/", wait_until="networkidle")
    places = camera.links(".pt-nav a")
    for place in places:
        name = place.removeprefix("/portal/").strip("/") or "home"
        camera.take(place, f"portal-{name}")
        bills = camera.links("a[href^='/portal/bills/']")
        if name == "bills" and bills:
            camera.take(bills[0], "portal-bill")
    camera.take("/portal/usage", "portal-usage")


def picture_payment(camera: Camera) -> None:
    """Somebody who owes: home, the form, the gateway's page. Nothing is paid."""
    camera.take("/portal/", "portal-home-limited")
    camera.take("/portal/pay", "portal-pay")
    camera.page.goto(f"{camera.base}/portal/pay", wait_until="networkidle")
    camera.page.locator("main form button.btn-primary").first.click()
    camera.page.wait_for_load_state("networkidle")
    camera.keep("gateway-hosted-page")
    # The browser leaves the site here, as it must.
    camera.faults = [fault for fault in camera.faults if "asked " not in fault]


def code_now(secret: str) -> str:
    """RFC 6238, six digits, for this 30-second step."""
    padded = secret + "=" * (-len(secret) % 8)
    counter = struct.pack(">Q", int(time.time()) // STEP_S)
    digest = hmac.new(base64.b32decode(padded), counter, hashlib.sha1).digest()
    at = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
