from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest
import torch

import morphml as mm
from morphml import layers as L
from morphml.errors import ShapeError, SpaceError
from morphml.graph import OPERATIONS, ModelGraph, canonical, custom_operation
from morphml.nn.framework import TorchFramework
from morphml.nn.network import Network
from morphml.plugins import load_plugin
from morphml.space import SearchSpace


def two_sided() -> SearchSpace:
    return SearchSpace(
        inputs={"row": mm.Input((3,)), "image": mm.Input((2, 4, 4))},
        layers=[L.dense(4), mm.tap("row4"), mm.join("image", how="replace"), L.global_avg_pool()],
        outputs={
            "small": mm.sequence(L.dense(4), mm.join("row4", how="add")),
            "large": L.dense(9),
        },
    )


def built(space: SearchSpace, **options: object) -> Network:
    model = space.default().build(**options)
    assert isinstance(model, Network)
    return model.eval()


def test_entry_point_torch_names_the_framework() -> None:
    assert load_plugin("morphml.frameworks", "torch") is TorchFramework


def test_naming_the_room_imports_no_torch() -> None:
    code = (
        "import sys, morphml.nn, morphml.evaluation.training as t;"
        "t.Classification('digits', lr=0.1);"
        "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_inputs_are_taken_in_order_of_their_names_by_keyword_and_as_a_mapping() -> None:
    model = built(two_sided())
    row, image = torch.randn(5, 3), torch.randn(5, 2, 4, 4)
    answers = [
        model(image, row),
        model(row=row, image=image),
        model({"row": row, "image": image}),
        model({"row": row}, image=image),
    ]
    assert [list(answer) for answer in answers] == [["large", "small"]] * 4
    assert {name: tuple(t.shape) for name, t in answers[0].items()} == {
        "large": (5, 9),
        "small": (5, 4),
    }
    for answer in answers[1:]:
        assert all(torch.equal(answer[name], answers[0][name]) for name in answer)


@pytest.mark.parametrize("given", [(0,), (0, 0, 0), ("row",), ("row", "picture")])
def test_wrong_inputs_are_refused_with_the_names_and_shapes(given: tuple[object, ...]) -> None:
    model = built(two_sided())
    tensors = [torch.zeros(1, 3) for _ in given]
    with pytest.raises(TypeError, match=r"image \(2, 4, 4\), row \(3,\)"):
        if isinstance(given[0], str):
            model(dict(zip(given, tensors, strict=True)))
        else:
            model(*tensors)


def test_input_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a tensor, not list"):
        built(SearchSpace(input=(3,), layers=[L.output(2)]))([1.0, 2.0, 3.0])


def test_shared_module_is_one_module_and_learns_from_both_uses() -> None:
    def twice(again: object) -> SearchSpace:
        return SearchSpace(input=(4,), layers=[L.shared(L.dense(4), name="d"), L.tanh(), again])

    one = built(twice(L.shared(L.dense(4), name="d")))
    two = built(twice(L.dense(4)))
    assert sum(p.numel() for p in one.parameters()) == 20
    assert sum(p.numel() for p in two.parameters()) == 40
    (weight,) = [p for name, p in one.named_parameters() if name.endswith("weight")]
    x = torch.randn(3, 4)
    by_hand = torch.nn.functional.linear
    (bias,) = [p for name, p in one.named_parameters() if name.endswith("bias")]
    wanted = by_hand(torch.tanh(by_hand(x, weight, bias)), weight, bias)
    torch.testing.assert_close(one(x), wanted)


def test_output_off_every_path_is_zeros_for_each_sample() -> None:
    node = OPERATIONS.node
    graph = ModelGraph(
        nodes=(
            node("input", attrs={"name": "tokens", "shape": (7,), "dtype": "int64"}),
            node("embedding", (0,), {"vocabulary": 5, "units": 3}),
            node("zero", (1,)),
            node("dense", (2,), {"units": 2}),
        ),
        outputs=(("dead", 3), ("live", 1)),
    )
    made = TorchFramework().build(graph)(torch.zeros(4, 7, dtype=torch.int64))
    assert made["dead"].shape == (4, 7, 2)
    assert made["dead"].dtype == torch.float32
    assert not made["dead"].any()


def test_seed_fixes_the_weights_and_leaves_torchs_own_generator_alone() -> None:
    space = SearchSpace(input=(3,), layers=[L.output(2)])
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, again, other = (built(space, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [next(model.parameters()) for model in (one, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_network_is_copied_and_pickled_with_its_weights() -> None:
    model = built(two_sided())
    inputs = (torch.randn(2, 2, 4, 4), torch.randn(2, 3))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(*inputs)["large"], model(*inputs)["large"])


def test_shapes_that_do_not_fit_are_refused_at_the_operation() -> None:
    node = OPERATIONS.node
    graph = ModelGraph(
        nodes=(
            node("input", attrs={"name": "x", "shape": (3, 8, 8)}),
            node("conv2d", (0,), {"filters": 4}, path="stem/conv2d"),
            node("add", (0, 1), path="stem/add"),
        ),
        outputs=(("out", 2),),
    )
    with pytest.raises(ShapeError, match=r"stem/add.*\(3, 8, 8\).*\(4, 8, 8\)"):
        TorchFramework().build(graph)


def test_operation_without_a_layer_is_refused_by_name() -> None:
    catalogue = OPERATIONS.extended([custom_operation("no.such.module:Layer")])
    graph = ModelGraph(
        nodes=(
            catalogue.node("input", attrs={"name": "x", "shape": (3,)}),
            catalogue.node("custom:no.such.module:Layer", (0,)),
        ),
        outputs=(("out", 1),),
    )
    with pytest.raises(SpaceError, match=r"no\.such\.module:Layer"):
        TorchFramework().build(graph, catalogue=catalogue)


def test_custom_function_that_gives_no_module_is_refused() -> None:
    space = SearchSpace(input=(3,), layers=[L.custom(dict, factor=2)])
    with pytest.raises(SpaceError, match=r"must give a torch\.nn\.Module"):
        space.default().build()


def test_sum_is_taken_in_one_order_whatever_the_canonical_form_chose() -> None:
    """Equal cells are computed equally, so that they can be one class in an exported file."""
    node = OPERATIONS.node
    nodes = [node("input", attrs={"name": "x", "shape": (2, 4, 4)})]
    for cell in range(4):
        source = len(nodes) - 1
        for branch, size in enumerate((1, 3, 5)):
            attrs = {"filters": 2, "kernel_size": size}
            nodes.append(node("conv2d", (source,), attrs, path=f"cell/{cell}/{branch}"))
        ends = tuple(range(source + 1, source + 4))
        nodes.append(node("add", ends, path=f"cell/{cell}/add"))
    graph = ModelGraph(nodes=tuple(nodes), outputs=(("out", len(nodes) - 1),))
    form = canonical(graph)
    canonical_orders = {
        tuple(dict(form.nodes[i].attrs)["kernel_size"] for i in n.inputs)
        for n in form.nodes
        if n.op == "add"
    }
    model = TorchFramework().build(graph)
    assert isinstance(model, Network)
    taken = [
        tuple(dict(form.nodes[i].attrs)["kernel_size"] for i in step.inputs)
        for step in model.plan.steps
        if step.op == "add"
    ]
    assert len(canonical_orders) > 1, "the case shows nothing"
    assert taken == [(1, 3, 5)] * 4
