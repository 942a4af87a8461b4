"""What goes into a bundle, and that the same files give the same bytes."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sqlite3
import subprocess
import tarfile
from pathlib import Path

import pytest

from morphml.engines.remote.access import Scope, TokenFile
from morphml.errors import BundleError
from morphml.evaluation.bundle import Bundle, BundleLimits, pack
from morphml.storage import open_store

#: Files of a project, by whether they belong into its bundle.
WANTED = {
    "train.py": "import package",
    "package/__init__.py": "",
    "package/model.py": "x = 1",
    "package/table.csv": "1,2",
    "environment.yml": "name: env",
    "Makefile": "all:",
    "poetry.lock": "[[package]]",
}
UNWANTED = {
    ".env": "SECRET=1",
    ".env.production": "SECRET=2",
    "package/.env": "SECRET=3",
    ".git-credentials": "https://me:secret@host",
    ".hidden/module.py": "x = 1",
    "package/.cache/data": "x",
    "package/__pycache__/model.cpython-311.pyc": "x",
    "model.pyc": "x",
    "fast.so": "x",
    "fast.cpython-311-x86_64-linux-gnu.so": "x",
    "server.key": "-----BEGIN PRIVATE KEY-----",
    "certificate.pem": "x",
    "id_rsa": "x",
    "venv/pyvenv.cfg": "home = /usr",
    "venv/lib/python3.11/module.py": "x = 1",
    "conda/conda-meta/history": "x",
    "conda/lib.py": "x = 1",
    "project.egg-info/PKG-INFO": "x",
    "node_modules/left/index.js": "x",
    "search.artifacts/checkpoint.pt": "x",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def git(root: Path, *arguments: str) -> None:
    # No settings of this machine: a global list of ignored files would decide the tests.
    alone = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "PATH": os.environ["PATH"],
    }
    names = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    subprocess.run(
        ["git", "-C", str(root), *names, *arguments],
        check=True,
        env=alone,
        stdout=subprocess.DEVNULL,
    )


def members(bundle: Bundle) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(bundle.data), mode="r:gz") as archive:
        return archive.getmembers()


def names(bundle: Bundle) -> list[str]:
    found = [member.name for member in members(bundle)]
    assert found == list(bundle.files)
    return found


def test_code_is_packed_and_secrets_caches_and_environments_are_not(tmp_path: Path) -> None:
    write(tmp_path, WANTED | UNWANTED)
    assert names(pack(tmp_path)) == sorted(WANTED)


def test_what_git_ignores_is_left_out(tmp_path: Path) -> None:
    ignored = {"data/big.bin": "x", "secrets.json": "x", "package/notes.txt": "x", "gone.py": "x"}
    write(tmp_path, WANTED | UNWANTED | ignored)
    write(tmp_path, {".gitignore": "data/\n/secrets.json\n", "package/.gitignore": "notes.txt\n"})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-f", "train.py", "gone.py", ".env", "model.pyc", "venv", "fast.so")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "gone.py").unlink()
    # Tracked, changed, and not tracked at all: all of it is code as it lies there.
    write(tmp_path, {"train.py": "import package, other", "other.py": ""})
    assert names(pack(tmp_path)) == sorted([*WANTED, "other.py"])


def test_folder_within_a_checkout_is_packed_alone(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*.csv\n", "outside.py": "", "docs/index.md": ""})
    root = write(tmp_path / "src", WANTED)
    git(tmp_path, "init", "-q")
    assert names(pack(root)) == sorted(set(WANTED) - {"package/table.csv"})


def test_checkouts_within_a_checkout_are_packed_too(tmp_path: Path) -> None:
    """A submodule and a clone that nobody has added; each ignores files of its own."""
    library = write(tmp_path / "library", {"lib.py": "", "data.csv": "", ".gitignore": "*.csv"})
    git(library, "init", "-q")
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "first")
    root = write(tmp_path / "root", {"train.py": "", "table.csv": ""})
    git(root, "init", "-q")
    allowed = ("-c", "protocol.file.allow=always")
    git(root, *allowed, "submodule", "--quiet", "add", str(library), "added")
    git(root, "clone", "-q", str(library), "cloned")
    for folder in ("added", "cloned"):
        write(root / folder, {"data.csv": "", "new.py": ""})
    expected = ["added/lib.py", "added/new.py", "cloned/lib.py", "cloned/new.py"]
    assert names(pack(root)) == [*expected, "table.csv", "train.py"]


def test_other_checkout_named_by_the_environment_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "one", {"train.py": "", "data.bin": "", ".gitignore": "data.bin"})
    other = write(tmp_path / "two", {"a.py": ""})
    for folder in (root, other):
        git(folder, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert names(pack(root)) == ["train.py"]


def test_checkout_that_git_cannot_read_is_not_packed(tmp_path: Path) -> None:
    """What is ignored there may be a secret: no guess is made."""
    write(tmp_path, WANTED)
    (tmp_path / ".git").write_text("gitdir: /nowhere", encoding="utf-8")
    with pytest.raises(BundleError, match=r"git does not say which files are ignored \(.+\)"):
        pack(tmp_path)


def test_links_and_special_files_are_left_out(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.py": "x", "folder/secret.py": "x"})
    root = write(tmp_path / "root", {"train.py": ""})
    (root / "link.py").symlink_to(outside / "secret.py")
    (root / "folder").symlink_to(outside / "folder")
    (root / "broken.py").symlink_to(root / "nothing")
    os.mkfifo(root / "pipe.py")
    assert names(pack(root)) == ["train.py"]
    git(root, "init", "-q")
    git(root, "add", "link.py", "folder", "train.py")
    assert names(pack(root)) == ["train.py"]
    # A tracked folder that was replaced by a link to somewhere else.
    write(root, {"package/secret.py": ""})
    git(root, "add", "package/secret.py")
    shutil.rmtree(root / "package")
    (root / "package").symlink_to(outside)
    assert names(pack(root)) == ["train.py"]


def test_stores_of_searches_are_left_out_and_other_databases_are_not(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": ""})
    store = open_store(tmp_path / "search.db")
    store.open_session("one")
    assert (tmp_path / "search.db-wal").exists()
    assert (tmp_path / "search.db.lock").exists()
    connection = sqlite3.connect(tmp_path / "table.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert names(pack(tmp_path)) == ["table.db", "train.py"]
    store.close()


def test_tokens_are_left_out_whatever_their_file_is_called(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": "", "worker.py": "token = '\"about\": ...'\n"})
    TokenFile(tmp_path / "tokens.json").ensure()
    TokenFile(tmp_path / "tokens.json").export(tmp_path / "for-the-gpu-box", [Scope.WORKER])
    assert names(pack(tmp_path)) == ["train.py", "worker.py"]


def test_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """Wherever they lie, whenever and in whichever order they were written."""
    one = write(tmp_path / "one", WANTED)
    two = write(tmp_path / "two", dict(reversed(WANTED.items())) | {".env": "other"})
    for number, name in enumerate(WANTED):
        os.utime(two / name, (1_000_000 + number, 2_000_000 + number))
        (two / name).chmod(0o600)
    first, second = pack(one), pack(two)
    assert first.digest == second.digest
    assert first.data == second.data
    write(two, {"package/model.py": "x = 2"})
    assert pack(two).digest != first.digest
    (one / "train.py").chmod(0o755)
    assert pack(one).digest != first.digest


def test_nothing_of_the_machine_is_in_a_bundle(tmp_path: Path) -> None:
    for member in members(pack(write(tmp_path, WANTED))):
        assert member.isreg()
        owner = (member.uid, member.gid, member.uname, member.gname)
        assert (owner, member.mtime, member.mode) == ((0, 0, "", ""), 0, 0o644)
        assert set(member.pax_headers) <= {"path"}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (BundleLimits(files=6), "has 7 files, a bundle at most 6"),
        (
            BundleLimits(unpacked_bytes=6_999),
            r"more than 6,999 bytes of files.*largest files are big\.bin \(5,000 bytes\), "
            r"package/middle\.bin \(2,000 bytes\)",
        ),
        (BundleLimits(packed_bytes=4_000), r"more than 4,000 bytes when packed.*big\.bin"),
    ],
)
def test_what_is_too_large_is_refused_by_name(
    tmp_path: Path, limits: BundleLimits, message: str
) -> None:
    write(tmp_path, {f"small{number}.py": "" for number in range(5)} | {"package/middle.bin": ""})
    (tmp_path / "big.bin").write_bytes(os.urandom(5_000))
    (tmp_path / "package" / "middle.bin").write_bytes(os.urandom(2_000))
    assert len(pack(tmp_path).files) == 7
    with pytest.raises(BundleError, match=message):
        pack(tmp_path, limits)


def test_exact_limits_are_kept(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "12345", "b.py": "67890"})
    data = pack(tmp_path).data
    limits = BundleLimits(files=2, unpacked_bytes=10, packed_bytes=len(data))
    assert pack(tmp_path, limits).data == data
    assert len(gzip.decompress(data)) > 10


@pytest.mark.parametrize("files", [{}, {".env": "x"}, {"__pycache__/a.pyc": "x"}])
def test_folder_without_code_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)
    with pytest.raises(BundleError, match="nothing in it belongs into a bundle"):
        pack(tmp_path)


def test_file_is_no_folder(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": ""})
    for path in (tmp_path / "train.py", tmp_path / "nothing"):
        with pytest.raises(BundleError, match="is no folder"):
            pack(path)


@pytest.mark.parametrize("name", ["a\\b.py", "c:d.py", "new\nline.py", "\udce9.py"])
def test_name_that_no_other_system_takes_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"train.py": ""})
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(BundleError, match="does not stay the same on every system"):
        pack(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator may read everything")
def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": "", "mine.py": ""})
    (tmp_path / "mine.py").chmod(0)
    with pytest.raises(BundleError, match=r"mine\.py: cannot be read"):
        pack(tmp_path)
