"""Code of workflows over REST: put before the workflow that names it, checked, and bounded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.integration.server.rest.conftest import Served

import morphml as mm
from morphml.evaluation.bundle import BundleLimits, pack

BYTES = {"content-type": "application/octet-stream"}
JOBS = [{"id": "a", "type": "python", "config": {"function": "tasks:prepare"}}]


def put(served: Served, digest: str, data: bytes) -> int:
    return served.ask.put(f"/api/v1/bundles/{digest}", content=data, headers=BYTES).status_code


def test_bundle_is_kept_once_and_a_workflow_may_name_it(served: Served, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("def prepare(): pass\n")
    bundle = pack(tmp_path)
    document = {"workflowId": "w", "source": bundle.digest, "jobs": JOBS}
    early = served.post("/api/distributed/execute", document)
    assert early.status_code == 422
    assert "no bundle" in early.json()["detail"]
    file = tmp_path / "bundle.tar.gz"
    file.write_bytes(bundle.data)
    with mm.Client(served.url) as client:
        for _ in range(2):
            told = client.executions.send_code(file, bundle.digest)
            assert told == {"source": bundle.digest, "size": len(bundle.data)}
    chunks = served.store.bundles.chunks(bundle.digest)
    assert chunks is not None
    assert b"".join(chunks) == bundle.data
    begun = served.done("/api/distributed/execute", document)
    found = served.store.workflows.reading.execution(begun["executionId"])
    assert found.workflow.source == bundle.digest
    assert len(served.seen("/api/distributed/execute")["executions"]) == 1


def test_bundle_that_is_another_one_or_too_large_is_refused(served: Served) -> None:
    data = b"code"
    digest = hashlib.sha256(data).hexdigest()
    assert put(served, digest, b"other") == 422
    assert put(served, digest[:-1], data) == 422
    large = bytes(BundleLimits().packed_bytes + 1)
    name = hashlib.sha256(large).hexdigest()
    assert put(served, name, large) == 413
    assert not served.store.bundles.has(digest)
    assert not served.store.bundles.has(name)
