"""Fetch the browser assets from npm and vendor them with versions and hashes.

A maintainer runs this where npm is at hand: python tools/vendor_assets.py
No user's machine needs node. `dotmac/static/vendor/VERSIONS.json` lists what was
taken from which package, its licence and sha256; a test compares.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "dotmac" / "static" / "vendor"
ICONS = ROOT / "dotmac" / "core" / "console" / "icons.json"
NPM_TIMEOUT_S = 120

FILES = {
    "@tabler/core@1.6.1": {
        "dist/css/tabler.min.css": "tabler.min.css",
        "dist/js/tabler.min.js": "tabler.min.js",
    },
    "htmx.org@2.0.11": {"dist/htmx.min.js": "htmx.min.js"},
    "bootstrap@5.3.9": {
        "dist/css/bootstrap.min.css": "bootstrap.min.css",
        "dist/js/bootstrap.bundle.min.js": "bootstrap.bundle.min.js",
    },
    "uplot@1.6.32": {
        "dist/uPlot.iife.min.js": "uplot.min.js",
        "dist/uPlot.min.css": "uplot.min.css",
    },
}
ICON_PACKAGE = "@tabler/icons@3.51.0"
ICON_NAMES = """
activity activity-heartbeat address-book adjustments alert-circle alert-octagon alert-triangle antenna
antenna-bars-5 api archive arrow-back-up arrow-down arrow-down-circle arrow-left arrow-right arrow-up
arrow-up-circle arrows-exchange arrows-sort asterisk at ban bell bolt book bookmark box broadcast brush bug
building building-bank building-broadcast-tower building-community building-store bulb calculator calendar
calendar-due calendar-event calendar-off calendar-plus calendar-stats calendar-time cash cash-banknote certificate
chart-area-line chart-bar chart-dots chart-histogram chart-line chart-pie check checkbox checklist checks
chevron-down chevron-left chevron-right chevron-up circle circle-check circle-dashed circle-dot circle-key
circle-minus circle-off circle-plus circle-x clipboard clipboard-check clipboard-list clock clock-hour-4
clock-pause clock-play clock-stop cloud code coin coins columns command contract copy cpu credit-card
credit-card-pay credit-card-refund crown dashboard database database-export database-import device-desktop
device-floppy device-laptop device-mobile device-tv devices dots dots-vertical download droplet edit ellipsis
eraser exclamation-circle exclamation-mark external-link eye eye-off fence file file-check file-description
file-diff file-download file-export file-invoice file-minus file-off file-plus file-spreadsheet file-text files
filter filter-off fingerprint flag folder forms gauge gift git-branch globe grid-dots hash headset heart
heart-handshake heart-rate-monitor help help-circle hierarchy hierarchy-2 hierarchy-3 history home hourglass id
id-badge inbox info-circle key keyboard language layers-intersect layout-dashboard layout-grid lifebuoy link
link-off list list-check list-details list-numbers loader loader-2 location lock lock-access lock-open lock-password
login logout mail mail-check mail-exclamation mail-fast mail-opened man map map-2 map-pin menu-2 message
message-2 message-circle messages minus mood-empty mood-happy mood-smile moon network network-off news note notes
number outbound package packages paperclip password pencil percentage phone phone-call photo plane player-pause
player-play player-stop plug plug-connected plug-connected-x plug-x plus point power printer progress progress-check progress-x prompt
qrcode question-mark radar receipt receipt-2 receipt-off receipt-refund receipt-tax recycle refresh refresh-alert
refresh-dot registered reload replace report report-analytics report-money report-search rocket rotate rotate-clockwise
route router rss satellite scale scan search section seeding select selector send server server-2 server-bolt server-cog
server-off settings settings-2 shield shield-check shield-checkered shield-exclamation shield-lock shield-off shield-x
sitemap sort-ascending sort-descending speedboat square square-check stack stack-2 star status-change steam subtask sum
sun switch switch-horizontal table tag tags target template terminal terminal-2 test-pipe ticket timeline timeline-event
tool tools topology-star topology-star-3 trash trending-down trending-up upload urgent user user-check user-circle
user-cog user-edit user-exclamation user-minus user-off user-pause user-plus user-question user-search user-shield
user-star user-x users users-group versions view-360 volume wall wallet wand wave-sine webhook wifi wifi-0 wifi-1 wifi-2
wifi-off world world-off x zoom-in zoom-money zoom-question
""".split()
_SOURCE_MAP = re.compile(
    rb"\s*(/\*[#@]\s*sourceMappingURL=.*?\*/|//[#@]\s*sourceMappingURL=.*)"
)
_INNER = re.compile(r"<path stroke=\"none\"[^>]*/>|<svg[^>]*>|</svg>|<!--.*?-->", re.S)


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    listed = []
    with tempfile.TemporaryDirectory() as folder:
        for package, files in FILES.items():
            tree = _unpack(package, Path(folder))
            listed += [_take(package, tree, *pair) for pair in files.items()]
        listed.append(_take_icons(_unpack(ICON_PACKAGE, Path(folder))))
    listing = json.dumps({"files": listed}, indent=2) + "\n"
    (VENDOR / "VERSIONS.json").write_text(listing)
    print(listing)


def _unpack(package: str, folder: Path) -> Path:
    packed = subprocess.run(
        ["npm", "pack", "--silent", package],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=NPM_TIMEOUT_S,
    )
    target = folder / package.replace("/", "_")
    with tarfile.open(folder / packed.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(target, filter="data")
    return target / "package"


def _take(package: str, tree: Path, source: str, name: str) -> dict[str, str]:
    body = _SOURCE_MAP.sub(b"", (tree / source).read_bytes()).rstrip() + b"\n"
    (VENDOR / name).write_bytes(body)
    path = (VENDOR / name).relative_to(ROOT).as_posix()
    return _entry(package, tree, path, body)


def _take_icons(tree: Path) -> dict[str, str]:
    icons = {}
    for name in sorted(set(ICON_NAMES)):
        path = tree / "icons" / "outline" / f"{name}.svg"
        if not path.exists():
            print(f"no icon named {name}")
            continue
        inner = _INNER.sub("", path.read_text())
        icons[name] = re.sub(r"\s*\n\s*", "", inner).strip()
    body = (json.dumps(icons, indent=0, sort_keys=True) + "\n").encode()
    ICONS.write_bytes(body)
    return _entry(ICON_PACKAGE, tree, ICONS.relative_to(ROOT).as_posix(), body)


def _entry(package: str, tree: Path, path: str, body: bytes) -> dict[str, str]:
    about = json.loads((tree / "package.json").read_text())
    return {
        "path": path,
        "package": package,
        "licence": about.get("license", ""),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


if __name__ == "__main__":
    main()
