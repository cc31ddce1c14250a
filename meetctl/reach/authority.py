"""The local certificate authority: made once for a user, kept for them alone; it signs what a meeting serves with.

The certificates follow what browsers ask of any authority: names and addresses as subject alternative names, a key
for servers, at most 397 days.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meetctl.errors import SettingsError

FILE = "authority.pem"
"""Key and certificate."""
AUTHORITY_LASTS = timedelta(days=3650)
LEAF_LASTS = timedelta(days=397)
"""Browsers of one family take no longer one for a server, whoever signed it."""
CLOCKS_DIFFER = timedelta(days=1)
"""A visitor's clock may be behind this one."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """What a visitor may come to trust."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """SHA-256, as systems show it to whoever is asked to trust it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def keep_authority(directory: Path, *, now: datetime) -> Authority:
    """Returns the authority kept in this directory, made where there is none yet.

    Args:
        directory: the user's alone; who has the key can speak for every site to whoever trusts it.

    Raises:
        SettingsError: if what is kept there is no authority, or has run out.
    """
    path = directory / FILE
    if not path.exists():
        _keep(_new_authority(now), path)
    hint = f"remove {path} and a new one is made; who trusted the old one has to trust that"
    try:
        content = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(content)
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{path} holds no certificate authority: {error}", hint=hint) from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", hint=hint) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise SettingsError(f"{path} holds a key and a certificate that do not belong together", hint=hint)
    if certificate.not_valid_after_utc < now:
        raise SettingsError(f"{path} ran out on {certificate.not_valid_after_utc:%Y-%m-%d}", hint=hint)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return Authority(certificate, key)


def new_leaf(authority: Authority, hosts: Iterable[str], *, now: datetime) -> bytes:
    """Returns key and certificate, PEM, for a server of these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = list(dict.fromkeys(hosts))
    leaf = (
        _builder(_name(names[0]), authority.certificate.subject, key.public_key(), now, LEAF_LASTS)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _pem(key) + leaf.public_bytes(Encoding.PEM)


def _new_authority(now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    # Two authorities of one name would be taken for each other by a store that holds both.
    name = _name(f"meetctl local authority {secrets.token_hex(4)}")
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(key) + certificate.public_bytes(Encoding.PEM)


def _keep(content: bytes, path: Path) -> None:
    """Writes the file whole, for its owner alone; of two who do it at once, the first one's stays."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    begins = now.astimezone(UTC) - CLOCKS_DIFFER
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + lasts)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
