"""Who is let in, by headers alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from morphml.engines.remote.access import Scope
from morphml.engines.remote.access.tokens import fresh_tokens, parse_tokens
from morphml.server.rest.door import Door

JSON = {"content-type": "application/json", "content-length": "2"}


def door(*names: str, local: bool = True, tokens: object = None) -> Door:
    return Door(names=frozenset(names), local=local, tokens=tokens)


def status(found: object) -> int | None:
    return None if found is None else found.status


@pytest.mark.parametrize(
    ("host", "local", "expected"),
    [
        ("localhost:3000", True, None),
        ("127.0.0.1:3000", True, None),
        ("[::1]:3000", True, None),
        ("LOCALHOST", True, None),
        ("evil.example", True, 421),
        ("127.0.0.1.evil.example:3000", True, 421),
        ("10.0.0.5:3000", True, 421),
        ("", True, 421),
        ("10.0.0.5:3000", False, None),
        ("master.example:3000", False, None),
        ("evil.example:3000", False, 421),
    ],
)
def test_host_must_be_one_that_the_server_is_called_by(
    host: str, local: bool, expected: int | None
) -> None:
    found = door("master.example", local=local).refusal("GET", "http", {"host": host})
    assert status(found) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"origin": "http://localhost:3000"}, None),
        ({"origin": "https://localhost:3000"}, 403),
        ({"origin": "http://localhost:3001"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://[broken"}, 403),
        ({"sec-fetch-site": "same-origin"}, None),
        ({"sec-fetch-site": "none"}, None),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_page_of_another_origin_is_refused(headers: dict[str, str], expected: int | None) -> None:
    for method in ("GET", "POST", "DELETE"):
        given = {"host": "localhost:3000", **JSON, **headers}
        assert status(door().refusal(method, "http", given)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (JSON, None),
        ({"content-type": "application/json; charset=utf-8", "content-length": "2"}, None),
        ({"content-type": "application/yaml", "content-length": "2"}, None),
        ({"content-length": "2"}, 415),
        ({"transfer-encoding": "chunked"}, 415),
        ({"content-type": "text/plain", "content-length": "2"}, 415),
        ({"content-type": "application/x-www-form-urlencoded", "content-length": "2"}, 415),
        ({"content-type": "multipart/form-data"}, 415),
        ({}, None),
        ({"content-length": "0"}, None),
    ],
)
def test_body_must_say_that_it_is_json_or_yaml(
    headers: dict[str, str], expected: int | None
) -> None:
    given = {"host": "localhost", **headers}
    assert status(door().refusal("POST", "http", given)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-type": "application/octet-stream", "content-length": "5000000"}, None),
        ({"content-length": "5000000"}, None),
        ({"transfer-encoding": "chunked"}, None),
        ({"content-length": str((64 << 30) + 1)}, 413),
        ({"content-length": "9" * 40}, 413),
        ({"content-type": "text/plain", "content-length": "2"}, 415),
        ({"content-type": "application/json", "content-length": "2"}, 415),
        ({"origin": "http://evil.example", "content-length": "2"}, 403),
    ],
)
def test_file_may_be_large_and_is_sent_as_nothing_else(
    headers: dict[str, str], expected: int | None
) -> None:
    given = {"host": "localhost", **headers}
    assert status(door().refusal("PUT", "http", given)) == expected
    if expected is None:
        assert status(door().refusal("POST", "http", given)) in (413, 415)


def test_token_may_do_what_its_scope_allows() -> None:
    tokens = parse_tokens(fresh_tokens().encode(), Path("tokens.json"))
    guarded = door(tokens=tokens)
    allowed = {
        (held, needed): guarded.no_right(needed, f"Bearer {tokens.secret(held)}") is None
        for held in Scope
        for needed in Scope
    }
    assert allowed == {
        (held, needed): held in (needed, Scope.ADMIN) for held in Scope for needed in Scope
    }


@pytest.mark.parametrize("given", ["", "Basic abc", "Bearer", "Bearer wrong", "Bearer \udcff"])
def test_request_without_a_right_token_is_not_authorized(given: str) -> None:
    tokens = parse_tokens(fresh_tokens().encode(), Path("tokens.json"))
    assert status(door(tokens=tokens).no_right(Scope.WORKER, given)) == 401
    assert door(tokens=tokens).no_right(None, given) is None
    assert door().no_right(Scope.ADMIN, given) is None
