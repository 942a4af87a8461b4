from __future__ import annotations

from pathlib import Path

import pytest

import morphml as mm
from morphml import layers as L
from morphml.cli.export import writer_for


def test_export_of_a_trial_without_weights_says_so_and_claims_no_older_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # a path is broken where the screen ends
    space = mm.SearchSpace(input=(4,), layers=[L.output(mm.choice(2, 3))])
    result = mm.search(space, lambda arch, trial: 1.0, trials=1, workers=0)
    file = tmp_path / "model.py"
    file.with_suffix(".pt").write_bytes(b"of another search")
    assert writer_for(file)(result, None, file) == [file]
    said = " ".join(capsys.readouterr().err.split())
    assert "no trained weights were kept of trial 0" in said
    assert "model.py comes without any" in said
    assert file.with_suffix(".pt").read_bytes() == b"of another search"
