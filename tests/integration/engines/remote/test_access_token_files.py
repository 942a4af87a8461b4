"""Token files: made once, readable by one user, never shown."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from morphml.engines.remote.access import Scope, TokenFile, Tokens
from morphml.errors import AccessError
from morphml.settings import read_settings

ROOT = os.geteuid() == 0


def secrets_of(path: Path) -> dict[str, str]:
    document: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    assert document.pop("about").startswith("MorphML tokens")
    return document


def test_first_use_makes_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "config" / "morphml" / "tokens.json"
    before = os.umask(0)
    try:
        made = TokenFile(path).ensure()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert made.scopes == (Scope.ADMIN, Scope.SUBMIT, Scope.WORKER)
    assert len(set(secrets_of(path).values())) == 3
    assert all(len(secret) == 43 for secret in secrets_of(path).values())  # 256 bits in base64
    assert [entry.name for entry in path.parent.iterdir()] == ["tokens.json"]
    again = TokenFile(path).ensure()
    assert {s: again.secret(s) for s in Scope} == {s: made.secret(s) for s in Scope}


def make_and_tell(path: Path, barrier: threading.Barrier, found: list[str]) -> None:
    barrier.wait()
    found.append(TokenFile(path).ensure().secret(Scope.WORKER))


def test_many_threads_that_make_the_file_at_once_agree(tmp_path: Path) -> None:
    for turn in range(20):
        path = tmp_path / str(turn) / "tokens.json"
        barrier = threading.Barrier(8)
        found: list[str] = []

        threads = [
            threading.Thread(target=make_and_tell, args=(path, barrier, found)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
        assert len(list(path.parent.iterdir())) == 1


def test_processes_that_make_the_file_at_once_agree(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.stdin.readline();"
        "from morphml.engines.remote.access.tokens import *;"
        "print(TokenFile(Path(sys.argv[1])).ensure().secret(Scope.ADMIN))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "new" / "tokens.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate(timeout=120)[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(said) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tokens.json"
    TokenFile(path).ensure()
    path.chmod(mode)
    with pytest.raises(AccessError) as caught:
        TokenFile(path).read()
    assert f"chmod 600 {path}" in str(caught.value)
    assert caught.value.file == path
    assert not [s for s in secrets_of(path).values() if s in str(caught.value)]
    path.chmod(0o400)
    assert TokenFile(path).read().scopes


@pytest.mark.skipif(not ROOT, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    TokenFile(path).ensure()
    os.chown(path, 12345, -1)
    with pytest.raises(AccessError, match="belongs to user 12345, not to user 0"):
        TokenFile(path).read()


def as_user(number: int, path: Path) -> str:
    """What another user gets when it reads the tokens."""
    code = (
        "import os, sys; from pathlib import Path;"
        "from morphml.engines.remote.access.tokens import *;"
        "from morphml.errors import AccessError\n"
        f"os.setgid({number}); os.setuid({number})\n"
        "try: print(','.join(TokenFile(Path(sys.argv[1])).read().scopes))\n"
        "except AccessError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_a_secret_mounted_by_root_may_be_readable_by_the_group() -> None:
    """As an orchestrator mounts it: owned by root, of the group of the process."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "tokens.json")
        TokenFile(path).ensure()
        os.chown(path, 0, 4321)
        path.chmod(0o440)
        assert as_user(4321, path) == "admin,submit,worker"
        path.chmod(0o444)
        assert "can be read or changed by others" in as_user(4321, path)
        path.chmod(0o400)
        assert "cannot be read: Permission denied" in as_user(4321, path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=r"there is no token file .*--token-file"):
        TokenFile(tmp_path / "absent.json").read()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "JSON object"),
        ("[]", "JSON object"),
        ("{}", "JSON object"),
        ("\xff\xfe", "JSON object"),
        ('{"wroker": "' + "x" * 43 + '"}', "'wroker' is no scope; scopes are admin, submit"),
        ('{"worker": "short-secret"}', "the secret of 'worker' is not one"),
        ('{"worker": "' + "spaces in it " * 4 + '"}', "the secret of 'worker' is not one"),
        ('{"worker": 17}', "the secret of 'worker' is not one"),
    ],
)
def test_a_file_that_is_wrong_is_told_without_its_secrets(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "tokens.json"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(AccessError, match=words) as caught:
        TokenFile(path).read()
    assert "short-secret" not in str(caught.value)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_pipe_or_folder_is_no_token_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(AccessError, match="is no file"):
            TokenFile(path).read()


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(AccessError, match="cannot be written"):
        TokenFile(tmp_path / "tokens.json").ensure()


# --- copies for other machines -------------------------------------------------------------------


def test_a_workers_copy_can_judge_an_operator_and_not_be_one(tmp_path: Path) -> None:
    own = TokenFile(tmp_path / "tokens.json")
    whole = own.ensure()
    own.export(tmp_path / "worker.json", [Scope.WORKER])
    copy = TokenFile(tmp_path / "worker.json").read()
    assert copy.scopes == (Scope.WORKER,)
    assert copy.secret(Scope.WORKER) == whole.secret(Scope.WORKER)
    with pytest.raises(AccessError, match=r"no secret of scope 'admin' \(it has: worker\)"):
        copy.secret(Scope.ADMIN)
    assert copy.scope_of(whole.secret(Scope.ADMIN)) is Scope.ADMIN
    assert copy.scope_of(secrets_of(tmp_path / "worker.json")["admin"]) is None
    assert whole.secret(Scope.ADMIN) not in (tmp_path / "worker.json").read_text(encoding="utf-8")
    assert stat.S_IMODE((tmp_path / "worker.json").stat().st_mode) == 0o600


def test_a_copy_replaces_nothing_unless_asked_to(tmp_path: Path) -> None:
    own = TokenFile(tmp_path / "tokens.json")
    own.ensure()
    target = tmp_path / "copy.json"
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(AccessError, match="is there already"):
        own.export(target, [Scope.WORKER])
    assert target.read_text(encoding="utf-8") == "mine"
    own.export(target, [Scope.WORKER], replace=True)
    assert TokenFile(target).read().scopes == (Scope.WORKER,)


def test_a_file_with_one_secret_made_by_hand_is_enough(tmp_path: Path) -> None:
    whole = TokenFile(tmp_path / "tokens.json").ensure()
    path = tmp_path / "hand.json"
    path.write_text(json.dumps({"worker": whole.secret(Scope.WORKER)}), encoding="utf-8")
    path.chmod(0o600)
    assert TokenFile(path).read().judged == (Scope.WORKER,)


SHOWN: list[Callable[[Tokens], str]] = [repr, str, "{}".format, "{!r}".format]


@pytest.mark.parametrize("show", SHOWN)
def test_secrets_are_not_shown(tmp_path: Path, show: Callable[[Tokens], str]) -> None:
    tokens = TokenFile(tmp_path / "tokens.json").ensure()
    secrets = secrets_of(tmp_path / "tokens.json").values()
    assert not [secret for secret in secrets if secret in show(tokens)]


# --- where it is looked for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({}, Path("~/.config/morphml/tokens.json").expanduser()),
        ({"XDG_CONFIG_HOME": "/xdg"}, Path("/xdg/morphml/tokens.json")),
        ({"XDG_CONFIG_HOME": "/xdg", "MORPHML_TOKEN_FILE": "/t.json"}, Path("/t.json")),
        ({"MORPHML_TOKEN_FILE": "~/t.json"}, Path("~/t.json").expanduser()),
        ({"MORPHML_TOKEN_FILE": ""}, Path("~/.config/morphml/tokens.json").expanduser()),
    ],
)
def test_the_file_is_where_the_environment_says(environment: dict[str, str], path: Path) -> None:
    assert read_settings(environment).access.token_file == path
