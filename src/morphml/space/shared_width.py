"""Cells whose nodes share the channels of the output among them, as those of NAS-Bench-101 do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from morphml.errors import ShapeError
from morphml.space.places import Place
from morphml.space.tracing import Merger, Plan, Trace, channels_of, make


def shared_widths(
    wiring: Mapping[int, Sequence[int]], *, inputs: int, end: int, width: int
) -> dict[int, int]:
    """The channels of each node in use.

    Nodes with an edge to the output have equal shares of ``width``, the first ones one more where
    it does not divide; each other node has as many as the widest that it feeds.

    Args:
        wiring: of each node in use, and of the output, the vertices that it reads.
        inputs: vertices below it are the cell's inputs.
        end: the output.
        width: channels of the output.

    Raises:
        ShapeError: when there are fewer channels than nodes to share them.

    Source: Ying et al., NAS-Bench-101, ICML 2019 (arXiv:1902.09635), section 2.

    >>> shared_widths({1: [0], 2: [1], 3: [0], 4: [1, 2, 3]}, inputs=1, end=4, width=8)
    {1: 3, 2: 3, 3: 2}
    """
    ends = [vertex for vertex in wiring[end] if vertex >= inputs]
    if len(ends) > width:
        raise ShapeError(f"{width} channels cannot be shared by {len(ends)} nodes", shapes=())
    share, rest = divmod(width, max(1, len(ends)))
    made = {vertex: share + (place < rest) for place, vertex in enumerate(ends)}
    for vertex in sorted((v for v in wiring if v != end and v not in made), reverse=True):
        made[vertex] = max(
            made[t] for t, sources in wiring.items() if t in made and vertex in sources
        )
    return dict(sorted(made.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedWidth:
    """Lowers a cell whose operations are on its nodes.

    What a node reads from another is cut to the node's channels; what it reads from an input of
    the cell is brought to them by a 1x1 convolution with batch norm and ReLU. The output is the
    concatenation of the nodes with an edge to it, plus each input with such an edge, brought to its
    channels likewise.
    """

    #: Where the cell stands.
    place: Place
    inputs: int
    #: The vertex that stands for the output.
    end: int
    #: The operation of each node.
    plans: Mapping[int, Plan]
    mergers: Mapping[int, Merger]
    #: Merges what reaches the output.
    last: Merger

    def lower(
        self, trace: Trace, wiring: Mapping[int, Sequence[int]], values: list[int], width: int
    ) -> int:
        """The position of the cell's output.

        Args:
            trace: grows by the cell.
            wiring: see `shared_widths`.
            values: positions of the cell's inputs.
            width: channels of the output.

        Raises:
            ShapeError: for inputs that are no images, or too few channels.
        """
        widths = shared_widths(wiring, inputs=self.inputs, end=self.end, width=width)
        made = dict(enumerate(values))
        for node, channels in widths.items():
            arriving = [self._brought(trace, made, i, node, channels) for i in wiring[node]]
            made[node] = self.plans[node](trace, self.mergers[node].merge(trace, "add", arriving))
        sources = wiring[self.end]
        joined = [made[i] for i in sources if i >= self.inputs]
        parts = [self.last.merge(trace, "concat", joined)] if joined else []
        parts += [
            self._brought(trace, made, i, self.end, width) for i in sources if i < self.inputs
        ]
        return self.last.merge(trace, "add", parts)

    def _brought(
        self, trace: Trace, made: Mapping[int, int], source: int, target: int, channels: int
    ) -> int:
        """What a vertex reads from another, with the reader's channels."""
        position = made[source]
        name = "output" if target == self.end else f"node_{target}"
        path = self.place.unseen(name, f"from_{source}").node
        if source >= self.inputs:
            if channels_of(trace.shapes[position]) == channels:
                return position
            return make(trace, "narrow", (position,), {"channels": channels}, path)
        attrs = {"filters": channels, "kernel_size": 1, "bias": False}
        position = make(trace, "conv2d", (position,), attrs, f"{path}/conv2d")
        position = make(trace, "batch_norm", (position,), {}, f"{path}/batch_norm")
        return make(trace, "relu", (position,), {}, f"{path}/relu")
