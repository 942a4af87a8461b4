from __future__ import annotations

import pytest

from morphml.engines.local import shares
from morphml.errors import WorkerError


def test_slots_without_devices_use_the_processor_and_hide_nothing() -> None:
    plan = shares.slot_plan(3, ())
    assert (plan.name, plan.device, dict(plan.env)) == ("local-3", "cpu", {})


def test_slots_take_turns_on_devices_and_see_their_own_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    plans = [shares.slot_plan(i, ("cuda:0", "cuda:1")) for i in range(4)]
    assert [plan.env["CUDA_VISIBLE_DEVICES"] for plan in plans] == ["0", "1", "0", "1"]
    assert {plan.device for plan in plans} == {"cuda"}


def test_devices_are_counted_among_those_that_the_parent_may_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, GPU-abc")
    assert shares.slot_plan(1, ("cuda:0", "cuda:1")).env["CUDA_VISIBLE_DEVICES"] == "GPU-abc"
    with pytest.raises(WorkerError, match="cuda:2"):
        shares.slot_plan(0, ("cuda:2",))


def test_preload_names_what_is_needed_once() -> None:
    modules = shares.preload(("torch",))
    assert modules.count("torch") == 1
    assert modules.index("torch") < modules.index("morphml.nn")


def test_compiler_of_torch_is_preloaded_only_where_an_evaluator_needs_it() -> None:
    assert "torch._dynamo" not in shares.preload(("torch",))
    modules = shares.preload(("torch", "torch._dynamo", "their.own"))
    assert modules.index("torch") < modules.index("torch._dynamo")
    assert "their.own" not in modules
