from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import pytest
import torch
from operation_cases import CASES, Case, random_graph
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from morphml.graph import OPERATIONS, ModelGraph, canonical, costs
from morphml.nn.catalogue import LOWERINGS
from morphml.nn.export.example import example_inputs
from morphml.nn.framework import TorchFramework
from morphml.nn.network import Network
from morphml.nn.plan import plan

RANDOM = range(60)


def built(graph: ModelGraph, device: str = "cpu") -> Network:
    model = TorchFramework().build(graph, device=device, seed=0)
    assert isinstance(model, Network)
    return model.eval()


def outputs(model: nn.Module, *inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    made = model(*inputs)
    return made if isinstance(made, dict) else {"out": made}


def counted_flops(model: Network, batch: int) -> int:
    """What torch counts: matrix products and convolutions only."""
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    inputs = [tensor.to(device) for tensor in example_inputs(model.plan, batch)]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*inputs)
    return counter.get_total_flops()


def test_every_operation_of_the_catalogue_has_a_layer_and_a_case() -> None:
    named = {case.op for case in CASES}
    assert set(OPERATIONS) - {"input"} == named == set(LOWERINGS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_operation_has_the_shape_and_the_parameters_that_were_counted(case: Case) -> None:
    graph = case.graph()
    expected = costs(graph)
    form = canonical(graph)
    model = built(graph)
    made = outputs(model, *example_inputs(model.plan, 3))
    assert tuple(made["out"].shape) == (3, *expected.shapes[form.outputs[0][1]])
    assert sum(p.numel() for p in model.parameters()) == expected.params


@pytest.mark.parametrize("case", CASES, ids=str)
def test_operation_on_meta_tensors_has_the_same_shape_without_memory(case: Case) -> None:
    graph = case.graph()
    model = built(graph, device="meta")
    inputs = [tensor.to("meta") for tensor in example_inputs(model.plan, 2)]
    made = outputs(model, *inputs)["out"]
    assert made.is_meta
    assert tuple(made.shape) == (2, *costs(graph).shapes[canonical(graph).outputs[0][1]])


#: Operations of which torch counts everything that we count.
EXACT = {
    *("dense", "conv1d", "conv2d", "conv3d", "depthwise_conv2d", "separable_conv2d", "project"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
}


@pytest.mark.parametrize("case", [case for case in CASES if case.op in EXACT], ids=str)
def test_flops_of_products_and_convolutions_equal_those_torch_counts(case: Case) -> None:
    graph = case.graph()
    assert counted_flops(built(graph), batch=3) == 3 * costs(graph).flops


def elementwise_flops(case: Case) -> int:
    """What MorphML counts beside products and convolutions, written out once more."""
    attrs: dict[str, Any] = dict(case.attrs)
    match case.op, case.shapes[0]:
        case "attention", (steps, _):
            return 5 * attrs["heads"] * steps * steps
        case "transformer_block", (steps, width):
            hidden = width * attrs.get("expansion", 4)
            softmax = 5 * attrs["heads"] * steps * steps
            return softmax + 2 * 5 * steps * width + 2 * steps * width + steps * hidden
        case "squeeze_excite", (channels, *rest):
            squeezed = max(1, int(channels * attrs.get("ratio", 0.25)))
            return 2 * channels * prod(rest) + channels + squeezed
        case "mbconv", (channels, *rest):
            return elementwise_flops_of_mbconv(case, channels, prod(rest))
        case ("lstm" | "gru") as op, (steps, _):
            directions = 2 if attrs.get("bidirectional") else 1
            gates = {"lstm": 9, "gru": 8}[op]
            return gates * attrs["units"] * steps * directions * attrs.get("layers", 1)
        case _:
            raise AssertionError(case.op)


def elementwise_flops_of_mbconv(case: Case, channels: int, before: int) -> int:
    attrs: dict[str, Any] = dict(case.attrs)
    filters, *rest = costs(case.graph()).shapes[-1]
    after, hidden = prod(rest), channels * attrs.get("expansion", 6)
    total = 3 * after * hidden + 2 * after * filters
    if hidden != channels:
        total += 3 * before * hidden
    if ratio := attrs.get("se_ratio", 0.25):
        total += 2 * hidden * after + hidden + max(1, int(channels * ratio))
    return total + (filters * after if (filters, *rest) == case.shapes[0] else 0)


COMPOSED = {"attention", "transformer_block", "squeeze_excite", "mbconv", "lstm", "gru"}


@pytest.mark.parametrize("case", [case for case in CASES if case.op in COMPOSED], ids=str)
def test_flops_of_composed_layers_are_torchs_and_the_elementwise_ones(case: Case) -> None:
    graph = case.graph()
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        # On the CPU an LSTM is one operation, of which torch counts nothing.
        products = counted_flops(built(graph, device="meta"), batch=1)
    assert costs(graph).flops == products + elementwise_flops(case)


@pytest.mark.parametrize("seed", RANDOM)
def test_random_graph_has_the_shapes_and_parameters_that_were_counted(seed: int) -> None:
    graph = random_graph(seed)
    expected, form = costs(graph), canonical(graph)
    model = built(graph)
    assert sum(p.numel() for p in model.parameters()) == expected.params
    made = outputs(model, *example_inputs(model.plan, 2))
    shapes = {name: expected.shapes[node] for name, node in form.outputs}
    found = {name: tuple(made[name if len(made) > 1 else "out"].shape[1:]) for name in shapes}
    assert found == shapes


def test_random_graphs_cover_most_of_the_menu() -> None:
    counts = Counter(node.op for seed in RANDOM for node in canonical(random_graph(seed)).nodes)
    assert len(counts) >= 18, counts
    assert sum(counts.values()) > 300


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_random_graph_costs_at_least_the_flops_that_torch_counts(seed: int) -> None:
    graph = random_graph(seed)
    model = built(graph)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        assert counted_flops(model, batch=1) <= costs(graph).flops


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_equal_graphs_get_equal_modules_and_with_one_seed_equal_weights(seed: int) -> None:
    graph = random_graph(seed)
    form = canonical(graph)
    one, other = built(graph), built(form)
    assert plan(form).modules().keys() == dict(one.named_children()).keys()
    state = other.state_dict()
    assert state.keys() == one.state_dict().keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in one.state_dict().items())
