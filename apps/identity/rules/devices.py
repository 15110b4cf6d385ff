"""What a browser or a program calls itself, in words that people know."""

from __future__ import annotations

from dataclasses import dataclass

# The first that is found counts: Edge and Opera also say Chrome, Chrome says Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PHONES = {"iPhone", "Android"}
_NAME_MAX = 40


@dataclass(frozen=True, slots=True)
class Device:
    """A readable name ("Chrome on Android"), and an icon."""

    browser: str
    system: str
    icon: str


def device_of(user_agent: str) -> Device:
    """The device of a User-Agent header; programs keep their own first word."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if not browser and not system:
        words = user_agent.split()
        return Device(words[0][:_NAME_MAX] if words else "", "", "terminal-2")
    icon = "device-mobile" if system in _PHONES else "device-laptop"
    return Device(browser, system, icon)


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in names if mark in text), "")
