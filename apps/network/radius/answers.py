"""From one datagram to its answer, or to silence. No sockets here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pyrad.packet import (
    AccessAccept,
    AccessReject,
    AccessRequest,
    AccountingRequest,
    AccountingResponse,
    AcctPacket,
    AuthPacket,
    StatusServer,
)

from apps.network.radius import methods, packets
from apps.network.radius.database import (
    AccessFacts,
    AccountingFacts,
    Client,
    RadiusSession,
    Row,
    encoded,
)
from apps.network.radius.spool import Decision
from apps.network.rules.credentials import text_of_octets

_NUMBERS = {
    "address": "Framed-IP-Address",
    "port": "NAS-Port",
    "event": "Event-Timestamp",
    "delay": "Acct-Delay-Time",
    "seconds": "Acct-Session-Time",
    "octets_in": "Acct-Input-Octets",
    "giga_in": "Acct-Input-Gigawords",
    "octets_out": "Acct-Output-Octets",
    "giga_out": "Acct-Output-Gigawords",
    "cause": "Acct-Terminate-Cause",
    "ipv6": "Framed-IPv6-Address",
    "prefix": "Framed-IPv6-Prefix",
    "delegated": "Delegated-IPv6-Prefix",
}
# What the client's name ends in when nothing proves that the NAS sent the request.
UNSIGNED = " unsigned"
_NAS_PORT_ID = 87
_PROXY_STATE = 33
_ACCT_SESSION_ID = 44
_CLASS = 25
_CALLED_STATION_ID = 30
# ADSL Forum's (RFC 4679), else Ericsson's: what a relay put into DHCP or PPPoE.
_AGENT_CIRCUIT_ID = ((3561, 1), (2352, 97))
_AGENT_REMOTE_ID = ((3561, 2), (2352, 96))


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes to send; a refusal is held back to slow down guessing."""

    data: bytes
    refuses: bool = False
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer, and what was wrong with the packet."""

    kind: str


def answer_access(
    data: bytes, address: str, client: Client, session: RadiusSession
) -> Answer | Silence:
    """Accept, reject, or no answer: silence, and why.

    Raises psycopg.Error when the database does not answer.
    """
    request = packets.decode_auth(data, client.secret)
    if request is not None and request.code == StatusServer:
        return _status(request, session.ask_status, AccessAccept)
    if request is None or request.code != AccessRequest:
        return Silence("no_access_request")
    if not _is_signed(request, client):
        return Silence("signature")
    login = packets.raw(request, packets.USER_NAME)
    mac = packets.raw(request, packets.CALLING_STATION_ID)
    facts = _access_facts(request, address, client)
    # Of EAP the name is the outer one: nobody's, or not the one who logs in.
    asks = bool(login) and not methods.uses_eap(request)
    rows = session.authorize(facts) if asks else []
    if any(name == "Tmp-String-0" for name, _, _ in rows):
        return Silence("disabled_nas")
    proof, reason = _verdict(request, rows)
    decision = _decision(
        rows,
        accepted=proof is not None,
        reason=reason,
        nas=address,
        login=text_of_octets(login),
        mac=text_of_octets(mac),
    )
    return _reply(request, rows, proof, decision)


def _decision(
    rows: list[Row], *, accepted: bool, reason: str, nas: str, login: str, mac: str
) -> Decision | None:
    """The line for the spool; None where the database wants none written."""
    names = {name: value for name, value, _ in rows}
    sample_of = int(names.get("Tmp-Integer-0", "1"))
    if sample_of < 1:
        return None
    word, _, hold = reason.partition(":")
    account = int(names.get("Tmp-String-4", "0"))
    return Decision(
        int(time.time()), accepted, word, nas, login, mac, hold, sample_of, account
    )


def _verdict(request: AuthPacket, rows: list[Row]) -> tuple[methods.Proof | None, str]:
    """The proof of a right password, None for a refusal; and why."""
    names = {name: value for name, value, _ in rows}
    if methods.uses_eap(request):
        return None, "method"
    if not rows:
        return None, "unknown"
    if names.get("Auth-Type") == "Reject":
        return None, names["Tmp-String-1"]
    # A device or a line that the NAS may let in by what it is (IPoE).
    if names.get("Auth-Type") == "Accept":
        return methods.Proof(), names["Tmp-String-1"]
    password = packets.unquoted(names["Cleartext-Password"])
    proof = methods.check_password(request, password)
    return proof, names["Tmp-String-1"] if proof else "password"


def _is_signed(request: AuthPacket, client: Client) -> bool:
    """A signature must be right where there is one, and be there where demanded.

    A NAS may be excused; what comes through a proxy may not: whoever forges an answer
    needs a Proxy-State in the request (BlastRADIUS).
    """
    if request.message_authenticator:
        return bool(request.verify_message_authenticator())
    return not client.require_message_authenticator and _PROXY_STATE not in request


def _status(
    request: AuthPacket, ask: Callable[[], None], code: int
) -> Answer | Silence:
    """Status-Server (RFC 5997): alive is who can decide, so the database is asked."""
    if not request.message_authenticator or not request.verify_message_authenticator():
        return Silence("signature")
    ask()
    reply = request.CreateReply()
    reply.code = code
    return Answer(reply.ReplyPacket())


def _reply(
    request: AuthPacket,
    rows: list[Row],
    proof: methods.Proof | None,
    decision: Decision | None,
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
) -> Answer | Silence:
    """The Accounting-Response once the row is committed, else silence, and why.

    Raises psycopg.Error when the database does not answer.
    """
    # Its authenticator is random, as that of an Access-Request.
    if data[0] == StatusServer and (asked := packets.decode_auth(data, client.secret)):
        return _status(asked, session.ask_accounting_status, AccountingResponse)
    request = packets.decode_acct(data, client.secret)
    if request is None or request.code != AccountingRequest:
        return Silence("no_accounting_request")
    # A wrong secret, or bytes that were changed on the way: no telling which.
    if not request.VerifyAcctRequest():
        return Silence("secret")
    if request.message_authenticator and not request.verify_message_authenticator():
        return Silence("signature")
    if not session.account(_accounting_facts(request, address, client)):
        return Silence("no_row")
    return Answer(request.CreateReply().ReplyPacket())


def _access_facts(request: AuthPacket, address: str, client: Client) -> AccessFacts:
    proved = bool(request.message_authenticator)
    return AccessFacts(
        nas=address,
        client=client.name if proved else client.name + UNSIGNED,
        remote=encoded(packets.raw(request, *_AGENT_REMOTE_ID)),
        port=packets.text(request, "NAS-Port"),
        kind=packets.text(request, "NAS-Port-Type")
        or packets.text(request, "Service-Type"),
        **_who_and_where(request),
    )


def _accounting_facts(
    request: AcctPacket, address: str, client: Client
) -> AccountingFacts:
    return AccountingFacts(
        nas=address,
        client=client.name,
        status=packets.text(request, "Acct-Status-Type"),
        session=encoded(packets.raw(request, _ACCT_SESSION_ID)),
        klass=encoded(packets.raw(request, _CLASS)),
        **_who_and_where(request),
        **{name: packets.text(request, long) for name, long in _NUMBERS.items()},
    )


def _who_and_where(request: AuthPacket | AcctPacket) -> dict[str, str]:
    """What requests of both kinds say in texts and octets."""
    return {
        "login": encoded(packets.raw(request, packets.USER_NAME)),
        "mac": encoded(packets.raw(request, packets.CALLING_STATION_ID)),
        "port_id": encoded(packets.raw(request, _NAS_PORT_ID)),
        "circuit": encoded(packets.raw(request, *_AGENT_CIRCUIT_ID)),
        "called": encoded(packets.raw(request, _CALLED_STATION_ID)),
    }
