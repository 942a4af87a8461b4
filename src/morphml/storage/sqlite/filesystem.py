"""Where a SQLite store may lie: not on a network file system."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

import psutil

from morphml.errors import StorageError

#: Names as the kernel gives them. Locks or shared memory do not work over these as SQLite needs.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "fhgfs", "fuse.beegfs", "fuse.ceph",
        "fuse.cephfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys",
        "fuse.juicefs", "fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs",
        "lustre", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb2",
        "smb3", "smbfs", "vboxsf", "webdav", "wekafs",
    }
)  # fmt: skip


def refuse_network_file_system(path: Path) -> None:
    """Let a local path pass.

    Args:
        path: the database's file; it need not exist yet.

    Raises:
        StorageError: when the path lies on a network file system.
    """
    mounts = ((part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True))
    kind = file_system(path.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StorageError(
            f"{path}: lies on a network file system ({kind}), where SQLite can lose data; put the "
            "store on a local disk, or use PostgreSQL for several machines"
        )


def file_system(path: PurePath, mounts: Iterable[tuple[str, str]]) -> str:
    """The kind of file system that ``path`` lies on; empty when no mount holds it.

    Args:
        path: absolute, without links.
        mounts: mount points and their kinds; of equal points the last one hides the others.
    """
    deepest, kind = -1, ""
    for point, name in mounts:
        parts = PurePath(point).parts
        if path.parts[: len(parts)] == parts and len(parts) >= deepest:
            deepest, kind = len(parts), name
    return kind.lower()
