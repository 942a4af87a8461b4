"""Bundles made by somebody else: nothing gets out of the folder, nothing is left of bad ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from morphml.errors import BundleError
from morphml.evaluation.bundle import BundleLimits, extract, pack

FILES = {"train.py": b"import package\n", "package/__init__.py": b"", "package/m.py": b"x = 1\n"}


def tar(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry, content in entries:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


def bundle(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    return gzip.compress(tar(*entries), mtime=0)


def good() -> bytes:
    return bundle(*((entry(name), content) for name, content in FILES.items()))


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refuse(data: bytes, folder: Path, match: str, limits: BundleLimits | None = None) -> None:
    """The bundle is refused though its digest is right, and nothing is left of it."""
    with pytest.raises(BundleError, match=match):
        extract(data, folder / "bundles", digest_of(data), limits)
    left = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    assert left in ([], ["bundles"]), left


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_packed_folder_comes_out_as_it_was(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    packed = pack(root)
    target = extract(packed.data, tmp_path / "bundles", packed.digest)
    assert target == tmp_path / "bundles" / packed.digest
    assert contents(target) == FILES | {"run.sh": b"#!/bin/sh\n"}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [target, *target.rglob("*")]}
    assert modes.pop("run.sh") == modes.pop("package") == modes.pop(packed.digest) == 0o555
    assert set(modes.values()) == {0o444}
    assert list((tmp_path / "bundles").iterdir()) == [target]


@pytest.mark.parametrize(
    "name",
    [
        "../up.py",
        "package/../../up.py",
        "/tmp/absolute.py",
        "//absolute.py",
        "./here.py",
        "a/./b.py",
        "a//b.py",
        "..",
        ".",
        "a/..",
        "c:/windows.py",
        "..\\up.py",
        "\\\\server\\share.py",
        "a\nb.py",
        "x" * 2_000,
    ],
)
def test_name_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    refuse(bundle((entry("ok.py"), b""), (entry(name), b"x")), tmp_path, "no relative path")


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "ok.py"),
        (tarfile.LNKTYPE, "ok.py"),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
        (tarfile.DIRTYPE, ""),
        (tarfile.CONTTYPE, ""),
        (b"Z", ""),
    ],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes, target: str) -> None:
    refuse(bundle((entry("ok.py"), b""), (entry("bad", kind, target), b"")), tmp_path, "plain file")


def test_file_behind_a_link_is_refused(tmp_path: Path) -> None:
    link = (entry("package", tarfile.SYMTYPE, "/tmp"), b"")
    refuse(bundle(link, (entry("package/m.py"), b"x")), tmp_path, "plain file")


def test_sparse_file_is_refused(tmp_path: Path) -> None:
    """A few bytes that would be read as a terabyte of zeros."""
    sparse = entry("zeros.bin")
    sparse.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": str(2**40),
    }
    refuse(bundle((sparse, b"x")), tmp_path, "plain file|damaged|more than")


@pytest.mark.parametrize("names", [("a.py", "a.py"), ("a", "a/b.py"), ("a/b.py", "a")])
def test_names_that_do_not_fit_together_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    data = bundle(*((entry(name), b"x") for name in names))
    refuse(data, tmp_path, "twice|cannot be written")


def test_bomb_is_refused_before_it_fills_disk_or_memory(tmp_path: Path) -> None:
    limits = BundleLimits(unpacked_bytes=2**20, files=10)
    one_large = bundle((entry("zeros.bin"), bytes(2**26)))
    assert len(one_large) < 2**17
    refuse(one_large, tmp_path, "more than 1,048,576 bytes|unpacks to more", limits)
    header = entry("x.py")
    header.pax_headers = {"comment": "x" * 2**24}
    refuse(bundle((header, b"")), tmp_path, "unpacks to more", limits)
    refuse(gzip.compress(bytes(2**26)), tmp_path, "unpacks to more|damaged|no file", limits)
    twice = gzip.compress(gzip.compress(bytes(2**26)))
    refuse(twice, tmp_path, "damaged", limits)
    many = bundle(*((entry(f"{number}.py"), b"") for number in range(11)))
    refuse(many, tmp_path, "more than 10 files", limits)
    sums = bundle(*((entry(f"{number}.bin"), bytes(2**18)) for number in range(5)))
    refuse(sums, tmp_path, "more than 1,048,576 bytes of files", limits)
    with pytest.raises(BundleError, match="the limit is 10"):
        extract(good(), tmp_path, digest_of(good()), BundleLimits(packed_bytes=10))


def test_headers_of_headers_are_refused(tmp_path: Path) -> None:
    """Each long name announces another one: a reader that calls itself runs out of stack."""
    long = tarfile.TarInfo("././@LongLink")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 1
    block = long.tobuf(tarfile.USTAR_FORMAT) + b"a".ljust(512, b"\0")
    refuse(gzip.compress(block * 5_000), tmp_path, "damaged")


def test_wrong_digest_is_refused(tmp_path: Path) -> None:
    data = good()
    for wrong in (digest_of(data + b"x"), "0" * 64):
        with pytest.raises(BundleError, match=f"have the digest {digest_of(data)[:12]}"):
            extract(data, tmp_path, wrong)
    for wrong in ("", "../" + "0" * 61, digest_of(data).upper(), digest_of(data)[:-1], "0" * 65):
        with pytest.raises(BundleError, match="is no digest"):
            extract(data, tmp_path, wrong)
    assert list(tmp_path.iterdir()) == []


def test_truncated_bundle_is_refused(tmp_path: Path) -> None:
    data = bundle((entry("a.py"), os.urandom(3_000)), (entry("b.py"), os.urandom(3_000)))
    with pytest.raises(BundleError, match="fetch it again"):
        extract(data[:-1], tmp_path, digest_of(data))
    for size in (0, 1, 9, 10, 600, len(data) // 2, len(data) - 9):
        refuse(data[:size], tmp_path, "damaged|no file")
    plain = tar((entry("a.py"), os.urandom(3_000)))
    for size in (100, 512, 1_500, 3_000):
        refuse(gzip.compress(plain[:size]), tmp_path, "damaged|no file")


def test_damaged_archives_are_refused_or_stay_within_the_folder(tmp_path: Path) -> None:
    """Bytes changed at random, under a digest that fits: no other error, nothing outside."""
    rng = random.Random(7)
    whole = tar(*((entry(name), content) for name, content in FILES.items()))
    refused = 0
    for number in range(400):
        damaged = bytearray(whole[:5_120])
        for _ in range(rng.choice((1, 2, 8, 64))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        data = gzip.compress(bytes(damaged), compresslevel=1)
        if number % 4 == 0:
            data = data[:20] + rng.randbytes(4) + data[24:]
        try:
            extract(data, tmp_path / "bundles", digest_of(data))
        except BundleError:
            refused += 1
    assert refused > 100
    assert [path.name for path in tmp_path.iterdir()] == ["bundles"]
    assert not list((tmp_path / "bundles").glob(".incoming*"))
    assert len(list((tmp_path / "bundles").iterdir())) <= 400 - refused


def test_bundle_is_unpacked_once(tmp_path: Path) -> None:
    data = good()
    target = extract(data, tmp_path, digest_of(data))
    before = target.stat()
    assert extract(data, tmp_path, digest_of(data)) == target
    assert extract(b"", tmp_path, digest_of(data)) == target
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_threads_that_unpack_the_same_bundle_at_once_all_succeed(tmp_path: Path) -> None:
    data = bundle(*((entry(f"package/m{number}.py"), b"x = 1\n") for number in range(200)))
    start, found = threading.Barrier(6), []

    def run() -> None:
        start.wait()
        found.append(extract(data, tmp_path / "bundles", digest_of(data)))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert set(found) == {tmp_path / "bundles" / digest_of(data)}
    assert list((tmp_path / "bundles").iterdir()) == [found[0]]
    assert len(contents(found[0])) == 200


def test_two_versions_lie_and_are_imported_side_by_side(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "package").mkdir(parents=True)
    (root / "package" / "__init__.py").touch()
    (root / "train.py").write_text("from package.m import x as evaluate\n", encoding="utf-8")
    targets = []
    for version in (1, 2):
        (root / "package" / "m.py").write_text(f"x = {version}\n", encoding="utf-8")
        packed = pack(root)
        targets.append(extract(packed.data, tmp_path / "bundles", packed.digest))
    assert len({*targets}) == len(list((tmp_path / "bundles").iterdir())) == 2
    for version, target in enumerate(targets, start=1):
        code = "import train; print(train.evaluate)"
        done = subprocess.run(
            [sys.executable, "-B", "-c", code],
            env={"PYTHONPATH": str(target)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [str(version)]


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator may write everywhere")
def test_unpacked_bundle_cannot_be_written_to(tmp_path: Path) -> None:
    data = good()
    target = extract(data, tmp_path, digest_of(data))
    with pytest.raises(PermissionError):
        (target / "train.py").write_bytes(b"")
    with pytest.raises(PermissionError):
        (target / "new.py").touch()
