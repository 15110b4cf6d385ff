"""Debian's radclient, which no one here wrote, and a socket for what it cannot send."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs import RADCLIENT, need

_RECEIVED = re.compile(r"^Received (\S+) Id \d+", re.MULTILINE)
# A tag of 0 is none.
_LINE = re.compile(r"^\t([A-Za-z0-9-]+?(?::[1-9][0-9]?)?)(?::0)? = (.*)$")


@dataclass(frozen=True)
class Answer:
    """What came back: the packet's name, its attributes in the order of the wire."""

    kind: str
    pairs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def attributes(self) -> dict[str, str]:
        return dict(self.pairs)

    @property
    def accepted(self) -> bool:
        return self.kind == "Access-Accept"

    @property
    def rejected(self) -> bool:
        return self.kind == "Access-Reject"

    @property
    def silent(self) -> bool:
        return self.kind == ""


SILENCE = Answer("")


@dataclass(frozen=True)
class RadClient:
    """Sends packets to one server."""

    auth_port: int
    acct_port: int
    secret: str
    host: str = "127.0.0.1"

    def auth(self, **attributes: object) -> Answer:
        """An Access-Request, signed unless Message_Authenticator=None is given."""
        attributes.setdefault("Message_Authenticator", "0x00")
        return self.send("auth", attributes)

    def acct(self, status: str, **attributes: object) -> Answer:
        return self.send("acct", {"Acct_Status_Type": status, **attributes})

    def send(self, kind: str, attributes: dict[str, object]) -> Answer:
        need(*RADCLIENT)
        facts = dict(attributes)
        secret = str(facts.pop("secret", self.secret))
        wait = str(facts.pop("wait_s", 4))
        port = self.auth_port if kind == "auth" else self.acct_port
        lines = [
            f"{name.replace('_', '-')} = {_value(name, value)}"
            for name, value in facts.items()
            if value is not None
        ]
        with tempfile.TemporaryDirectory() as folder:
            secret_file = Path(folder) / "secret"
            secret_file.write_text(secret)
            done = subprocess.run(
                ["radclient", "-x", "-r", "1", "-t", wait, "-S", str(secret_file),
                 f"{self.host}:{port}", kind],
                input="\n".join(lines) + "\n",
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )  # fmt: skip
        return _answer(done.stdout)


_OCTETS = ("Message_Authenticator", "Class")


def _value(name: str, value: object) -> str:
    text = str(value)
    if isinstance(value, int) or name in _OCTETS:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _answer(output: str) -> Answer:
    found = _RECEIVED.search(output)
    if not found:
        return SILENCE
    pairs = []
    for line in output[found.end() :].splitlines()[1:]:
        matched = _LINE.match(line)
        if not matched:
            break
        pairs.append((matched[1], matched[2].strip('"')))
    return Answer(found[1], pairs)
