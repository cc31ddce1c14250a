"""The local authority: made once, kept for its user alone, and what it signs is what browsers ask for."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from meetctl.errors import SettingsError
from meetctl.reach.authority import FILE, LEAF_LASTS, keep_authority, new_leaf

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_it_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = keep_authority(tmp_path, now=NOW)
    (tmp_path / FILE).chmod(0o644)
    again = keep_authority(tmp_path, now=NOW + timedelta(days=900))
    assert first.pem == again.pem
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert b"PRIVATE" not in first.pem


def test_a_leaf_covers_every_address_and_name_for_397_days_and_signs_nobody(tmp_path: Path) -> None:
    authority = keep_authority(tmp_path, now=NOW)
    hosts = ["meet.example", "192.0.2.7", "2001:db8::7", "meet.example"]
    leaf = x509.load_pem_x509_certificate(new_leaf(authority, hosts, now=NOW))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["meet.example"]
    assert list(map(str, names.get_values_for_type(x509.IPAddress))) == ["192.0.2.7", "2001:db8::7"]
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == LEAF_LASTS == timedelta(days=397)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    leaf.verify_directly_issued_by(authority.certificate)


def test_a_client_that_trusts_it_takes_the_leaf_and_one_that_does_not_refuses(tmp_path: Path) -> None:
    authority = keep_authority(tmp_path, now=datetime.now(UTC))
    pair = tmp_path / "leaf.pem"
    pair.write_bytes(new_leaf(authority, ["meet.example"], now=datetime.now(UTC)))
    assert shaken_hands(pair, ssl.create_default_context(cadata=authority.pem.decode())) is None
    assert "unable to get local issuer" in str(shaken_hands(pair, ssl.create_default_context()))


def shaken_hands(pair: Path, client: ssl.SSLContext) -> ssl.SSLError | None:
    """Returns why the client does not take the server, None where it does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="meet.example")
    far = context.wrap_bio(to_server, to_client, server_side=True)
    left = [near, far]
    for _ in range(20):
        for side in list(left):
            try:
                side.do_handshake()
                left.remove(side)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return error
    assert left == []
    return None


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_authority_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        keep_authority(tmp_path, now=NOW)
    assert str(tmp_path / FILE) in caught.value.message
    assert caught.value.hint is not None and caught.value.hint.startswith(f"remove {tmp_path / FILE}")


def test_one_that_has_run_out_says_so(tmp_path: Path) -> None:
    keep_authority(tmp_path, now=NOW)
    with pytest.raises(SettingsError, match="ran out on 2036-02-"):
        keep_authority(tmp_path, now=NOW + timedelta(days=3651))


def test_two_of_them_are_told_apart(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = (keep_authority(tmp_path / name, now=NOW) for name in ("one", "other"))
    assert one.certificate.subject != other.certificate.subject
    assert isinstance(one.key, ec.EllipticCurvePrivateKey)
