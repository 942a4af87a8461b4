"""Certificates as Ray wants them: one pair that serves and dials, from an authority of its own."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


def tls_variables(folder: Path, *addresses: str) -> dict[str, str]:
    """Ray's own settings, for files that are made in the folder."""
    folder.mkdir()
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _named("authority", authority_key, "authority", authority_key)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
    alternatives = x509.SubjectAlternativeName([x509.DNSName("localhost"), *names])
    certificate = _named("ray", key, "authority", authority_key, alternatives)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    files = {
        "RAY_TLS_CA_CERT": authority.public_bytes(serialization.Encoding.PEM),
        "RAY_TLS_SERVER_CERT": certificate.public_bytes(serialization.Encoding.PEM),
        "RAY_TLS_SERVER_KEY": secret,
    }
    for name, content in files.items():
        (folder / f"{name}.pem").write_bytes(content)
    return {"RAY_USE_TLS": "1", **{name: str(folder / f"{name}.pem") for name in files}}


def _named(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
