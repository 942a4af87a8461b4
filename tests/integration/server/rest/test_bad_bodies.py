"""Bodies that make no sense: told, never a fault, and nothing of them is stored."""

from __future__ import annotations

import random
from pathlib import Path

import orjson
import pytest
from tests.integration.server.rest.conftest import Served, serving

API = "/api/distributed"
JSON = {"content-type": "application/json"}
#: Where bodies go, with one that is right.
PLACES = {
    f"{API}/workers/register": {
        "workerId": "w",
        "capabilities": ["a"],
        "metadata": {"cpuCores": 8},
    },
    f"{API}/workers/w/heartbeat": {"currentLoad": 1, "incarnation": 1, "attempts": ["0" * 32]},
    f"{API}/workers/w/lease": {"limit": 1},
    f"{API}/workers/w/results": {"taskId": "x1-0-0", "attemptId": "0" * 32, "status": "failed"},
    f"{API}/workers/w/logs": {
        "taskId": "x1-0-0",
        "attemptId": "0" * 32,
        "output": [{"stream": "stdout", "text": "x"}],
    },
    f"{API}/workers/w/reports": {
        "taskId": "x1-0-0",
        "attemptId": "0" * 32,
        "step": 1,
        "metrics": {"loss": 1.0},
    },
    f"{API}/execute": {
        "workflowId": "w",
        "jobs": [{"id": "a", "type": "python", "config": {"x": "${b.y}"}, "dependsOn": ["b"]}],
    },
    f"{API}/queue/limit": {"rate": 5},
    f"{API}/queue/clean": {"olderThan": 5},
    f"{API}/execute/x1/retry": {"jobId": "a"},
    "/api/v1/experiments": {"space": "SearchSpace()", "evaluator": "a:b", "trials": 3},
    "/api/v1/spaces/validate": {"space": "SearchSpace("},
}
ODD = (
    *(None, True, 0, -1, 2**63, 2**70, 1e308, 1e-320, "", "x" * 300, "\x00", "\u202e", "${"),
    *("a:b", "../..", "'; DROP TABLE jobs", [], {}, [[]], {"": None}, [1] * 50, {"a": {"b": [{}]}}),
)


def bad_bodies(seed: int, count: int) -> list[tuple[str, bytes]]:
    """Places, and bodies of which no one is right there: broken text, or values exchanged."""
    chance = random.Random(seed)
    found: list[tuple[str, bytes]] = []
    while len(found) < count:
        path, right = chance.choice(list(PLACES.items()))
        if chance.random() < 0.3:
            body = broken_text(chance, orjson.dumps(right))
            if is_json(body):
                continue  # by chance it is right
        else:
            body = orjson.dumps(mangled(chance, right), option=orjson.OPT_NON_STR_KEYS, default=str)
        found.append((path, body))
    return found


def is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def broken_text(chance: random.Random, body: bytes) -> bytes:
    """A JSON text with bytes lost, exchanged or added: no JSON but by chance."""
    cut = chance.randrange(1, len(body))
    return chance.choice(
        (
            body[:cut],
            body[:cut] + bytes([chance.randrange(256)]) + body[cut:],
            b"[" * chance.choice((10, 2_000, 100_000)),
            b'{"a":"\\ud800"}',
            b"NaN",
            b"\xff\xfe" + body,
            chance.randbytes(chance.randrange(1, 200)),
        )
    )


def mangled(chance: random.Random, value: object) -> object:
    """The same with odd values in some places, and an unknown key in any case."""
    changed = exchanged(chance, value)
    return {**changed, f"odd{chance.random()}": 1} if isinstance(changed, dict) else changed


def exchanged(chance: random.Random, value: object) -> object:
    if chance.random() < 0.3:
        odd = chance.choice(ODD)
        return str(odd) if isinstance(odd, int) and odd > 2**64 else odd
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if chance.random() < 0.9}
        return {key: exchanged(chance, each) for key, each in kept.items()}
    return [exchanged(chance, each) for each in value] if isinstance(value, list) else value


def check_refused(served: Served, seed: int, count: int) -> None:
    for path, body in bad_bodies(seed, count):
        answer = served.ask.post(path, content=body, headers=JSON)
        told = (path, body[:300], answer.status_code, answer.text[:300])
        # A body that asks for nothing may be right: what it asks for has defaults.
        assert answer.status_code < 500, told
        if answer.is_success:
            assert path.endswith(("/clean", "/validate")), told
        else:
            assert answer.headers["content-type"] == "application/problem+json", told
            assert answer.json()["status"] == answer.status_code, told
    assert served.seen(f"{API}/workers")["total"] == 0
    assert served.seen(f"{API}/execute")["executions"] == []
    assert served.seen("/api/v1/experiments")["experiments"] == []
    stats = served.seen(f"{API}/queue/stats")
    assert (stats["rate"], stats["paused"], stats["draining"]) == (None, False, False)


def test_bad_bodies_are_refused_and_nothing_of_them_is_stored(served: Served) -> None:
    check_refused(served, 1, 1_000)


def test_yaml_that_json_cannot_say_is_refused(served: Served) -> None:
    job = "{id: a, type: python, config: {n: %s}}"
    headers = {"content-type": "application/yaml"}
    for value in ("9" * 100, '"\\ud800"', "*x", "!!python/name:os.system"):
        body = f"workflowId: w\njobs:\n  - {job % value}\n"
        answer = served.ask.post(f"{API}/execute", content=body.encode(), headers=headers)
        assert answer.status_code == 422, (value, answer.text)
    assert served.seen(f"{API}/execute")["executions"] == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_bad_bodies_are_refused(tmp_path: Path) -> None:
    with serving(str(tmp_path / "a.db")) as served:
        check_refused(served, 2, 10_000)
