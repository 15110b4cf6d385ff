"""Maps: in which attributes a vendor's equipment understands what DotMac means.

A map is a document of a few replies (radius/vendors/<slug>.toml). Here it becomes
rules for SQL: a template of format(), and conditions as bits. The order of WORDS and
the bits of CONDITIONS are those of radius_words_of().
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from apps.network.rules.attributes import Table, encoded_value, told_attribute
from apps.network.rules.credentials import MalformedText

_RATE, _BITS, _BITS_32 = "2000000000", "2000000000000", "4294967295"
_NAME = "n" * 64
# Each word with the longest that it can be: a map must fit even then.
WORDS: dict[str, str] = {
    "up_kbps": _RATE, "down_kbps": _RATE,
    "up_bps": _BITS, "down_bps": _BITS,
    "up_bps_32": _BITS_32, "down_bps_32": _BITS_32,
    "up_burst_octets": "375000000000", "down_burst_octets": "375000000000",
    "up_excess_octets": "750000000000", "down_excess_octets": "750000000000",
    "burst_up_kbps": _RATE, "burst_down_kbps": _RATE,
    "burst_up_threshold_kbps": _RATE, "burst_down_threshold_kbps": _RATE,
    "burst_s": "3600",
    "burst_up_bps_32": _BITS_32, "burst_down_bps_32": _BITS_32,
    "priority": "8", "sessions_max": "32767", "policy": _NAME,
    "pool": _NAME, "pool_v6": _NAME, "pool_delegated": _NAME, "pool_stateful": _NAME,
    "walled_pool": _NAME, "redirect_url": "u" * 200,
    "vid": "4094", "outer_vid": "4094",
    "route": "2001:db8:1234:5678:9abc:def0:1234:5678/128", "route_via": "203.0.113.254",
    "session_octets_32": _BITS_32, "session_gigawords": "465661",
}  # fmt: skip
# What a person typed: rlm_sql would read quotes and backslashes in it.
_TYPED = {
    "policy", "pool", "pool_v6", "pool_delegated", "pool_stateful", "walled_pool",
    "redirect_url",
}  # fmt: skip
CONDITIONS: dict[str, int] = {
    name: 1 << bit
    for bit, name in enumerate(
        (
            "open", "throttled", "walled", "burst", "priority", "high_priority",
            "low_priority", "sessions", "policy", "pool", "pool_v6", "pool_delegated",
            "pool_stateful", "redirect", "vlan", "outer_vlan", "route_v4", "route_v6",
            "walled_pool", "session_octets",
        )
    )
}  # fmt: skip
# A word that means nothing unless its condition holds.
_NEEDED = {
    "policy": "policy", "pool": "pool", "pool_v6": "pool_v6",
    "pool_delegated": "pool_delegated", "pool_stateful": "pool_stateful",
    "redirect_url": "redirect", "vid": "vlan", "outer_vid": "outer_vlan",
    "walled_pool": "walled_pool", "session_octets_32": "session_octets",
    "session_gigawords": "session_octets",
}  # fmt: skip
# What a line has, not its profile: rules that need it are rendered for each answer.
_OF_LINE = sum(
    CONDITIONS[name]
    for name in (
        "pool", "pool_v6", "pool_delegated", "pool_stateful", "redirect", "vlan",
        "outer_vlan", "route_v4", "route_v6", "walled_pool",
    )
)  # fmt: skip
# The states, the only conditions beside those of the line.
_STATES = CONDITIONS["open"] | CONDITIONS["throttled"] | CONDITIONS["walled"]
_LINE_WORDS = {*_NEEDED, "route", "route_via"} - {
    "policy", "session_octets_32", "session_gigawords",
}  # fmt: skip
_SENT = ("accept", "coa")
_SLUG = re.compile(r"^[a-z][a-z0-9_]{0,31}$")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MAP_KEYS, _MAP_MUST = {"label", "source", "reply"}, {"label", "source", "reply"}
_REPLY_KEYS = {"when", "unless", "attribute", "op", "value", "send"}


class MalformedMap(ValueError):
    """The document is no map; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reply, as network_vendorrule has it."""

    ordinal: int
    attribute: str
    op: str
    template: str
    quoted: bool
    needs: int
    unless: int
    in_accept: bool
    in_coa: bool


@dataclass(frozen=True, slots=True)
class VendorMap:
    """A vendor and its rules; two are the same when their digests are."""

    slug: str
    label: str
    rules: tuple[Rule, ...]

    @property
    def digest(self) -> str:
        """As network_vendor_digest() computes it of the rows."""
        lines = [
            "\t".join(
                str(int(cell)) if isinstance(cell, bool) else str(cell)
                for cell in asdict(rule).values()
            )
            for rule in self.rules
        ]
        text = self.label + "\n" + "\n".join(lines)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def document(self) -> dict[str, Any]:
        """What network_load_vendor_maps() takes."""
        return {
            "slug": self.slug, "label": self.label, "digest": self.digest,
            "rules": [asdict(rule) for rule in self.rules],
        }  # fmt: skip


def vendor_map(slug: str, document: Mapping[str, Any], table: Table) -> VendorMap:
    """The map of a document, every word of it checked.

    Raises MalformedMap for an unknown key, condition, placeholder or attribute, and
    for a value that would not fit its attribute at the highest speed.
    """
    if not _SLUG.match(slug):
        raise MalformedMap(f"{slug}: a vendor's name is of a-z, 0-9 and _.")
    if document.keys() - _MAP_KEYS or _MAP_MUST - document.keys():
        raise MalformedMap(f"{slug}: it has a label, a source and replies.")
    label = document["label"]
    if (
        not isinstance(label, str)
        or not 0 < len(label) <= 64
        or not label.isprintable()
    ):
        raise MalformedMap(f"{slug}: its label has 1 to 64 characters.")
    rules = []
    for ordinal, reply in enumerate(document["reply"], start=1):
        try:
            rules.append(_rule(ordinal, reply, table))
        except (MalformedText, MalformedMap) as error:
            raise MalformedMap(f"{slug}, reply {ordinal}: {error}") from None
    return VendorMap(slug, label, tuple(rules))


def _rule(ordinal: int, reply: Mapping[str, Any], table: Table) -> Rule:
    if unknown := reply.keys() - _REPLY_KEYS:
        raise MalformedMap(f"nothing is called {min(unknown)}.")
    value, attribute = str(reply["value"]), str(reply["attribute"])
    op, send = reply.get("op", ":="), set(reply.get("send", ("accept",)))
    if op not in (":=", "+=") or not send or send - set(_SENT):
        raise MalformedMap(f"its op is := or +=, it is sent in {' or '.join(_SENT)}.")
    used = _words_in(value)
    when = list(reply.get("when", ()))
    needs = _bits([*when, *(_NEEDED[word] for word in used if word in _NEEDED)])
    routes = CONDITIONS["route_v4"] | CONDITIONS["route_v6"]
    if bool(needs & routes) != bool({"route", "route_via"} & set(used)):
        raise MalformedMap("{route} goes with route_v4 or route_v6.")
    unless = _bits(list(reply.get("unless", ())))
    _check_sides(needs, unless, set(used))
    if "coa" in send and needs & _OF_LINE:
        raise MalformedMap("a running session is told its speed only.")
    known, tag = told_attribute(attribute, table)
    encoded_value(known, tag, value.format(**WORDS))
    return Rule(
        ordinal=ordinal,
        attribute=attribute,
        op=op,
        template=_template(value),
        quoted=bool(_TYPED & set(used)) or any(mark in value for mark in "'\"`\\"),
        needs=needs,
        unless=unless,
        in_accept="accept" in send,
        in_coa="coa" in send,
    )


def _check_sides(needs: int, unless: int, used: set[str]) -> None:
    """A reply speaks of the profile, which is said beforehand, or of the line."""
    if unless & _OF_LINE:
        raise MalformedMap("unless speaks of state and profile only.")
    if needs & _OF_LINE and (
        (needs | unless) & ~(_OF_LINE | _STATES) or used - _LINE_WORDS
    ):
        raise MalformedMap("it speaks of the profile and of the line at once.")


def _words_in(value: str) -> list[str]:
    words = _PLACEHOLDER.findall(value)
    for word in words:
        if word not in WORDS:
            raise MalformedMap(f"nothing is called {{{word}}}.")
    if not value.isprintable() or set("{}") & set(_PLACEHOLDER.sub("", value)):
        raise MalformedMap("its value is printable, braces enclose words only.")
    return words


def _template(value: str) -> str:
    """For format(): words by their number, percent signs as themselves."""
    numbers = {word: number for number, word in enumerate(WORDS, start=1)}
    return _PLACEHOLDER.sub(
        lambda match: f"%{numbers[match[1]]}$s", value.replace("%", "%%")
    )


def _bits(names: list[str]) -> int:
    bits = 0
    for name in names:
        if name not in CONDITIONS:
            raise MalformedMap(f"nothing is called {name}.")
        bits |= CONDITIONS[name]
    return bits
