"""Which file systems a path is said to lie on, and which are refused."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import NamedTuple

import psutil
import pytest

from morphml.errors import StorageError
from morphml.storage.sqlite.filesystem import file_system, refuse_network_file_system

MOUNTS = [
    ("/", "ext4"),
    ("/users-share", "NFS4"),
    ("/users-share/local", "xfs"),
    ("/mnt/c", "9p"),
    ("/data", "ext4"),
    ("/data", "cifs"),
]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/store.db", "ext4"),
        ("/users-share/me/store.db", "nfs4"),
        ("/users-share/local/store.db", "xfs"),
        ("/users-sharely/store.db", "ext4"),
        ("/data/store.db", "cifs"),
        ("/mnt/c/store.db", "9p"),
    ],
)
def test_file_system_is_that_of_the_deepest_mount(path: str, kind: str) -> None:
    assert file_system(PurePosixPath(path), MOUNTS) == kind


def test_path_below_no_mount_has_no_file_system() -> None:
    assert file_system(PurePosixPath("/x"), []) == ""


class Part(NamedTuple):
    mountpoint: str
    fstype: str


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "lustre"])
def test_store_on_a_network_file_system_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network file system can be mounted everywhere, so the kernel's list is made up."""
    link = tmp_path / "link"
    (tmp_path / "share").mkdir()
    link.symlink_to(tmp_path / "share")
    parts = [Part("/", "ext4"), Part(str((tmp_path / "share").resolve()), kind)]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: parts)
    for folder in (tmp_path / "share", link):
        with pytest.raises(StorageError, match=rf"network file system \({kind}\).*local disk"):
            refuse_network_file_system(folder / "store.db")
    refuse_network_file_system(tmp_path / "store.db")
