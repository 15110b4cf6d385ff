"""A private authority and the certificates that it issues, in a folder of its own.

Phones and NASes are given the authority once; what it issues may then be renewed
without a visit to any of them. A public authority is the wrong one here: whoever
holds any certificate of it could pose as this server.

authority.pem and server.pem hold a key and its certificate in one file, so that the
two are replaced together. Both are 0600; ca.pem and ca.der are for everybody.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_FILE, SERVER_FILE = "authority.pem", "server.pem"
CA_PEM, CA_DER = "ca.pem", "ca.der"

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
# iOS and macOS refuse a server's certificate that is valid for longer.
SERVER_DAYS_MAX = 825
RENEW_WITHIN_DAYS = 30
# For devices whose clock is behind.
_EARLIER = timedelta(days=1)
_AUTHORITY_BITS, _SERVER_BITS = 3072, 2048
_NAME_MAX = 64  # of a common name, X.520
_NAME = re.compile(
    r"(?=.{1,64}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    r"(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)


class CertificateRefused(Exception):
    """A name, a duration or a file that no certificate can be made from."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def name(self) -> str:
        """The common name: what a phone is told to expect."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""

    @property
    def until(self) -> datetime:
        return self.certificate.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """SHA-256, as phones show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def pem(self) -> bytes:
        """Key and certificate for one file; the key is not encrypted."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return key + self.certificate.public_bytes(serialization.Encoding.PEM)

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative once it has."""
        return (self.until - now).days


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the files are. Nothing is remembered: each question reads them."""

    path: Path

    @property
    def server_file(self) -> Path:
        return self.path / SERVER_FILE

    def authority(self) -> Issued | None:
        """None where there is none. Raises CertificateRefused for a broken file."""
        return _read(self.path / AUTHORITY_FILE)

    def server(self) -> Issued | None:
        """None where there is none. Raises CertificateRefused for a broken file."""
        return _read(self.server_file)

    def keep_authority(self, authority: Issued) -> None:
        """Write the authority, and what of it is public; repeating is safe."""
        public = authority.certificate.public_bytes
        self._write(AUTHORITY_FILE, authority.pem(), 0o600)
        self._write(CA_PEM, public(serialization.Encoding.PEM), 0o644)
        self._write(CA_DER, public(serialization.Encoding.DER), 0o644)

    def keep_server(self, server: Issued) -> None:
        """Replace the server's certificate together with its key."""
        self._write(SERVER_FILE, server.pem(), 0o600)

    def keep_client(self, client: Issued) -> Path:
        """Write what a NAS is given, key and certificate; returns where."""
        file = f"{client.name}.pem"
        self._write(file, client.pem(), 0o600)
        return self.path / file

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder; nobody else who asks for this writes to it meanwhile."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write(self, name: str, data: bytes, mode: int) -> None:
        """Replace a file as a whole; a key is never open to others."""
        draft = self.path / f"{name}.new"
        draft.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path / name)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a folder holds after `prepare`, and whether the certificate is new."""

    authority: Issued
    server: Issued
    is_new: bool


def prepare(
    folder: Folder,
    *,
    operator: str,
    now: datetime,
    name: str = "",
    days: int = SERVER_DAYS,
    renew: bool = False,
) -> Prepared:
    """See to it that the folder holds an authority and a valid server's certificate.

    Repeating is safe: the authority is made once and never replaced, the certificate
    anew when `renew` asks for it or fewer than RENEW_WITHIN_DAYS are left. A name that
    phones do not expect is taken with `renew` only. Raises CertificateRefused.
    """
    if days <= RENEW_WITHIN_DAYS:
        raise CertificateRefused(
            f"A certificate for {RENEW_WITHIN_DAYS} days or fewer would be renewed at "
            "once: say more --days."
        )
    with folder.alone():
        authority, server = folder.authority(), folder.server()
        wanted = name or (server.name if server else "")
        if not wanted:
            raise CertificateRefused("Say which name the server has: --name.")
        if server and server.name != wanted and not renew:
            raise CertificateRefused(
                f"Phones were told to expect {server.name}, and would refuse {wanted}. "
                "Say --renew when they are to be told the new name."
            )
        if server and authority is None:
            raise CertificateRefused(
                f"{folder.path / AUTHORITY_FILE} is missing: restore it from a copy. "
                "Phones accept no other."
            )
        if authority is None:
            authority = make_authority(name=f"{operator[:56]} Wi-Fi", now=now)
        fresh = server is None or renew or not is_issued_by(server, authority)
        if server is None or fresh or server.days_left(now) < RENEW_WITHIN_DAYS:
            server = issue(authority, name=wanted, now=now, days=days)
            fresh = True
        folder.keep_authority(authority)
        if fresh:
            folder.keep_server(server)
        return Prepared(authority, server, fresh)


def prepare_client(
    folder: Folder, *, nas_id: int, now: datetime, days: int = SERVER_DAYS
) -> tuple[Issued, Path]:
    """A certificate with which a NAS shows who it is (RadSec), and its file.

    Repeating makes another one; earlier ones stay valid until they expire. Raises
    CertificateRefused, also where there is no authority yet (`prepare`).
    """
    name = f"nas-{nas_id}"
    with folder.alone():
        authority = folder.authority()
        if authority is None:
            raise CertificateRefused("There is no authority yet: say --name first.")
        issued = issue(authority, name=name, now=now, days=days, for_client=True)
        return issued, folder.keep_client(issued)


def make_authority(*, name: str, now: datetime, days: int = AUTHORITY_DAYS) -> Issued:
    """A new authority, signed by itself. Raises CertificateRefused."""
    if not name.strip() or len(name) > _NAME_MAX or not name.isprintable():
        raise CertificateRefused(f"An authority's name has 1 to {_NAME_MAX} letters.")
    key = generate_private_key(public_exponent=65537, key_size=_AUTHORITY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(subject, subject, key, now)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return Issued(key, builder.sign(key, hashes.SHA256()))


def issue(
    authority: Issued,
    *,
    name: str,
    now: datetime,
    days: int = SERVER_DAYS,
    for_client: bool = False,
) -> Issued:
    """A certificate for a server, or for one who connects to it (a NAS by RadSec).

    It ends no later than the authority does. Raises CertificateRefused.
    """
    if not _NAME.match(name):
        raise CertificateRefused(
            f"{name!r} is no name of a server: small letters, digits, hyphens and dots,"
            f" at most {_NAME_MAX}, such as radius.example.com."
        )
    if not 1 <= days <= SERVER_DAYS_MAX:
        raise CertificateRefused(
            f"A certificate is valid for 1 to {SERVER_DAYS_MAX} days: phones refuse "
            "longer ones."
        )
    if authority.until <= now:
        raise CertificateRefused(
            f"The authority expired on {authority.until:%d %b %Y}."
        )
    key = generate_private_key(public_exponent=65537, key_size=_SERVER_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    purpose = (
        ExtendedKeyUsageOID.CLIENT_AUTH
        if for_client
        else ExtendedKeyUsageOID.SERVER_AUTH
    )
    signer = authority.key.public_key()
    builder = (
        _builder(subject, authority.certificate.subject, key, now)
        .not_valid_after(min(now + timedelta(days=days), authority.until))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False
        )
    )
    return Issued(key, builder.sign(authority.key, hashes.SHA256()))


def is_issued_by(server: Issued, authority: Issued) -> bool:
    """The authority's key signed it: phones that trust the one accept the other."""
    try:
        server.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _builder(
    subject: x509.Name, issuer: x509.Name, key: RSAPrivateKey, now: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public), critical=False
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _read(path: Path) -> Issued | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CertificateRefused(f"{path} cannot be read: {error.strerror}.") from error
    try:
        key = serialization.load_pem_private_key(data, password=None)
        certificate = x509.load_pem_x509_certificate(data)
    except (ValueError, TypeError) as error:
        raise CertificateRefused(
            f"{path} does not hold a key and a certificate."
        ) from error
    if not isinstance(key, RSAPrivateKey) or (
        key.public_key() != certificate.public_key()
    ):
        raise CertificateRefused(f"{path} holds a key and another's certificate.")
    return Issued(key, certificate)
