"""Fetch the browser assets from npm and vendor them with versions and hashes.

A maintainer runs this where npm is at hand: python tools/vendor_assets.py
No user's machine needs node. `dotmac/static/vendor/VERSIONS.json` lists what was
taken from which package, its licence and sha256; a test compares.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess  # nosec B404
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "dotmac" / "static" / "vendor"
ICONS = ROOT / "dotmac" / "core" / "console" / "icons.json"
NPM_TIMEOUT_S = 120

FILES = {
    # Their scripts stay away: menus are <details>, dialogs are <dialog>.
    "@tabler/core@1.6.1": {"dist/css/tabler.min.css": "tabler.min.css"},
    "htmx.org@2.0.11": {"dist/htmx.min.js": "htmx.min.js"},
    "bootstrap@5.3.9": {"dist/css/bootstrap.min.css": "bootstrap.min.css"},
    "uplot@1.6.32": {
        "dist/uPlot.iife.min.js": "uplot.min.js",
        "dist/uPlot.min.css": "uplot.min.css",
    },
}
ICON_PACKAGE = "@tabler/icons@3.51.0"
ICON_NAMES = Path(__file__).with_name("icon_names.txt")
_SOURCE_MAP = re.compile(
    rb"\s*(/\*[#@]\s*sourceMappingURL=.*?\*/|//[#@]\s*sourceMappingURL=.*)"
)
_INNER = re.compile(
    r"<path stroke=\"none\"[^>]*/>|<svg[^>]*>|</svg>|<!--.*?-->", re.DOTALL
)


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
    packed = subprocess.run(  # nosec B603 B607
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
    for name in ICON_NAMES.read_text().split():
        path = tree / "icons" / "outline" / f"{name}.svg"
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
