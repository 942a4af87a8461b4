"""The canonical form: what is removed, what is contracted, what is kept."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from morphml.errors import SpaceError
from morphml.graph import OPERATIONS, ModelGraph, Node, Shape, canonical, costs, graph_id

make = OPERATIONS.node


class Drawing:
    """Builds graphs by name; `graph` says which names are outputs."""

    def __init__(self, shape: Shape = (4, 8, 8)) -> None:
        self.nodes: list[Node] = []
        self.x = self.input("x", shape)

    def input(self, name: str, shape: Shape = (4, 8, 8)) -> int:
        return self.put("input", name=name, shape=shape)

    def put(self, op: str, *inputs: int, shared: str | None = None, **attrs: object) -> int:
        self.nodes.append(make(op, inputs, attrs, shared=shared))
        return len(self.nodes) - 1

    def conv(self, source: int, kernel: int = 3, shared: str | None = None) -> int:
        return self.put("conv2d", source, filters=4, kernel_size=kernel, shared=shared)

    def graph(self, **outputs: int) -> ModelGraph:
        return ModelGraph(nodes=tuple(self.nodes), outputs=tuple(sorted(outputs.items())))


def ops(graph: ModelGraph) -> list[str]:
    return [node.op for node in canonical(graph).nodes]


def test_identities_are_contracted() -> None:
    d = Drawing()
    plain = d.graph(y=d.put("relu", d.put("identity", d.put("identity", d.x))))
    assert ops(plain) == ["input", "relu"]


def test_output_that_is_the_input_stays() -> None:
    d = Drawing()
    form = canonical(d.graph(y=d.put("identity", d.x)))
    assert ops(form) == ["input"]
    assert form.outputs == (("y", 0),)


def test_zero_into_add_vanishes_and_an_add_of_one_input_is_that_input() -> None:
    d = Drawing()
    graph = d.graph(y=d.put("relu", d.put("add", d.conv(d.x), d.put("zero", d.x))))
    assert ops(graph) == ["input", "conv2d", "relu"]


def test_zero_into_concat_keeps_its_channels() -> None:
    d = Drawing()
    with_zero = d.graph(y=d.put("concat", d.put("zero", d.conv(d.x)), d.x))
    form = canonical(with_zero)
    assert [node.op for node in form.nodes] == ["input", "zero", "concat"]
    assert dict(form.nodes[1].attrs) == {"shape": (4, 8, 8)}
    assert costs(with_zero).shapes[-1] == (8, 8, 8)
    e = Drawing()
    other_order = e.graph(y=e.put("concat", e.x, e.put("zero", e.x)))
    assert graph_id(with_zero) != graph_id(other_order)


def test_what_only_zeros_reach_is_removed_even_where_it_would_be_a_constant() -> None:
    d = Drawing()
    graph = d.graph(y=d.put("add", d.x, d.put("relu", d.conv(d.put("zero", d.x)))))
    assert ops(graph) == ["input"]


def test_concat_of_zeros_only_is_dead_as_a_whole() -> None:
    d = Drawing()
    zeros = d.put("concat", d.put("zero", d.x), d.put("zero", d.x))
    graph = d.graph(y=d.put("add", d.put("concat", d.x, d.x), zeros))
    assert ops(graph) == ["input", "concat"]


def test_what_no_output_needs_is_removed_but_inputs_stay() -> None:
    d = Drawing()
    d.conv(d.x)
    used = d.input("used")
    graph = d.graph(y=d.put("relu", used))
    form = canonical(graph)
    assert ops(graph) == ["input", "input", "relu"]
    assert form.input_names == ("used", "x")


def test_output_cut_off_from_all_inputs_stays_as_zeros_of_its_shape() -> None:
    d = Drawing()
    cut = d.put("global_avg_pool", d.put("zero", d.x))
    form = canonical(d.graph(a=d.put("relu", d.x), b=cut))
    assert [node.op for node in form.nodes] == ["input", "relu", "zero"]
    assert form.outputs == (("a", 1), ("b", 2))
    assert dict(form.nodes[2].attrs) == {"shape": (4,)}
    assert form.nodes[2].inputs == ()


def test_nested_adds_are_flattened_in_any_nesting() -> None:
    ids = set()
    for nest in (
        lambda d, a, b, c: d.put("add", d.put("add", a, b), c),
        lambda d, a, b, c: d.put("add", a, d.put("add", b, c)),
        lambda d, a, b, c: d.put("add", d.put("add", a, d.put("identity", c)), b),
        lambda d, a, b, c: d.put("add", d.put("add", d.put("add", a), c), d.put("add", b)),
        lambda d, a, b, c: d.put("add", c, b, a),
    ):
        d = Drawing()
        graph = d.graph(y=nest(d, d.conv(d.x, 1), d.conv(d.x, 3), d.conv(d.x, 5)))
        assert ops(graph).count("add") == 1
        ids.add(graph_id(graph))
    assert len(ids) == 1


def test_chain_of_residual_blocks_keeps_its_sums_and_its_cost() -> None:
    d = Drawing()
    last = d.x
    for _ in range(30):
        last = d.put("add", last, d.conv(last))
    graph = d.graph(y=last)
    assert ops(graph).count("add") == 30
    assert sum(len(node.inputs) for node in canonical(graph).nodes) == 90


def test_doubling_sums_do_not_grow() -> None:
    d = Drawing()
    last = d.x
    for _ in range(60):
        last = d.put("add", last, last)
    assert len(canonical(d.graph(y=last)).nodes) == 61


def test_add_is_a_multiset() -> None:
    d = Drawing()
    once, twice, thrice = (d.graph(y=d.put("add", *[d.x] * times)) for times in (1, 2, 3))
    assert ops(once) == ["input"]
    assert len({graph_id(g) for g in (once, twice, thrice)}) == 3


@pytest.mark.parametrize("op", ["concat", "multiply"])
def test_ports_of_other_merges_are_ordered(op: str) -> None:
    d = Drawing()
    a, b = d.conv(d.x, 1), d.conv(d.x, 3)
    assert graph_id(d.graph(y=d.put(op, a, b))) != graph_id(d.graph(y=d.put(op, b, a)))
    assert graph_id(d.graph(y=d.put("add", a, b))) == graph_id(d.graph(y=d.put("add", b, a)))


def test_names_of_inputs_and_outputs_are_identity() -> None:
    def graph(name: str, out: str) -> ModelGraph:
        x = make("input", (), {"name": name, "shape": (4,)})
        return ModelGraph(nodes=(x, make("relu", (0,))), outputs=((out, 1),))

    assert len({graph_id(graph(a, b)) for a in "xz" for b in "yw"}) == 4


def test_swapped_outputs_are_another_network() -> None:
    d = Drawing()
    a, b = d.conv(d.x), d.put("relu", d.x)
    assert graph_id(d.graph(p=a, q=b)) != graph_id(d.graph(p=b, q=a))


def test_swapped_inputs_are_another_network_and_their_order_means_nothing() -> None:
    def graph(first: str, second: str, relu_on: str) -> ModelGraph:
        d = Drawing()
        d.nodes.clear()
        places = {name: d.input(name) for name in (first, second)}
        other = first if relu_on == second else second
        return d.graph(y=d.put("add", d.put("relu", places[relu_on]), places[other]))

    assert graph_id(graph("a", "b", "a")) == graph_id(graph("b", "a", "a"))
    assert graph_id(graph("a", "b", "a")) != graph_id(graph("a", "b", "b"))


def test_two_inputs_of_one_name_are_refused() -> None:
    d = Drawing()
    with pytest.raises(SpaceError, match="two inputs are named 'x'"):
        canonical(d.graph(y=d.put("add", d.x, d.input("x"))))


def test_one_shared_module_is_not_two_equal_ones_and_its_key_means_nothing() -> None:
    def chain(first: str | None, second: str | None) -> ModelGraph:
        d = Drawing()
        return d.graph(y=d.conv(d.put("relu", d.conv(d.x, shared=first)), shared=second))

    separate = {graph_id(chain(*keys)) for keys in ((None, None), ("a", "b"), ("a", None))}
    shared = {graph_id(chain("a", "a")), graph_id(chain("zz/top", "zz/top"))}
    assert len(separate) == len(shared) == 1
    assert separate.isdisjoint(shared)


def test_sharing_partner_decides_between_equal_branches() -> None:
    """Two equal branches of a sum: with which of two later layers one is shared does matter."""

    def graph(key: str) -> ModelGraph:
        d = Drawing()
        left = d.put("relu", d.conv(d.x, shared="a"))
        right = d.put("relu", d.conv(d.x, shared="b"))
        total = d.put("add", d.put("tanh", left), d.put("gelu", right))
        return d.graph(y=d.conv(total, shared=key))

    assert graph_id(graph("a")) != graph_id(graph("b"))


def test_sharing_of_an_operation_without_weights_means_nothing() -> None:
    d, e = Drawing(), Drawing()
    plain = d.graph(y=d.put("relu", d.conv(d.put("relu", d.x))))
    keyed = e.graph(y=e.put("relu", e.conv(e.put("relu", e.x, shared="r")), shared="r"))
    assert graph_id(plain) == graph_id(keyed)


def test_sharing_with_a_removed_node_ends() -> None:
    d, e = Drawing(), Drawing()
    d.conv(d.x, shared="m")
    cut = d.graph(y=d.conv(d.x, shared="m"))
    assert graph_id(cut) == graph_id(e.graph(y=e.conv(e.x)))


def test_unknown_operation_is_refused_with_its_path() -> None:
    x = make("input", (), {"name": "x", "shape": (4,)})
    graph = ModelGraph(nodes=(x, Node(op="relo", inputs=(0,), path="a/1")), outputs=(("y", 1),))
    with pytest.raises(
        SpaceError, match=r"^a/1: there is no operation 'relo'; did you mean 'relu'"
    ):
        graph_id(graph)


def test_canonical_form_is_its_own_canonical_form() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        form = canonical(random_graph(rng))
        again = canonical(ModelGraph(nodes=form.nodes, outputs=form.outputs))
        assert again == form
        assert canonical(form) is form


def test_id_does_not_depend_on_how_the_graph_is_written() -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        graph = random_graph(rng)
        other = rewritten(graph, rng)
        assert canonical(other) == canonical(graph)
        assert graph_id(other) == graph_id(graph)
        assert costs(other) == costs(graph)


def test_one_changed_operation_changes_the_id() -> None:
    rng = np.random.default_rng(9)
    for _ in range(100):
        form = canonical(random_graph(rng))
        for position, node in enumerate(form.nodes):
            if node.op == "relu":
                nodes = list(form.nodes)
                nodes[position] = make("softplus", node.inputs)
                changed = ModelGraph(nodes=tuple(nodes), outputs=form.outputs)
                assert graph_id(changed) != graph_id(form)


def test_ids_are_these_in_every_process_and_version() -> None:
    """Ids are stored: a change here makes every store forget what it knows."""
    d = Drawing()
    branches = [d.conv(d.x, shared="m"), d.conv(d.x, 5), d.conv(d.x, 5), d.put("zero", d.x)]
    total = d.put("dropout", d.put("add", *branches, d.put("identity", d.x)), rate=0.1)
    graph = d.graph(y=d.conv(d.put("concat", total, d.put("zero", d.x)), 1), z=total)
    e = Drawing((1, 28, 28))
    chain = e.graph(out=e.put("dense", e.put("flatten", e.conv(e.x)), units=10))
    assert graph_id(graph) == "ed2956767e5a8fab1b2a8abad9d37d60"
    assert graph_id(chain) == "f60ebcb745f95688f1283d23e6c9cf7d"


def random_graph(rng: np.random.Generator) -> ModelGraph:
    """Layers, sums, identities and zeros at random, on one shape; two outputs; some sharing."""
    d = Drawing((3,))
    places = [d.x, d.input("z", (3,))]
    for _ in range(int(rng.integers(3, 14))):
        chosen = [places[int(i)] for i in rng.integers(0, len(places), int(rng.integers(1, 4)))]
        op = str(rng.choice(["relu", "tanh", "dense", "identity", "zero", "add", "add"]))
        if op == "add":
            places.append(d.put("add", *chosen))
        elif op == "dense":
            key = str(rng.choice(["m", "n", ""])) or None
            places.append(d.put("dense", chosen[0], units=3, shared=key))
        else:
            places.append(d.put(op, chosen[0]))
    return d.graph(p=places[-1], q=places[-2])


def rewritten(graph: ModelGraph, rng: np.random.Generator) -> ModelGraph:
    """The same network: other node order, sums shuffled, identities and zeros put in, new keys."""
    order: list[int] = []
    waiting = set(range(len(graph.nodes)))
    while waiting:
        ready = [v for v in sorted(waiting) if waiting.isdisjoint(graph.nodes[v].inputs)]
        order.append(ready[int(rng.integers(len(ready)))])
        waiting.remove(order[-1])
    place: dict[int, int] = {}
    nodes: list[Node] = []
    for vertex in order:
        node = graph.nodes[vertex]
        inputs = [place[source] for source in node.inputs]
        if node.op == "add":
            inputs = [inputs[int(i)] for i in rng.permutation(len(inputs))]
            nodes.append(make("zero", (inputs[0],)))
            inputs.append(len(nodes) - 1)
        shared = None if node.shared is None else f"new/{node.shared}"
        nodes.append(Node(op=node.op, attrs=node.attrs, inputs=tuple(inputs), shared=shared))
        if rng.random() < 0.5:
            nodes.append(make("identity", (len(nodes) - 1,)))
        place[vertex] = len(nodes) - 1
    outputs = tuple((name, place[position]) for name, position in graph.outputs)
    return ModelGraph(nodes=tuple(nodes), outputs=outputs)


def test_a_changed_copy_of_a_canonical_form_is_not_taken_for_one() -> None:
    d = Drawing()
    form = canonical(d.graph(y=d.put("relu", d.x)))
    copy = replace(form, nodes=(*form.nodes, make("identity", (1,))), outputs=(("y", 2),))
    assert form.is_canonical
    assert not copy.is_canonical
    assert canonical(copy) == form
    assert pickle.loads(pickle.dumps(form)).is_canonical
