"""Certificates to try TLS with: an own authority, a server's and a client's certificate."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from morphml.engines.remote.access.private_files import write_private
from morphml.errors import AccessError

#: Names of the files in the folder.
CA, CA_KEY = "ca.pem", "ca.key"
SERVER, SERVER_KEY = "server.pem", "server.key"
CLIENT, CLIENT_KEY = "client.pem", "client.key"
#: Certificates begin this much before now: clocks of machines differ.
EARLIER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        """The private key in PEM, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def make_certificates(
    folder: Path, *, hosts: Sequence[str], days: int, now: datetime
) -> tuple[Path, ...]:
    """Write an authority, a server's and a client's certificate with their keys into ``folder``.

    All files are made with mode 0600. Keys are on the curve P-256.

    Args:
        folder: made with mode 0700 where it is not there.
        hosts: names and addresses under which workers reach the master.
        days: how long they are valid.
        now: the hour, with its zone.

    Returns:
        the files, certificate before key.

    Raises:
        AccessError: when one of the files is there already (nothing is written then), or cannot be
            written, or a host is no name.
    """
    names = (CA, CA_KEY, SERVER, SERVER_KEY, CLIENT, CLIENT_KEY)
    files = tuple(folder / name for name in names)
    for file in files:
        if file.exists():
            raise AccessError(
                f"{file} is there already and not replaced: choose another folder, or remove it",
                file=file,
            )
    period = (now - EARLIER, now + timedelta(days=days))
    authority = issue_authority(period)
    server = issue(authority, "morphml master", period, hosts=hosts)
    client = issue(authority, "morphml worker", period)
    parts = (authority, server, client)
    data = [text for part in parts for text in (part.pem(), part.key_pem())]
    for file, text in zip(files, data, strict=True):
        write_private(file, text, replace=False)
    return files


def issue_authority(period: tuple[datetime, datetime]) -> Issued:
    """A new authority, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("MorphML test authority")
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key, period)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Issued(certificate=certificate, key=key)


def issue(
    authority: Issued,
    common_name: str,
    period: tuple[datetime, datetime],
    *,
    hosts: Sequence[str] = (),
) -> Issued:
    """A certificate signed by ``authority``: a server's when it names hosts, else a client's.

    Raises:
        AccessError: when a host is neither a name nor an address.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    signer = authority.certificate
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(_name(common_name), signer.subject, key, period)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(identifier, critical=False)
    )
    if hosts:
        names = x509.SubjectAlternativeName([general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return Issued(certificate=builder.sign(authority.key, hashes.SHA256()), key=key)


def general_name(host: str) -> x509.GeneralName:
    """``host`` as an address or a DNS name of a certificate.

    Raises:
        AccessError: when it is neither.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass  # a name, then
    try:
        if not host or any(character in host for character in " :/"):
            raise ValueError(host)
        return x509.DNSName(host)
    except ValueError:
        raise AccessError(f"{host!r} is neither a host name nor an address") from None


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    period: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(period[0])
        .not_valid_after(period[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
