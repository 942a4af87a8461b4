"""What operators may say to masters and workers, and what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.acceptance.cluster.commands import EXPERIMENT, Started, make_store, mode_of, one_screen

from morphml.cli import submitting

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Started]


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "listen",
    [
        "0.0.0.0:0",
        # Each starts a master, and what is judged is judged of all of them without one elsewhere.
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("[::]:50051", "192.0.2.7:1")),
    ],
)
def test_no_token_is_for_loopback_only(typed: Run, tmp_path: Path, listen: str) -> None:
    done = typed("master", "--storage", "a.db", "--listen", listen, "--no-token")
    assert done.returncode == 2
    assert "--no-token works only on a loopback address" in one_screen(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("master", "--storage", "a.db", "--tls-cert", "x"),
            "--tls-cert and --tls-key go together",
        ),
        (("master", "--storage", "a.db", "--tls-client-ca", "x"), "goes with --tls-cert"),
        (
            ("master", "--storage", "a.db", "--token-file", "x", "--no-token"),
            "give one of them",
        ),
        (("master", "--storage", "a.db", "--listen", "nowhere:port"), "port must be a number"),
        (("worker", "--master", "a"), "there is no token file"),
        (("worker", "--master", "a b", "--no-token"), "is no address"),
        (("worker", "--master", ",", "--no-token"), "at least one address"),
        (("worker", "--master", "a", "--no-token", "--offer", "gpu"), "such as gpu=1"),
        (("worker", "--master", "a", "--no-token", "--tls-cert", "x"), "go together"),
        (("worker", "--master", "a", "--no-token", "--tls-ca", "no.pem"), "no.pem cannot be read"),
        (("submit", "experiment.yaml"), "experiment.yaml"),
    ],
)
def test_options_that_cannot_work_are_told(
    typed: Run, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = typed(*arguments)
    assert done.returncode == 2
    assert words in one_screen(done)
    assert not (tmp_path / "a.db").exists()


def test_submit_wants_a_shared_store(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    done = typed("submit", "experiment.yaml")
    assert done.returncode == 2
    assert "--storage postgresql://" in one_screen(done)


def test_strict_submit_is_refused_where_no_worker_can_run_it(typed: Run, tmp_path: Path) -> None:
    needy = f"{EXPERIMENT}resources: {{gpu: 2}}\n"
    (tmp_path / "experiment.yaml").write_text(needy, encoding="utf-8")
    (tmp_path / "scoring.py").write_text("def evaluate(arch, trial):\n    return 1.0\n")
    make_store(tmp_path)
    submit = ("submit", "experiment.yaml", "--storage", "a.db")
    done = typed(*submit, "--strict")
    assert done.returncode == 2
    assert "which need gpu 2: there is no worker; start such a worker first" in one_screen(done)
    assert (
        json.loads(typed("status", "a.db", "--json").stdout)["experiments"][0]["state"] == "created"
    )
    done = typed(*submit, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["waits_for"] == ["there is no worker"]


def test_worker_is_told_of_gpus_that_are_not_there(typed: Run) -> None:
    done = typed("worker", "--master", "a", "--no-token", "--gpus", "97")
    assert done.returncode == 2
    assert "got '97', and this process may use" in one_screen(done)


def test_status_of_a_store_that_is_not_there_makes_none(typed: Run, tmp_path: Path) -> None:
    done = typed("status", "absent.db")
    assert done.returncode == 3
    assert "absent.db" in one_screen(done)
    assert list(tmp_path.iterdir()) == []


def test_submit_to_a_store_that_is_not_there_makes_none(
    typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for ever: no master serves a file that nobody made."""
    monkeypatch.setattr(submitting, "MADE_WITHIN_S", 0.2)
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "scoring.py").write_text("def evaluate(arch, trial):\n    return 1.0\n")
    done = typed("submit", "experiment.yaml", "--storage", "absent.db")
    assert done.returncode == 3
    assert "absent.db: there is no store" in one_screen(done)
    assert "morphml master --storage absent.db" in one_screen(done)
    assert not list(tmp_path.glob("absent*"))


# --- certificates and tokens ---------------------------------------------------------------------


def test_certs_are_made_once_and_for_their_owner_only(typed: Run, tmp_path: Path) -> None:
    done = typed("certs", "certs", "--host", "a.example", "--host", "10.0.0.5", "--json")
    assert done.returncode == 0, done.stderr
    written = [tmp_path / name for name in json.loads(done.stdout)["written"]]
    assert {path.name for path in written} == {
        *("ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key")
    }
    assert {mode_of(path) for path in written} == {0o600}
    before = [path.read_bytes() for path in written]
    again = typed("certs", "certs")
    assert again.returncode == 2
    assert "is there already" in one_screen(again)
    assert [path.read_bytes() for path in written] == before


def test_tokens_are_made_and_copied_and_never_shown(typed: Run, tmp_path: Path) -> None:
    first = typed("tokens")
    assert first.returncode == 0, first.stderr
    path = tmp_path / "config" / "morphml" / "tokens.json"
    assert mode_of(path) == 0o600
    secrets = json.loads(path.read_text(encoding="utf-8"))
    copied = typed("tokens", "copy.json", "--scope", "worker", "--scope", "submit", "--json")
    assert json.loads(copied.stdout)["copied"] == ["worker", "submit"]
    copy = json.loads((tmp_path / "copy.json").read_text(encoding="utf-8"))
    assert copy["worker"] == secrets["worker"]
    assert copy["admin"].startswith("sha256:")
    assert mode_of(tmp_path / "copy.json") == 0o600
    assert typed("tokens", "copy.json").returncode == 2
    assert typed("tokens", "copy.json", "--replace").returncode == 0
    said = first.stdout + first.stderr + copied.stdout + copied.stderr
    assert not [secret for secret in secrets.values() if secret in said]


def test_a_token_file_open_to_others_stops_a_master(typed: Run, tmp_path: Path) -> None:
    assert typed("tokens", "--token-file", "t.json").returncode == 0
    (tmp_path / "t.json").chmod(0o644)
    done = typed("master", "--storage", "a.db", "--token-file", "t.json")
    assert done.returncode == 2
    assert "chmod 600" in one_screen(done)
    assert not (tmp_path / "a.db").exists()
