"""How many free graphs there are: counted node by node, without listing them."""

from __future__ import annotations

from collections import defaultdict
from math import comb


def graphs(inputs: int, nodes: int, most: int, weight: int) -> int:
    """The number of free graphs with labelled nodes, each node on a path from input to output.

    Args:
        inputs: vertices that need no source and may be unread.
        nodes: most nodes.
        most: most edges.
        weight: ways that a node's operation can be.

    Cost: O(nodes^4 most) additions at worst.

    The cells of NAS-Bench-101 before isomorphic ones are counted as one:

    >>> graphs(inputs=1, nodes=5, most=9, weight=3)
    1824025
    """
    return sum(
        comb(nodes, size) * weight**size * sum(wirings(inputs, size, most).values())
        for size in range(nodes + 1)
    )


def wirings(inputs: int, size: int, most: int) -> dict[int, int]:
    """Number of wirings of ``size`` nodes, all in use, by their number of edges (up to ``most``).

    The state while nodes are added in order is (nodes that nobody reads yet, edges so far); the
    output must read all that are left.
    """
    states: dict[tuple[int, int], int] = {(0, 0): 1}
    for position in range(size):
        following: dict[tuple[int, int], int] = defaultdict(int)
        for (unread, edges), ways in states.items():
            others = inputs + position - unread
            for taken in range(unread + 1):
                for more in range(others + 1):
                    total = edges + taken + more
                    if taken + more and total <= most:
                        factor = comb(unread, taken) * comb(others, more)
                        following[unread - taken + 1, total] += ways * factor
        states = following
    ends: dict[int, int] = defaultdict(int)
    for (unread, edges), ways in states.items():
        others = inputs + size - unread
        for more in range(others + 1):
            if unread + more and edges + unread + more <= most:
                ends[edges + unread + more] += ways * comb(others, more)
    return ends
