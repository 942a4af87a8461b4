"""What a Ray node tells of itself, in the words in which trials ask for it."""

from __future__ import annotations

from morphml.engines.ray.planning import Node, Posting

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
    if (memory := node.total.get("memory", 0.0)) > 0:
        cores = max(node.total.get("CPU", 0.0), posting.cpu)
        offers["memory"] = posting.memory or memory * posting.cpu / cores
    return offers


def _is_custom(name: str) -> bool:
    return name not in _OWN and not name.startswith(_OWN_PREFIXES) and "_group_" not in name
