"""MS-CHAPv2 (RFC 2759), the keys for MPPE (RFC 3079), and the MD4 under both.

Pure functions over bytes, compared with the RFCs' own examples in
tests/network/test_mschap_vectors.py. MD4, DES and SHA-1 are what the method is made
of: over a network that others listen to it belongs into a tunnel.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

CHALLENGE_BYTES = 16
RESPONSE_BYTES = 50  # RFC 2548, 2.3.2: ident, flags, challenge, reserved, answer

_WORD = 0xFFFFFFFF
_MD4_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_MD4_BLOCK = 64
# RFC 1320, 3.4: for each round the constant, the shifts, the order of the words.
_MD4_ROUNDS = (
    (0, (3, 7, 11, 19), tuple(range(16))),
    (0x5A827999, (3, 5, 9, 13), tuple(4 * (i % 4) + i // 4 for i in range(16))),
    (
        0x6ED9EBA1,
        (3, 9, 11, 15),
        (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15),
    ),
)

# RFC 2759, 8.7
_SIGNING = b"Magic server to client signing constant"
_PADDING = b"Pad to make it do more than one iteration"
# RFC 3079, 3.4
_MASTER_KEY = b"This is the MPPE Master Key"
_CLIENT_SENDS = (
    b"On the client side, this is the send key; on the server side, it is the "
    b"receive key."
)
_SERVER_SENDS = (
    b"On the client side, this is the receive key; on the server side, it is the "
    b"send key."
)
_KEY_BYTES = 16
_PAD_1, _PAD_2 = b"\x00" * 40, b"\xf2" * 40


@dataclass(frozen=True, slots=True)
class Success:
    """What a right answer earns: our own proof, and the keys of the link.

    `send_key` is for what the NAS sends, `recv_key` for what it receives.
    """

    message: bytes
    send_key: bytes
    recv_key: bytes


def check_response(
    *, password: str, user_name: bytes, challenge: bytes, response: bytes
) -> Success | None:
    """Judge an MS-CHAP2-Response (RFC 2548, 2.3.2); None when it is wrong.

    A response or a challenge of another length than the RFC's is wrong as well.
    """
    if len(challenge) != CHALLENGE_BYTES or len(response) != RESPONSE_BYTES:
        return None
    ident, peer, answer = response[:1], response[2:18], response[26:]
    hashed = nt_hash(password)
    asked = challenge_hash(peer, challenge, user_name)
    if not hmac.compare_digest(answer, challenge_response(asked, hashed)):
        return None
    twice = md4(hashed)
    master = _sha1(twice, answer, _MASTER_KEY)[:_KEY_BYTES]
    return Success(
        message=ident + authenticator_response(twice, answer, asked),
        send_key=_start_key(master, _SERVER_SENDS),
        recv_key=_start_key(master, _CLIENT_SENDS),
    )


def nt_hash(password: str) -> bytes:
    """NtPasswordHash (RFC 2759, 8.3): MD4 over the password in UTF-16."""
    return md4(password.encode("utf-16-le"))


def challenge_hash(peer: bytes, challenge: bytes, user_name: bytes) -> bytes:
    """ChallengeHash (RFC 2759, 8.2): the eight bytes that are answered.

    The name counts without the domain that Windows may put before it.
    """
    before, domain_ends, name = user_name.partition(b"\\")
    return _sha1(peer, challenge, name if domain_ends else before)[:8]


def challenge_response(asked: bytes, hashed: bytes) -> bytes:
    """ChallengeResponse (RFC 2759, 8.5): three times DES under parts of the hash."""
    padded = hashed.ljust(21, b"\0")
    return b"".join(_des(padded[i : i + 7], asked) for i in (0, 7, 14))


def authenticator_response(twice: bytes, answer: bytes, asked: bytes) -> bytes:
    """GenerateAuthenticatorResponse (RFC 2759, 8.7), as it is printed."""
    digest = _sha1(twice, answer, _SIGNING)
    return b"S=" + _sha1(digest, asked, _PADDING).hex().upper().encode()


def md4(data: bytes) -> bytes:
    """RFC 1320. OpenSSL 3 has it among the legacy algorithms only."""
    bits = struct.pack("<Q", len(data) * 8)
    data += b"\x80" + b"\0" * ((55 - len(data)) % _MD4_BLOCK) + bits
    state = _MD4_START
    for start in range(0, len(data), _MD4_BLOCK):
        words = struct.unpack("<16I", data[start : start + _MD4_BLOCK])
        state = _md4_block(state, words)
    return struct.pack("<4I", *state)


def _md4_block(
    state: tuple[int, int, int, int], words: tuple[int, ...]
) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for number, (constant, shifts, order) in enumerate(_MD4_ROUNDS):
        for step, index in enumerate(order):
            total = (a + _mixed(number, b, c, d) + words[index] + constant) & _WORD
            shift = shifts[step % 4]
            turned = (total << shift | total >> 32 - shift) & _WORD
            a, b, c, d = d, turned, b, c
    first, second, third, fourth = (
        (old + new) & _WORD for old, new in zip(state, (a, b, c, d), strict=True)
    )
    return first, second, third, fourth


def _mixed(number: int, x: int, y: int, z: int) -> int:
    """F, G and H of RFC 1320."""
    if number == 0:
        return x & y | ~x & z
    if number == 1:
        return x & y | x & z | y & z
    return x ^ y ^ z


def _des(key: bytes, block: bytes) -> bytes:
    """One block under 56 bits; DES is TripleDES whose three keys are the same."""
    bits = int.from_bytes(key, "big")
    # Seven bits to a byte; the lowest one is for parity, which nobody looks at.
    spread = bytes(bits >> 49 - 7 * i << 1 & 0xFE for i in range(8))
    encryptor = Cipher(
        TripleDES(spread * 3), modes.ECB()  # noqa: S305 - RFC 2759, 8.6  # nosec B305
    ).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def _sha1(*parts: bytes) -> bytes:
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()


def _start_key(master: bytes, direction: bytes) -> bytes:
    """GetAsymmetricStartKey (RFC 3079, 3.3) for 128 bits."""
    return _sha1(master, _PAD_1, direction, _PAD_2)[:_KEY_BYTES]
