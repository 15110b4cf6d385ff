"""A phone on a Wi-Fi with logins: wpa_supplicant's eapol_test, which no one here wrote."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.programs import EAPOL_TEST, need

_MESSAGE = re.compile(r"^RADIUS message: code=(\d+) ", re.MULTILINE)
# What eapol_test does not know has no value here.
_ATTRIBUTE = re.compile(
    r"^   Attribute (\d+) \(.*\) length=\d+(?:\n      Value: (.*))?$", re.MULTILINE
)
ACCEPT, REJECT = 2, 3
# RFC 2865, RFC 3579
USER_NAME, REPLY_MESSAGE, CLASS, VENDOR, SESSION_TIMEOUT = 1, 18, 25, 26, 27
PROXY_STATE, EAP_MESSAGE, SIGNATURE, FRAMED_POOL = 33, 79, 80, 88
# What eapol_test calls the methods that docs/radius.md promises.
METHODS = [
    ("PEAP", "auth=MSCHAPV2"),
    ("TTLS", "auth=PAP"),
    ("TTLS", "auth=MSCHAPV2"),
    ("TTLS", "autheap=MSCHAPV2"),
]
methods = pytest.mark.parametrize(("method", "inner"), METHODS)
MAC = "aa:bb:cc:00:00:01"


@dataclass(frozen=True)
class Outcome:
    """What the phone came to, and the last answer that it got."""

    accepted: bool
    code: int
    # Number and printed value, in the order of the wire.
    pairs: list[tuple[int, str]]
    said: str

    @property
    def names(self) -> list[int]:
        return [number for number, _ in self.pairs]

    def value(self, number: int) -> str:
        (found,) = (value for name, value in self.pairs if name == number)
        return found


@dataclass(frozen=True)
class Phone:
    """How one phone is set up; `method` is PEAP or TTLS, `inner` what is in it."""

    port: int
    secret: str
    ca: Path
    expects: str
    login: bytes = b""
    password: bytes = b"right horse"
    method: str = "PEAP"
    inner: str = "auth=MSCHAPV2"
    anonymous: str = "anonymous"
    mac: str = MAC
    nas: str = "127.0.0.1"
    # Further attributes of the access point, as eapol_test wants them.
    extra: tuple[str, ...] = ()
    logins: int = 1
    wait_s: int = 5
    settings: tuple[str, ...] = field(default=())

    def but(self, **changes: Any) -> Phone:
        return replace(self, **changes)

    def _network(self) -> str:
        lines = (
            'ssid="isp"', "key_mgmt=WPA-EAP", f"eap={self.method}",
            # In hex: no quoting rule stands between the test and the server.
            f"identity={self.login.hex()}", f"password={self.password.hex()}",
            f'anonymous_identity="{self.anonymous}"', f'ca_cert="{self.ca}"',
            f'domain_match="{self.expects}"', f'phase2="{self.inner}"',
            *self.settings,
        )  # fmt: skip
        return "network={\n" + "".join(f"  {line}\n" for line in lines) + "}\n"

    def connect(self) -> Outcome:
        """Log in. Accepted means that the access point and the phone share a key."""
        need(*EAPOL_TEST)
        with tempfile.TemporaryDirectory() as folder:
            network = Path(folder) / "network"
            network.write_text(self._network())
            done = subprocess.run(
                ["eapol_test", "-c", network, "-a", "127.0.0.1", "-p", str(self.port),
                 "-s", self.secret, "-A", self.nas, "-t", str(self.wait_s), "-M", self.mac,
                 "-r", str(self.logins - 1),
                 *(word for each in self.extra for word in ("-N", each))],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=60,
            )  # fmt: skip
        return _outcome(done.returncode == 0, done.stdout)


def _outcome(accepted: bool, said: str) -> Outcome:
    code, pairs = 0, []
    # What eapol_test sent is printed in the same way: answers have other codes.
    for found in _MESSAGE.finditer(said):
        if int(found[1]) in (ACCEPT, REJECT):
            code = int(found[1])
            rest = said[found.end() :]
            end = _MESSAGE.search(rest)
            part = rest[: end.start()] if end else rest
            pairs = [(int(a[1]), a[2]) for a in _ATTRIBUTE.finditer(part)]
    return Outcome(accepted, code, pairs, said)
