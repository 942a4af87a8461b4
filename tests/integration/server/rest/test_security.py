"""Who is kept out, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.server.rest.conftest import Served, serving

from morphml.engines.remote.access import Scope, TokenFile

API = "/api/distributed"
SHELL = {"workflowId": "w", "jobs": [{"id": "a", "type": "shell", "config": {"command": ["id"]}}]}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_web_page_cannot_run_a_shell_job_though_no_token_is_needed(
    served: Served, headers: dict[str, str], status: int
) -> None:
    answer = served.post(f"{API}/execute", SHELL, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in answer.headers
    assert served.seen(f"{API}/execute")["executions"] == []


def test_browser_that_asks_whether_it_may_is_told_no(served: Served) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = served.ask.request("OPTIONS", f"{API}/execute", headers=asked)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_tokens_open_what_is_theirs_before_a_body_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    tokens = TokenFile(file).ensure()
    with serving(str(tmp_path / "a.db"), token_file=str(file)) as served:

        def status(scope: Scope | None, method: str, path: str, body: bytes = b"{") -> int:
            headers = {"Content-Type": "application/json"}
            if scope is not None:
                headers["Authorization"] = f"Bearer {tokens.secret(scope)}"
            return served.ask.request(method, path, content=body, headers=headers).status_code

        assert status(None, "GET", f"{API}/health", b"") == 200
        assert status(None, "GET", f"{API}/workers", b"") == 401
        # A body that is no JSON is only looked at where the token is right.
        assert status(None, "POST", f"{API}/execute") == 401
        assert status(Scope.WORKER, "POST", f"{API}/execute") == 403
        assert status(Scope.SUBMIT, "POST", f"{API}/execute") == 422
        assert status(Scope.SUBMIT, "POST", f"{API}/queue/pause", b"{}") == 403
        assert status(Scope.ADMIN, "POST", f"{API}/queue/pause", b"{}") == 200
        assert status(Scope.WORKER, "POST", f"{API}/workers/register") == 422
        assert status(Scope.SUBMIT, "POST", f"{API}/workers/register") == 403
        refused = served.ask.get(f"{API}/workers", headers={"Authorization": "Bearer wrong"})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"


def test_body_over_four_megabytes_is_refused(served: Served) -> None:
    headers = {"Content-Type": "application/json"}
    body = b" " * (5 << 20)
    for content in (body, iter([body])):  # told in advance, and found out
        large = served.ask.post(f"{API}/execute", content=content, headers=headers)
        assert large.status_code == 413
        assert large.headers["content-type"] == "application/problem+json"


def test_client_that_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    # One at once and another every 100 s, so that the others are too many however long they take.
    with serving(str(tmp_path / "a.db"), rate=0.01) as served:
        answers = [served.ask.get(f"{API}/workers") for _ in range(10)]
        assert answers[0].is_success
        late = [each for each in answers if each.status_code == 429]
        assert len(late) >= 8
        assert int(late[0].headers["retry-after"]) >= 1
        assert late[0].json()["retryable"] is True
        # Workers are many behind one address, and their silence would be taken for their death.
        body = {"workerId": "w"}
        joined = [served.post(f"{API}/workers/register", body).status_code for _ in range(10)]
        assert joined == [201] * 10
