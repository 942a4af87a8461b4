"""Requests drawn from the OpenAPI document: no fault, and no answer that it does not tell of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.server.rest.conftest import Served

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance"),
)


def run(served: Served, folder: Path, examples: int, phases: str) -> None:
    done = subprocess.run(
        [
            *(str(SCHEMATHESIS), "run", f"{served.url}/openapi.json", "--no-color", "--seed", "1"),
            *("--checks", ",".join(CHECKS), "--max-examples", str(examples), "--phases", phases),
            *("--exclude-path-regex", "/events$"),  # it answers for as long as one listens
            *("--suppress-health-check", "too_slow"),  # a clock judges that, of a machine at work
        ],
        cwd=folder,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")},
        capture_output=True,
        text=True,
        timeout=3_000,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr
    assert int(done.stdout.partition("Tested: ")[2].split()[0]) >= 40


def test_server_answers_as_its_document_says(served: Served, tmp_path: Path) -> None:
    run(served, tmp_path, 4, "fuzzing")


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_server_answers_as_its_document_says_at_length(served: Served, tmp_path: Path) -> None:
    run(served, tmp_path, 200, "fuzzing")
