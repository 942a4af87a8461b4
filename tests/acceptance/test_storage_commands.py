"""``morphml storage``, as an operator types it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from morphml.search.experiment import ExperimentState
from morphml.storage import open_store
from morphml.testing.postgres import PrivateServer
from morphml.testing.store_contract import DriverScript, sample_spec

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A store of ten trials that nobody drives, with a file beside it."""
    path = tmp_path / "search.db"
    with contextlib.closing(open_store(path)) as store:
        script = DriverScript(
            store, store.create_experiment(sample_spec()), store.open_session("one")
        )
        for handed in script.ask(10):
            script.tell(handed)
        script.finish(ExperimentState.COMPLETED)
        store.close_session(script.right.session)
        folder = tmp_path / "search.artifacts" / script.right.experiment
    folder.mkdir(parents=True)
    (folder / "evaluator.bin").write_bytes(b"by value")
    return str(path)


def test_store_is_copied_to_a_server_and_back(
    morphml: Run,
    place: str,
    postgres_server: PrivateServer,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    environment["MORPHML_ARTIFACTS"] = str(tmp_path / "files")
    url = postgres_server.new_database()
    secret = url.replace("postgres@", "postgres:hidden@")
    migrated = morphml("storage", "migrate", secret)
    assert migrated.returncode == 0, migrated.stderr
    assert "was empty" in migrated.stdout
    copied = morphml("storage", "copy", place, secret, "--json")
    assert copied.returncode == 0, copied.stderr
    document = json.loads(copied.stdout)
    assert document["rows"]["trials"] == 10
    assert document["files"] == 1
    for stranger in (".morphml-folder", "of-another-database/output/000000.log"):
        (tmp_path / "files" / stranger).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / stranger).write_text("not of this store")
    back = morphml("storage", "copy", secret, "back.db")
    assert back.returncode == 0, back.stderr
    assert "trials" in back.stdout
    assert "hidden" not in migrated.stdout + copied.stdout + back.stdout
    (kept,) = (each for each in (tmp_path / "back.artifacts").rglob("*") if each.is_file())
    assert kept.read_bytes() == b"by value"
    with (
        contextlib.closing(open_store(place)) as one,
        contextlib.closing(open_store(tmp_path / "back.db")) as two,
    ):
        assert one.experiments() == two.experiments()


@pytest.mark.slow
def test_copy_into_a_store_that_is_in_use_is_refused(morphml: Run, place: str) -> None:
    assert morphml("storage", "copy", place, "other.db").returncode == 0
    refused = morphml("storage", "copy", place, "other.db")
    assert refused.returncode == 3
    assert "not empty" in refused.stderr
    as_json = morphml("storage", "copy", "nowhere.db", "other.db", "--json")
    assert as_json.returncode == 3
    assert "no such file" in json.loads(as_json.stdout)["error"]


def test_check_tells_what_is_wrong_by_its_exit_status(morphml: Run, place: str) -> None:
    sound = morphml("storage", "check", place)
    assert (sound.returncode, "nothing is wrong" in sound.stdout) == (0, True)
    with contextlib.closing(sqlite3.connect(place)) as file, file:
        file.execute("DELETE FROM log WHERE seq = 5")
    damaged = morphml("storage", "check", place, "--json")
    assert damaged.returncode == 1
    (finding,) = json.loads(damaged.stdout)
    assert finding["check"] == "log"


def test_prune_leaves_what_an_experiment_may_still_need(morphml: Run, place: str) -> None:
    data = b"code that nobody names any more"
    with contextlib.closing(open_store(place)) as store:
        store.bundles.put(hashlib.sha256(data).hexdigest(), [data])
    young = morphml("storage", "prune", place, "--json")
    assert json.loads(young.stdout) == {"store": place, "bundles": 0, "bytes": 0}, young.stderr
    with contextlib.closing(sqlite3.connect(place)) as connection:
        connection.execute("UPDATE bundles SET created_at = created_at - 4000")
        connection.commit()
    old = morphml("storage", "prune", place)
    assert f"1 bundles with {len(data)} bytes" in old.stdout, old.stderr


def test_migrate_of_a_current_store_has_nothing_to_do(morphml: Run, place: str) -> None:
    done = morphml("storage", "migrate", place)
    assert done.returncode == 0
    assert "nothing to do" in done.stdout
    missing = morphml("storage", "migrate", "nowhere.db")
    assert missing.returncode == 3


@pytest.mark.parametrize("command", ["migrate", "copy", "check"])
def test_help_shows_examples(morphml: Run, command: str) -> None:
    shown = morphml("storage", command, "--help")
    assert shown.returncode == 0
    assert f"$ morphml storage {command}" in shown.stdout
