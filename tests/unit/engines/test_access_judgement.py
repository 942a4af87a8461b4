"""Who may call what, decided without a server."""

from __future__ import annotations

import doctest
import json
from itertools import product
from pathlib import Path

import grpc
import pytest

from morphml.engines.remote.access import METHOD_SCOPES, Endpoint, Scope, endpoints, parse_endpoint
from morphml.engines.remote.access.interceptor import host_of, judge
from morphml.engines.remote.access.tokens import Tokens, fresh_tokens, parse_tokens
from morphml.errors import CallerError

FILE = Path("tokens.json")
UNKNOWN = "/morphml.worker.v1.MasterService/Unknown"


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return parse_tokens(fresh_tokens().encode(), FILE)


@pytest.mark.parametrize(("method", "held"), [*product([*METHOD_SCOPES, UNKNOWN], [None, *Scope])])
def test_a_call_is_let_in_by_its_scope_or_admin_and_by_nothing_else(
    tokens: Tokens, method: str, held: Scope | None
) -> None:
    needed = METHOD_SCOPES.get(method, Scope.ADMIN)
    refusal = judge(tokens, method, None if held is None else tokens.secret(held))
    if needed is None or held in (needed, Scope.ADMIN):
        assert refusal is None
    elif held is None:
        assert refusal is not None
        assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    else:
        assert refusal is not None
        assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
        assert needed in refusal.message


@pytest.mark.parametrize("change", [0, 20, 42])
def test_a_secret_with_one_wrong_letter_is_no_secret(tokens: Tokens, change: int) -> None:
    secret = tokens.secret(Scope.WORKER)
    other = "A" if secret[change] != "A" else "B"
    wrong = secret[:change] + other + secret[change + 1 :]
    assert tokens.scope_of(wrong) is None
    assert tokens.scope_of(secret) is Scope.WORKER
    assert tokens.scope_of("") is None
    assert tokens.scope_of("\udcff") is None


def test_a_fingerprint_judges_and_opens_nothing(tokens: Tokens) -> None:
    copy = parse_tokens(tokens.text([Scope.WORKER]).encode(), FILE)
    assert copy.scope_of(tokens.secret(Scope.ADMIN)) is Scope.ADMIN
    shown = json.loads(tokens.text([Scope.WORKER]))["admin"]
    assert copy.scope_of(shown) is None
    assert tokens.scope_of(shown) is None


def test_tokens_are_never_the_same_twice() -> None:
    made = [json.loads(fresh_tokens()) for _ in range(100)]
    assert len({each[scope] for each in made for scope in Scope}) == 300


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:10.0.0.7:53422", "10.0.0.7"),
        ("ipv6:%5B::1%5D:443", "::1"),
        ("ipv6:[fe80::1%eth0]:443", "fe80::1%eth0"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
        ("", ""),
    ],
)
def test_a_peer_is_known_by_its_host(peer: str, host: str) -> None:
    assert host_of(peer) == host


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("a", "a", 50051),
        (" a:1 ", "a", 1),
        ("10.0.0.5:65535", "10.0.0.5", 65535),
        ("[::1]:7", "::1", 7),
        ("[::1]", "::1", 50051),
        ("::1", "::1", 50051),
        ("0.0.0.0:0", "0.0.0.0", 0),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int) -> None:
    assert parse_endpoint(text) == Endpoint(host=host, port=port)
    assert parse_endpoint(str(parse_endpoint(text))) == parse_endpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "a:",
        "a:x",
        "a:-1",
        "a:65536",
        "a:１",
        "http://a:1",
        "a b:1",
        "u@a:1",
        "a,b",
        "a:b:1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match=r"address|port"):
        parse_endpoint(text)


def test_an_address_without_port_is_refused_where_there_must_be_one() -> None:
    with pytest.raises(CallerError, match="host:port is expected"):
        parse_endpoint("a", default_port=None)


def test_doctests_hold() -> None:
    assert doctest.testmod(endpoints).failed == 0
