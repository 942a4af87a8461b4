from __future__ import annotations

from morphml.engines.local import shares


def test_preload_names_what_is_needed_once() -> None:
    modules = shares.preload(("torch",))
    assert modules.count("torch") == 1
    assert modules.index("torch") < modules.index("morphml.nn")


def test_compiler_of_torch_is_preloaded_only_where_an_evaluator_needs_it() -> None:
    assert "torch._dynamo" not in shares.preload(("torch",))
    modules = shares.preload(("torch", "torch._dynamo", "their.own"))
    assert modules.index("torch") < modules.index("torch._dynamo")
    assert "their.own" not in modules
