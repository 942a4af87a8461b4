"""Which workers a Ray cluster should have."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from morphml.engines.ray.labels import could_offer, offers_of
from morphml.engines.ray.planning import Node, Posting, SlotShape, plan

GIB = float(1 << 30)


def node(name: str = "a", *, cpu: float = 4, free: float | None = None, **more: float) -> Node:
    total = {"CPU": float(cpu), "memory": 8 * GIB, **more}
    return Node(
        id=name, name=name, total=total, free={**total, "CPU": cpu if free is None else free}
    )


def test_each_free_node_gets_a_worker_with_all_its_room() -> None:
    found = plan([node("a"), node("b", cpu=2)], [], SlotShape(), math.inf)
    assert [(each.node, each.slots, each.cpu) for each in found] == [("a", 4, 4.0), ("b", 2, 2.0)]


def test_no_more_slots_are_taken_than_are_wanted() -> None:
    found = plan([node("a"), node("b"), node("c")], [], SlotShape(), 5)
    assert [(each.node, each.slots) for each in found] == [("a", 4), ("b", 1)]


def test_slots_that_are_there_count() -> None:
    there = Posting(node="a", slots=3, cpu=3.0)
    assert plan([node("a"), node("b")], [there], SlotShape(), 3) == []
    (more,) = plan([node("b", free=2)], [there], SlotShape(), 8)
    assert (more.node, more.slots) == ("b", 2)


def test_a_worker_that_the_cluster_has_not_booked_yet_is_not_started_twice() -> None:
    asked = Posting(node="a", slots=4, cpu=4.0)
    assert plan([node("a", free=4)], [asked], SlotShape(), math.inf) == []


def test_nodes_that_are_drained_get_no_worker() -> None:
    leaving = replace(node("a"), leaves_in_s=math.inf)
    found = plan([leaving, node("b")], [], SlotShape(), math.inf)
    assert [each.node for each in found] == ["b"]


def test_what_others_use_is_left_to_them() -> None:
    (found,) = plan([node("a", free=1.5)], [], SlotShape(), math.inf)
    assert found.slots == 1
    assert plan([node("a", free=0.5)], [], SlotShape(), math.inf) == []


def test_a_slot_that_needs_more_leaves_room_for_fewer() -> None:
    shape = SlotShape(cpu=3.0, memory=2 * GIB)
    (found,) = plan([node("a", cpu=16)], [], shape, math.inf)
    assert (found.slots, found.cpu, found.memory) == (4, 12.0, 8 * GIB)


def test_a_node_with_gpus_gets_a_slot_for_each_where_nothing_was_said() -> None:
    (found,) = plan([node("a", cpu=16, GPU=2.0)], [], SlotShape(), math.inf)
    assert (found.slots, found.gpu, found.cpu) == (2, 2.0, 2.0)


def test_slots_share_whole_gpus() -> None:
    shape = SlotShape(gpu=0.3)
    (found,) = plan([node("a", cpu=16, GPU=2.0)], [], shape, math.inf)
    assert (found.slots, found.gpu) == (6, 2.0)
    (fewer,) = plan([node("a", cpu=16, GPU=2.0)], [], shape, 3)
    assert (fewer.slots, fewer.gpu) == (3, 1.0)


def test_a_slot_of_several_gpus_takes_them_on_one_node() -> None:
    nodes = [node("a", GPU=3.0), node("b", GPU=1.0), node("c")]
    (found,) = plan(nodes, [], SlotShape(gpu=2.0), math.inf)
    assert (found.node, found.slots, found.gpu) == ("a", 1, 2.0)


def test_a_node_without_gpus_gets_nothing_where_they_are_needed() -> None:
    assert plan([node("a")], [], SlotShape(gpu=0.5), math.inf) == []


@given(
    cpus=st.lists(st.integers(0, 40), max_size=6),
    shape=st.builds(SlotShape, cpu=st.sampled_from([0.5, 1.0, 3.0])),
    wanted=st.one_of(st.just(math.inf), st.integers(0, 60)),
)
def test_plans_fit_and_are_carried_out_once(
    cpus: list[int], shape: SlotShape, wanted: float
) -> None:
    nodes = [node(str(i), cpu=cpu) for i, cpu in enumerate(cpus)]
    found = plan(nodes, [], shape, wanted)
    assert sum(each.slots for each in found) <= wanted
    assert all(each.slots >= 1 and each.cpu <= cpus[int(each.node)] for each in found)
    most = sum(int(cpu / shape.cpu) for cpu in cpus)
    assert sum(each.slots for each in found) == min(most, wanted)
    assert plan(nodes, found, shape, wanted) == []


def test_custom_resources_and_labels_are_what_trials_ask_for() -> None:
    there = Node(
        id="a",
        name="a",
        total={
            "CPU": 8.0,
            "GPU": 1.0,
            "memory": 8 * GIB,
            "object_store_memory": GIB,
            "node:10.0.0.1": 1.0,
            "accelerator_type:H100": 1.0,
            "CPU_group_0_abc": 4.0,
            "ssd": 1.0,
        },
        free={},
        labels={"zone": "eu-1", "ray.io/node-id": "a"},
    )
    offers = offers_of(there, Posting(node="a", slots=2, cpu=2.0))
    assert offers == {"ssd": 1.0, "zone=eu-1": 1.0, "cpu": 2.0, "memory": 2 * GIB, "ray": 1.0}
    alone = could_offer(there)
    assert (alone["cpu"], alone["gpu"], alone["memory"]) == (8.0, 1.0, 8 * GIB)
    assert alone["zone=eu-1"] == alone["ssd"] == 1.0
