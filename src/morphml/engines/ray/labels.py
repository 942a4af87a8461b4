"""What a Ray node tells of itself, in the words in which trials ask for it."""

from __future__ import annotations

from morphml.engines.ray.planning import Node, Posting

#: What every worker on a Ray node offers.
ON_RAY = "ray"
#: Resources that Ray makes by itself, or that are offered as amounts.
_OWN = ("CPU", "GPU", "memory", "object_store_memory")
_OWN_PREFIXES = ("node:", "accelerator_type:", "bundle_")


def offers_of(node: Node, posting: Posting) -> dict[str, float]:
    """What the worker offers beside what it finds by itself on its machine.

    Ray's custom resources become labels of the same name, its labels become ``key=value``.
    """
    offers = {name: amount for name, amount in node.total.items() if _is_custom(name)}
    for key, value in node.labels.items():
        if not key.startswith("ray.io/node-id"):
            offers[f"{key}={value}"] = 1.0
    offers["cpu"] = posting.cpu
    offers[ON_RAY] = 1.0
    if (memory := node.total.get("memory", 0.0)) > 0:
        cores = max(node.total.get("CPU", 0.0), posting.cpu)
        offers["memory"] = posting.memory or memory * posting.cpu / cores
    return offers


def could_offer(node: Node) -> dict[str, float]:
    """What a worker that has the node for itself would offer."""
    total = node.total
    gpu, memory = total.get("GPU", 0.0), total.get("memory", 0.0)
    alone = Posting(node=node.id, slots=1, cpu=total.get("CPU", 0.0), gpu=gpu, memory=memory)
    return offers_of(node, alone) | ({"gpu": gpu} if gpu else {})


def _is_custom(name: str) -> bool:
    return name not in _OWN and not name.startswith(_OWN_PREFIXES) and "_group_" not in name
