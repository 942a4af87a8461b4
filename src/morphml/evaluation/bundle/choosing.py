"""Which files of a folder belong into its bundle: source code, and no secrets, caches or outputs.

In a git checkout git says what is ignored; anywhere else a list of what tools leave behind does.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from morphml.errors import BundleError

#: Folders that tools make.
_TOOL_FOLDERS: Final = frozenset(
    {"__pycache__", "__pypackages__", "node_modules", "site-packages", "dist-packages"}
)
#: Ends of the names of folders that tools make.
_TOOL_FOLDER_ENDS: Final = (".egg-info", ".dist-info", ".artifacts")
#: Files that only lie in the folder of a virtual environment.
_ENVIRONMENT_MARKS: Final = ("pyvenv.cfg", "conda-meta")
#: Ends of names of compiled files.
_COMPILED: Final = frozenset(
    {".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".o", ".a", ".obj", ".lib", ".class", ".exe"}
)
#: Ends of names of private keys.
_KEYS: Final = frozenset({".pem", ".key", ".p12", ".pfx", ".jks", ".keystore"})
#: Entries of folders that are looked at before a folder is taken for the wrong one.
_ENTRIES_LIMIT: Final = 200_000
_GIT_TIMEOUT_S: Final = 30.0
#: Where SQLite's header has the program's id, and that of a MorphML store.
_SQLITE_ID: Final = slice(68, 72)
_STORE_ID: Final = b"MoML"
#: How a file with the tokens of masters and workers begins.
_TOKENS: Final = b'"about": "MorphML tokens'


def chosen_files(root: Path) -> list[Path]:
    """Files of a folder that belong into its bundle, relative to it, sorted.

    Left out: what git ignores, hidden files (``.env`` among them), caches, virtual environments,
    compiled files, private keys, tokens, MorphML's own stores, links, and what is no plain file.

    Raises:
        BundleError: when it is no folder, holds too much to look through, or lies in a git
            checkout of which git says nothing.
    """
    if not root.is_dir():
        raise BundleError(f"{root}: is no folder; a bundle is made of the folder with the code")
    found = _listed_by_git(root) if _checkout(root) else _walked(root)
    environments: dict[Path, bool] = {}
    return sorted(
        path for path in found if _is_wanted(path) and _is_source(root, path, environments)
    )


def _checkout(root: Path) -> Path | None:
    """The git checkout that a folder lies in."""
    places = (root.resolve(), *root.resolve().parents)
    return next((place for place in places if (place / ".git").exists()), None)


def _listed_by_git(root: Path) -> Iterator[Path]:
    command = ("git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z")
    try:
        done = subprocess.run(  # noqa: S603  # the folder is an argument of its own
            command, capture_output=True, timeout=_GIT_TIMEOUT_S, check=False, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_answer(root, str(error)) from error
    if done.returncode:
        raise _no_answer(root, done.stderr.decode(errors="replace").strip())
    for name in done.stdout.split(b"\0"):
        path = Path(os.fsdecode(name))
        if not name:
            continue
        if (root / path / ".git").exists() and not (root / path).is_symlink():
            # A checkout within this one: git lists it as one entry.
            yield from (path / inner for inner in _listed_by_git(root / path))
        else:
            yield path


def _environment() -> dict[str, str]:
    """Without what would point git at another checkout, as within a hook."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _no_answer(root: Path, why: str) -> BundleError:
    return BundleError(
        f"{root}: lies in a git checkout, and git does not say which files are ignored ({why}); "
        f"make 'git -C {root} status' work, or move the code into a folder outside the checkout"
    )


def _walked(root: Path) -> Iterator[Path]:
    entries = 0
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _is_left(here, name))
        entries += len(folders) + len(files)
        if entries > _ENTRIES_LIMIT:
            raise BundleError(
                f"{root}: has more than {_ENTRIES_LIMIT} files and folders; move the code into a "
                "folder of its own"
            )
        yield from (here.relative_to(root) / name for name in files)


def _is_left(parent: Path, name: str) -> bool:
    return _is_tool_folder(name) or _is_environment(parent / name)


def _is_tool_folder(name: str) -> bool:
    return name.startswith(".") or name in _TOOL_FOLDERS or name.endswith(_TOOL_FOLDER_ENDS)


def _is_environment(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in _ENVIRONMENT_MARKS)


def _is_wanted(path: Path) -> bool:
    """By its name alone."""
    if any(_is_tool_folder(part) for part in path.parts[:-1]):
        return False
    suffix = path.suffix.lower()
    if path.name.startswith((".", "id_rsa", "id_ed25519", "id_ecdsa")):
        return False
    return suffix not in _COMPILED and suffix not in _KEYS


def _is_source(root: Path, path: Path, environments: dict[Path, bool]) -> bool:
    """By what lies on the disk: a plain file, no store, no tokens, in no environment, no link."""
    for parent in path.parents[:-1]:
        if parent not in environments:
            there = root / parent
            environments[parent] = there.is_symlink() or _is_environment(there)
        if environments[parent]:
            return False
    try:
        found = (root / path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False  # git lists files that were deleted and not committed
    return stat.S_ISREG(found.st_mode) and not _is_secret_or_store(root / path)


def _is_secret_or_store(path: Path) -> bool:
    """Whether it holds tokens, is a MorphML store or a database in use, or lies beside one."""
    name = path.name
    for end in ("-wal", "-shm", ".lock"):
        if name.endswith(end):
            database = path.with_name(name.removesuffix(end))
            return _is_in_use(database) or _is_store(_head(database))
    if _is_in_use(path):
        return True
    head = _head(path)
    return _is_store(head) or _TOKENS in head


def _is_in_use(database: Path) -> bool:
    """Whether somebody, perhaps this process, has it open in SQLite's WAL mode.

    Such a file is not even looked into: to close it again would drop all locks that this process
    has on it, and SQLite would go on without them.
    """
    return database.with_name(database.name + "-wal").exists()


def _is_store(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and head[_SQLITE_ID] == _STORE_ID


def _head(path: Path) -> bytes:
    """How the file begins; nothing where there is none, or it cannot be read."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(100)
    except OSError:
        return b""
