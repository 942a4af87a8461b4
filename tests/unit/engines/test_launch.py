import pytest

from morphml.engines.local.launch import _environment


def test_children_share_the_cores_and_wait_without_spinning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    environment = _environment(3)
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert environment["OMP_NUM_THREADS"] == "3"


def test_children_keep_what_the_user_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    environment = _environment(3)
    assert environment["OMP_WAIT_POLICY"] == "ACTIVE"
    assert environment["OMP_NUM_THREADS"] == "7"
