"""TLS between real servers and clients: what connects, and what those who do not are told."""

from __future__ import annotations

import asyncio
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from tests.integration.engines.remote.access_servers import (
    bearing,
    beat,
    calling,
    certificates,
    guarded,
    pair,
    refused,
    serving,
)
from tests.integration.engines.remote.listeners import listening

from morphml.clock import SystemClock
from morphml.engines.remote.access import (
    Cause,
    ClientAccess,
    ClientTls,
    KeyPair,
    ServerAccess,
    ServerTls,
    guarded_by,
)
from morphml.engines.remote.access.certificates import make_certificates
from morphml.errors import AccessError


class ClockAt:
    """A clock that is ``days`` away from now: lets a server start with an expired certificate."""

    def __init__(self, days: float) -> None:
        self._days = days

    def now(self) -> float:
        return time.time() + 86400 * self._days

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("ours") / "certs")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of another authority."""
    return certificates(tmp_path_factory.mktemp("others") / "certs")


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("expired") / "certs", age_days=30)


def secure(folder: Path, *, client_ca: Path | None = None, days: float = 0) -> ServerAccess:
    tls = ServerTls(pair=pair(folder, "server"), client_ca=client_ca)
    return guarded_by(None, tls, ClockAt(days))


def trusting(folder: Path, client: Path | None = None, *, days: float = 0) -> ClientAccess:
    tls = ClientTls(ca=folder / "ca.pem", pair=None if client is None else pair(client, "client"))
    return ClientAccess(credentials=tls.credentials(ClockAt(days)), tls=tls)


def told(server: ServerAccess, client: ClientAccess, *, name: str = "127.0.0.1") -> str:
    """What a client that is not let in is told; nothing has reached the servicer."""

    async def run() -> str:
        async with serving(server) as running:
            target = f"{name}:{running.port}"
            async with calling(client, target) as channel:
                problem = await client.problem(await refused(beat(channel)), target)
            assert problem.cause is Cause.TLS, problem
            assert dict(running.calls) == {}
            return problem.message

    message = asyncio.run(run())
    assert "\n" not in message
    return message


def let_in(server: ServerAccess, client: ClientAccess, *, name: str = "127.0.0.1") -> bool:
    async def run() -> bool:
        async with serving(server) as running, calling(client, f"{name}:{running.port}") as channel:
            await beat(channel)
            return running.calls["Heartbeat"] == 1

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_client_that_knows_the_authority_is_let_in(ours: Path, name: str) -> None:
    assert let_in(secure(ours), trusting(ours), name=name)


def test_mutual_tls_lets_in_who_has_a_certificate(ours: Path) -> None:
    assert let_in(secure(ours, client_ca=ours / "ca.pem"), trusting(ours, ours))


def test_mutual_tls_says_that_a_certificate_is_wanted(ours: Path) -> None:
    message = told(secure(ours, client_ca=ours / "ca.pem"), trusting(ours))
    assert "wants a certificate of this side" in message
    assert "--tls-cert" in message


def test_mutual_tls_refuses_a_certificate_of_another_authority(ours: Path, others: Path) -> None:
    message = told(secure(ours, client_ca=ours / "ca.pem"), trusting(ours, others))
    assert f"does not accept certificate {others / 'client.pem'}" in message


def test_mutual_tls_refuses_an_expired_certificate(ours: Path, expired: Path) -> None:
    authority = (expired / "ca.pem").read_bytes()
    own = [pair(ours, "server").load(SystemClock())]
    server = grpc.ssl_server_credentials(own, authority, require_client_auth=True)
    tls = ClientTls(ca=ours / "ca.pem", pair=pair(expired, "client"))
    with pytest.raises(AccessError, match="expired on"):
        tls.credentials(SystemClock())  # this side sees it before it dials
    key, chain = pair(expired, "client").load(ClockAt(-29))
    client = grpc.ssl_channel_credentials((ours / "ca.pem").read_bytes(), key, chain)
    message = told(ServerAccess(credentials=server), ClientAccess(credentials=client, tls=tls))
    assert "does not accept certificate" in message
    assert "expired" in message


def test_an_authority_that_expired_is_named_before_anybody_connects(
    ours: Path, expired: Path, tmp_path: Path
) -> None:
    old = expired / "ca.pem"
    with pytest.raises(AccessError, match="expired on"):
        ClientTls(ca=old).credentials(SystemClock())
    with pytest.raises(AccessError, match="expired on"):
        secure(ours, client_ca=old)
    both = tmp_path / "both.pem"
    both.write_bytes(old.read_bytes() + (ours / "ca.pem").read_bytes())
    ClientTls(ca=both).credentials(SystemClock())


def test_an_expired_server_certificate_is_told(expired: Path) -> None:
    message = told(secure(expired, days=-29), trusting(expired, days=-29))
    assert "has expired: give the master a new one" in message


def test_a_server_of_another_authority_is_told(ours: Path, others: Path) -> None:
    message = told(secure(others), trusting(ours))
    assert f"not signed by {ours / 'ca.pem'}" in message
    assert "--tls-ca" in message


def test_a_server_under_another_name_is_told(tmp_path: Path) -> None:
    elsewhere = certificates(tmp_path / "certs", hosts=("elsewhere.example",))
    message = told(secure(elsewhere), trusting(elsewhere))
    assert "is for another host" in message
    tls = ClientTls(ca=elsewhere / "ca.pem", server_name="elsewhere.example")
    named = ClientAccess(credentials=tls.credentials(SystemClock()), tls=tls)
    assert let_in(secure(elsewhere), named)


def test_a_plaintext_client_at_a_tls_port_is_told(ours: Path) -> None:
    message = told(secure(ours), ClientAccess())
    assert "speaks TLS, this side does not: give --tls-ca" in message


def test_a_plaintext_client_where_certificates_are_wanted_is_told(ours: Path) -> None:
    message = told(secure(ours, client_ca=ours / "ca.pem"), ClientAccess())
    assert "speaks TLS and wants a certificate, this side does not: give --tls-ca" in message
    assert "--tls-cert and --tls-key" in message


def test_a_tls_client_at_a_plaintext_port_is_told(ours: Path) -> None:
    assert "does not speak TLS" in told(ServerAccess(), trusting(ours))


@pytest.mark.parametrize("client", [ClientAccess(), "trusting"])
def test_nobody_there_is_no_matter_of_tls(ours: Path, client: ClientAccess | str) -> None:
    access = trusting(ours) if client == "trusting" else client
    assert isinstance(access, ClientAccess)

    async def run() -> str:
        async with calling(access, "127.0.0.1:1") as channel:
            problem = await access.problem(await refused(beat(channel)), "127.0.0.1:1")
        assert problem.cause is Cause.UNREACHABLE
        return problem.message

    message = asyncio.run(run())
    assert "127.0.0.1:1 is not reached" in message
    assert "Connection refused" in message


def test_a_server_that_hangs_up_is_no_matter_of_tls() -> None:
    """A port of something else that closes what it does not understand."""

    async def run() -> Cause:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.close()

        async with listening(hang_up) as port:
            target = f"127.0.0.1:{port}"
            access = ClientAccess()
            async with calling(access, target) as channel:
                return (await access.problem(await refused(beat(channel)), target)).cause

    assert asyncio.run(run()) is Cause.UNREACHABLE


def test_tls_and_token_are_both_needed(ours: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.json"
    tls = ClientTls(ca=ours / "ca.pem")

    def server() -> ServerAccess:
        return guarded(tokens, ServerTls(pair=pair(ours, "server")))

    assert let_in(server(), bearing(tokens, tls))

    async def run() -> grpc.StatusCode:
        access = bearing(None, tls)
        async with serving(server()) as running, calling(access, running.target) as channel:
            return (await refused(beat(channel))).code()

    assert asyncio.run(run()) is grpc.StatusCode.UNAUTHENTICATED


# --- files ---------------------------------------------------------------------------------------


def test_keys_and_certificates_are_for_their_owner_only(ours: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in ours.iterdir()}
    assert modes == dict.fromkeys(
        ("ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key"), 0o600
    )
    assert stat.S_IMODE(ours.stat().st_mode) == 0o700


def test_certificates_that_are_there_are_not_replaced(ours: Path) -> None:
    before = {path: path.read_bytes() for path in ours.iterdir()}
    with pytest.raises(AccessError, match="is there already"):
        certificates(ours)
    assert {path: path.read_bytes() for path in ours.iterdir()} == before


@pytest.mark.parametrize("host", ["", "a b", "https://host", "host:50051"])
def test_a_host_that_is_none_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(AccessError, match="neither a host name nor an address"):
        make_certificates(tmp_path / "c", hosts=[host], days=1, now=datetime.now(UTC))
    assert not (tmp_path / "c").exists()


def test_files_that_do_not_fit_are_named_before_anybody_connects(
    ours: Path, others: Path, expired: Path, tmp_path: Path
) -> None:
    clock = SystemClock()
    mixed = KeyPair(certificate=ours / "server.pem", key=others / "server.key")
    text = tmp_path / "text.pem"
    text.write_text("hello")
    text.chmod(0o600)
    open_key = tmp_path / "open.key"
    open_key.write_bytes((ours / "server.key").read_bytes())
    open_key.chmod(0o644)
    for made, words in (
        (mixed, "does not belong to certificate"),
        (pair(expired, "server"), "expired on"),
        (KeyPair(certificate=text, key=text), "holds no PEM certificate"),
        (KeyPair(certificate=ours / "server.pem", key=text), "cannot be read"),
        (KeyPair(certificate=ours / "server.pem", key=tmp_path / "no"), "there is no private key"),
        (KeyPair(certificate=tmp_path / "no", key=text), "cannot be read: No such file"),
        (KeyPair(certificate=ours / "server.pem", key=open_key), "chmod 600"),
    ):
        with pytest.raises(AccessError, match=words):
            made.load(clock)
