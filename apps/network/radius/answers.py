"""From one datagram to its answer, or to silence. No sockets here."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pyrad.packet import (
    AccessAccept,
    AccessReject,
    AccessRequest,
    AccountingRequest,
    AcctPacket,
    AuthPacket,
)

from apps.network.radius import methods, packets
from apps.network.radius.database import Client, RadiusSession, encoded
from apps.network.radius.spool import Decision

# The order of radius_accounting()'s arguments after the four first ones.
_NUMBERS = (
    "Event-Timestamp",
    "Acct-Delay-Time",
    "Acct-Session-Time",
    "Acct-Input-Octets",
    "Acct-Input-Gigawords",
    "Acct-Output-Octets",
    "Acct-Output-Gigawords",
    "Acct-Terminate-Cause",
)
_NAS_PORT_ID = 87
_ACCT_SESSION_ID = 44
_CLASS = 25


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes to send; a refusal is held back to slow down guessing."""

    data: bytes
    refuses: bool = False
    decision: Decision | None = None


def answer_access(
    data: bytes, address: str, client: Client, session: RadiusSession
) -> Answer | None:
    """Accept, reject, or None: a packet that gets no answer.

    Raises psycopg.Error when the database does not answer.
    """
    request = packets.decode_auth(data, client.secret)
    if request is None or request.code != AccessRequest:
        return None
    if not _is_signed(request, client):
        return None
    login = packets.raw(request, packets.USER_NAME)
    mac = packets.raw(request, packets.CALLING_STATION_ID)
    # Of EAP the name is the outer one: nobody's, or not the one who logs in.
    asks = bool(login) and not methods.uses_eap(request)
    rows = session.authorize(login, address, mac) if asks else []
    if "Tmp-String-0" in dict(rows):
        return None
    proof, reason = _verdict(request, rows)
    accepted = proof is not None
    decision = Decision(
        int(time.time()), accepted, reason, address, _shown(login), _shown(mac)
    )
    return _reply(request, rows, proof, decision)


def _verdict(
    request: AuthPacket, rows: list[tuple[str, str]]
) -> tuple[methods.Proof | None, str]:
    """The proof of a right password, None for a refusal; and why."""
    names = dict(rows)
    if methods.uses_eap(request):
        return None, "method"
    if not rows:
        return None, "unknown"
    if names.get("Auth-Type") == "Reject":
        return None, names["Tmp-String-1"]
    password = packets.unquoted(names["Cleartext-Password"])
    proof = methods.check_password(request, password)
    return proof, names["Tmp-String-1"] if proof else "password"


def _shown(value: bytes) -> str:
    """As radius_text() shows bytes that are no text."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    return text if "\0" not in text else "\\x" + value.hex()


def _is_signed(request: AuthPacket, client: Client) -> bool:
    """A signature must be right where there is one, and be there where demanded."""
    if request.message_authenticator:
        return bool(request.verify_message_authenticator())
    return not client.require_message_authenticator


def _reply(
    request: AuthPacket,
    rows: list[tuple[str, str]],
    proof: methods.Proof | None,
    decision: Decision,
) -> Answer:
    """Signed, with the signature first; a reject is bare whatever the reason."""
    reply = request.CreateReply()
    reply.code = AccessReject if proof is None else AccessAccept
    reply.add_message_authenticator()
    if proof is not None:
        packets.add_rows(reply, rows)
        methods.add_proof(reply, proof)
    return Answer(reply.ReplyPacket(), refuses=proof is None, decision=decision)


def answer_accounting(
    data: bytes, address: str, client: Client, session: RadiusSession
) -> Answer | None:
    """The Accounting-Response once the row is committed, else None."""
    request = packets.decode_acct(data, client.secret)
    if request is None or request.code != AccountingRequest:
        return None
    if not request.VerifyAcctRequest():
        return None
    if request.message_authenticator and not request.verify_message_authenticator():
        return None
    if not session.account(_values(request, address)):
        return None
    return Answer(request.CreateReply().ReplyPacket())


def _values(request: AcctPacket, address: str) -> tuple[str, ...]:
    return (
        packets.text(request, "Acct-Status-Type"),
        encoded(packets.raw(request, packets.USER_NAME)),
        address,
        encoded(packets.raw(request, _ACCT_SESSION_ID)),
        packets.text(request, "Framed-IP-Address"),
        encoded(packets.raw(request, packets.CALLING_STATION_ID)),
        encoded(packets.raw(request, _NAS_PORT_ID)),
        packets.text(request, "NAS-Port"),
        encoded(packets.raw(request, _CLASS)),
        *(packets.text(request, name) for name in _NUMBERS),
    )
