"""PEM files of certificates and keys, checked before anybody connects."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from morphml.clock import Clock
from morphml.engines.remote.access.private_files import read_private
from morphml.errors import AccessError


def read_pair(certificate: Path, key: Path, clock: Clock) -> tuple[bytes, bytes]:
    """Key and certificate chain, as gRPC wants them.

    Raises:
        AccessError: when a file is missing or wrong, the key is open to others or of another
            certificate, or the certificate is not valid now.
    """
    chain = read_chain(certificate, clock)
    try:
        text = read_private(key, "private key")
    except FileNotFoundError:
        raise AccessError(f"there is no private key {key}", file=key) from None
    try:
        private = serialization.load_pem_private_key(text, None)
    except (ValueError, TypeError) as error:
        raise AccessError(f"private key {key} cannot be read: {error}", file=key) from error
    if _public(private.public_key()) != _public(_certificates(chain)[0].public_key()):
        raise AccessError(
            f"private key {key} does not belong to certificate {certificate}", file=key
        )
    return text, chain


def read_chain(path: Path, clock: Clock) -> bytes:
    """The text of a PEM file of certificates, the first of which is valid now.

    Raises:
        AccessError: when it is missing, holds no certificate, or the first is not valid now.
    """
    data, certificates = _read(path)
    _check(certificates[0], path, clock)
    return data


def read_authorities(path: Path, clock: Clock) -> bytes:
    """The text of a PEM file of authorities, one of which is valid now.

    Raises:
        AccessError: when it is missing, holds no certificate, or none is valid now.
    """
    data, certificates = _read(path)
    newest = max(certificates, key=lambda certificate: certificate.not_valid_after_utc)
    _check(newest, path, clock)
    return data


def _read(path: Path) -> tuple[bytes, list[x509.Certificate]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AccessError(
            f"certificate {path} cannot be read: {error.strerror}", file=path
        ) from error
    try:
        return data, _certificates(data)
    except ValueError as error:
        raise AccessError(f"{path} holds no PEM certificate: {error}", file=path) from error


def _check(certificate: x509.Certificate, path: Path, clock: Clock) -> None:
    now = datetime.fromtimestamp(clock.now(), UTC)
    if now > certificate.not_valid_after_utc:
        raise AccessError(
            f"certificate {path} expired on {_day(certificate.not_valid_after_utc)}: make a new "
            "one (`morphml certs`, or your own authority)",
            file=path,
        )
    if now < certificate.not_valid_before_utc:
        raise AccessError(
            f"certificate {path} is valid only from {_day(certificate.not_valid_before_utc)}: is "
            "the clock of this machine right?",
            file=path,
        )


def _certificates(data: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(data)


def _public(key: object) -> bytes:
    public = getattr(key, "public_bytes")  # noqa: B009 every kind of public key has it
    encoded: bytes = public(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _day(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC")
