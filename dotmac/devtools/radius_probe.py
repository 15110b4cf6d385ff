"""A real Status-Server request (RFC 5997) to the installation's own RADIUS server.

Asked as the platform's NAS. A genuine answer proves the server, its database role
and the keys at once: the secret of the NAS had to be opened, and PostgreSQL asked.
"""

from __future__ import annotations

import io
import socket

from pyrad.dictionary import Dictionary
from pyrad.packet import AuthPacket, PacketError, StatusServer

NAS_ADDRESS = "127.0.0.2"
SECRET = "platform-nas"  # noqa: S105 - the name of the file that holds it  # nosec B105
ANSWER_S = 3.0
_BYTES_MAX = 4096
_DICTIONARY = """
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE Message-Authenticator 80 octets
"""


def answers(*, host: str, port: int, secret: str) -> bool:
    """True when a genuine answer comes within ANSWER_S."""
    packet = AuthPacket(
        code=StatusServer,
        secret=secret.encode(),
        dict=Dictionary(io.StringIO(_DICTIONARY)),
        authenticator=AuthPacket.CreateAuthenticator(),
    )
    packet.AddAttribute("NAS-IP-Address", NAS_ADDRESS)
    packet.add_message_authenticator()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((NAS_ADDRESS, 0))
        door.settimeout(ANSWER_S)
        try:
            door.connect((host, port))
            door.send(packet.RequestPacket())
            data = door.recv(_BYTES_MAX)
            reply = packet.CreateReply(packet=data)
        except (OSError, PacketError):
            return False
    return bool(packet.VerifyReply(reply, data, enforce_ma=True))
