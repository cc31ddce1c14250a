"""What a TLS port serves with: a pair that was given and fits, or one that the local authority has signed."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from cryptography import x509

from meetctl.errors import SettingsError
from meetctl.reach.authority import Authority, new_leaf


def given_context(certificate: Path, key: Path, host: str, *, now: datetime) -> ssl.SSLContext:
    """Returns the context of this pair, once it is sure that a browser would take it for this host.

    Raises:
        SettingsError: saying what does not fit.
    """
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except OSError as error:
        raise SettingsError(f"{certificate} cannot be read: {error.strerror}", hint=f"ls -l {certificate}") from None
    except ValueError:
        raise SettingsError(
            f"{certificate} holds no certificate in PEM", hint="give the full chain, as in fullchain.pem"
        ) from None
    _check_time(found, certificate, now)
    if not _covers(found, host):
        names = ", ".join(_names(found)) or "nobody"
        hint = f"write reach: {{host: {_first_name(found) or 'NAME'}}}, a name that leads to this machine"
        raise SettingsError(f"{certificate} is for {names}, not for {host}", hint=hint)
    context = _context()
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        reason = "does not belong to" if "MISMATCH" in str(error) else f"cannot be used ({error.reason}) with"
        raise SettingsError(f"{key} {reason} {certificate}", hint="give the pair that was issued together") from None
    except OSError as error:
        raise SettingsError(f"{key} cannot be read: {error.strerror}", hint=f"ls -l {key}") from None
    return context


def own_context(authority: Authority, hosts: Iterable[str], *, now: datetime) -> ssl.SSLContext:
    """Returns the context of a new pair for these names and addresses, signed by the local authority."""
    context = _context()
    with tempfile.NamedTemporaryFile(prefix="meetctl-", suffix=".pem") as file:  # 0600
        file.write(new_leaf(authority, hosts, now=now))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A browser that talks TURN offers no protocol, one that loads the page gets the only one that is served.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _check_time(certificate: x509.Certificate, path: Path, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    clock = f"this machine's clock says {now:%Y-%m-%d %H:%M}Z"
    if now > ends:
        raise SettingsError(f"{path} ran out on {ends:%Y-%m-%d %H:%M}Z; {clock}", hint="renew it, or check `date -u`")
    if now < begins:
        message = f"{path} is not valid before {begins:%Y-%m-%d %H:%M}Z; {clock}"
        raise SettingsError(message, hint="check `date -u`")


def _covers(certificate: x509.Certificate, host: str) -> bool:
    names = _alternatives(certificate)
    try:
        return ipaddress.ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    found = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return host.lower() in found or f"*.{host.lower().partition('.')[2]}" in found


def _names(certificate: x509.Certificate) -> list[str]:
    names = _alternatives(certificate)
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _first_name(certificate: x509.Certificate) -> str | None:
    return next((name for name in _names(certificate) if not name.startswith("*")), None)


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])
