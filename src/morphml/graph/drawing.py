"""Drawing of a model graph as a self-contained SVG text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from morphml.graph.layout import Layout, layered
from morphml.graph.operation import CUSTOM_PREFIX, Catalogue, Operation
from morphml.graph.operations import OPERATIONS
from morphml.graph.operations.elementwise import ACTIVATIONS
from morphml.graph.shapes import infer_shapes
from morphml.graph.values import ModelGraph, Node, Shape, Value

_LINE = 15
_BOX_PADDING = 9
_ROW_GAP = 34
_MARGIN = 24
_LETTER = 7.2
#: (fill, border) of the boxes of a kind of operation.
_TONES = {
    "port": ("#eceff3", "#7b8794"),
    "weights": ("#e3eefb", "#3b78c2"),
    "merge": ("#fdf0dc", "#c98a1b"),
    "activation": ("#e6f4e7", "#4c9a52"),
    "shape": ("#f1e9f8", "#8a5bb5"),
    "custom": ("#fbe6ec", "#c2466b"),
}
_STYLE = (
    ".model-graph text{font:12px ui-monospace,Menlo,Consolas,monospace;text-anchor:middle;"
    "fill:#1f2933}.model-graph .op{font-weight:600}.model-graph .small{font-size:11px;"
    "fill:#52606d}.model-graph .edge{fill:none;stroke:#7b8794;stroke-width:1.3}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """What stands in one box."""

    lines: tuple[str, ...]
    tone: str
    inputs: tuple[int, ...]
    #: True: edges may arrive in any order.
    unordered: bool = False
    shared: bool = False

    @property
    def width(self) -> float:
        """Width of the longest line with its padding."""
        return max(len(line) for line in self.lines) * _LETTER + 2 * _BOX_PADDING

    @property
    def height(self) -> float:
        """Height of all lines with their padding."""
        return len(self.lines) * _LINE + 2 * _BOX_PADDING - 2


def to_svg(graph: ModelGraph, catalogue: Catalogue = OPERATIONS, *, title: str = "") -> str:
    """The graph as it stands (not its canonical form) as SVG text that loads nothing.

    Each box shows the operation, the attributes that differ from their defaults, the output shape
    and the number of parameters. All text is escaped.

    Args:
        graph: what to draw.
        catalogue: where the operations are looked up.
        title: name of the drawing for readers and screen readers.

    >>> x = OPERATIONS.node("input", (), {"name": "x", "shape": (4,)})
    >>> to_svg(ModelGraph(nodes=(x,), outputs=(("y", 0),)))[:35]
    '<svg xmlns="http://www.w3.org/2000/'

    Raises:
        ShapeError: shapes do not fit.
        SpaceError: an operation that the catalogue does not know.
    """
    boxes = _boxes(graph, catalogue)
    layout = layered([box.inputs for box in boxes], [box.width for box in boxes])
    tops, total_height = _row_tops(boxes, layout)
    width, height = layout.width + 2 * _MARGIN, total_height + 2 * _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="{-_MARGIN} {-_MARGIN} {width:.0f} {height:.0f}" '
            'class="model-graph" role="img">',
            f"<title>{_text(title or 'model graph')}</title><style>{_STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0.8 7.5 4 0 7.2z" fill="#7b8794"/>'
            "</marker></defs>",
            f'<rect x="{-_MARGIN}" y="{-_MARGIN}" width="100%" height="100%" fill="#fff"/>',
            *_edges(boxes, layout, tops),
            *(_draw(box, layout.x[i], tops[layout.layer[i]]) for i, box in enumerate(boxes)),
            "</svg>",
        ]
    )


def _boxes(graph: ModelGraph, catalogue: Catalogue) -> list[_Box]:
    shapes = infer_shapes(graph, catalogue)
    boxes = []
    for position, node in enumerate(graph.nodes):
        operation = catalogue.at(node)
        inputs = tuple([shapes[source] for source in node.inputs])
        params = operation.count(inputs, shapes[position], dict(node.attrs)).params
        boxes.append(
            _Box(
                lines=_lines(node, operation, shapes[position], params),
                tone=_tone(node, operation),
                inputs=node.inputs,
                unordered=operation.commutative,
                shared=node.shared is not None,
            )
        )
    for name, position in graph.outputs:
        boxes.append(_Box(lines=(f"output {name}",), tone="port", inputs=(position,)))
    return boxes


def _lines(node: Node, operation: Operation, shape: Shape, params: int) -> tuple[str, ...]:
    attrs = dict(node.attrs)
    head = node.op.removeprefix(CUSTOM_PREFIX)
    if node.op == "input":
        head = f"input {attrs['name']}"
    elif node.shared is not None:
        head = f"{head} (shared {node.shared})"
    lines = [head]
    if said := _attributes(node, operation):
        lines += _wrapped(said)
    last = f"{_shape(shape)} {attrs['dtype']}" if node.op == "input" else _shape(shape)
    lines.append(f"{last} · {params:,} params" if params else last)
    return tuple(lines)


def _attributes(node: Node, operation: Operation) -> list[str]:
    """The attributes that differ from their defaults."""
    attrs = dict(node.attrs)
    hidden = ("name", "shape", "dtype") if node.op == "input" else ()
    said = []
    for attribute in operation.attributes:
        value = attrs.get(attribute.name)
        usual = attrs.get(attribute.same_as) if attribute.same_as else attribute.default
        if attribute.name not in hidden and (attribute.required or value != usual):
            said.append(f"{attribute.name}={_value(value)}")
    return said


def _wrapped(said: list[str]) -> list[str]:
    """Attributes two to a line."""
    return [", ".join(said[i : i + 2]) for i in range(0, len(said), 2)]


def _value(value: Value) -> str:
    if isinstance(value, tuple):
        return _shape(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shape(shape: Shape) -> str:
    return " × ".join(map(str, shape)) or "scalar"


def _tone(node: Node, operation: Operation) -> str:
    if node.op.startswith(CUSTOM_PREFIX):
        return "custom"
    if node.op in ("input", "zero"):
        return "port"
    if operation.parametric:
        return "weights"
    if operation.arity[1] is None:
        return "merge"
    return "activation" if node.op in (*ACTIVATIONS, "softmax", "dropout") else "shape"


def _row_tops(boxes: list[_Box], layout: Layout) -> tuple[list[float], float]:
    """Top of every row, and the height of all."""
    heights = [0.0] * (max(layout.layer) + 1)
    for box, layer in zip(boxes, layout.layer, strict=True):
        heights[layer] = max(heights[layer], box.height)
    tops, y = [], 0.0
    for height in heights:
        tops.append(y)
        y += height + _ROW_GAP
    return tops, y - _ROW_GAP


def _edges(boxes: list[_Box], layout: Layout, tops: list[float]) -> list[str]:
    drawn = []
    bottoms = [top - _ROW_GAP for top in tops[1:]]
    for vertex, box in enumerate(boxes):
        ends = _arrivals(box, vertex, layout)
        for port, source in enumerate(box.inputs):
            top = tops[layout.layer[source]]
            points = [(layout.x[source], top + boxes[source].height)]
            for x, layer in layout.bends[vertex][port]:
                points += [(x, tops[layer]), (x, bottoms[layer])]
            points.append((ends[port], tops[layout.layer[vertex]] - 1))
            drawn.append(f'<path class="edge" d="{_curve(points)}" marker-end="url(#tip)"/>')
    return drawn


def _arrivals(box: _Box, vertex: int, layout: Layout) -> list[float]:
    """Where the edges arrive on the upper side, in port order from the left unless unordered."""
    count = len(box.inputs)
    step = min(14.0, box.width / (count + 1))
    places = [layout.x[vertex] + (i - (count - 1) / 2) * step for i in range(count)]
    if not box.unordered:
        return places
    chains = layout.bends[vertex]
    coming = [c[-1][0] if c else layout.x[s] for c, s in zip(chains, box.inputs, strict=True)]
    ends = [0.0] * count
    for place, port in zip(places, sorted(range(count), key=coming.__getitem__), strict=True):
        ends[port] = place
    return ends


def _curve(points: list[tuple[float, float]]) -> str:
    """A path that leaves and arrives vertically at every point."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in rest:
        if abs(next_x - x) < 0.5:
            path.append(f"L{next_x:.1f} {next_y:.1f}")
        else:
            middle = (y + next_y) / 2
            path.append(
                f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}"
            )
        x, y = next_x, next_y
    return "".join(path)


def _draw(box: _Box, x: float, y: float) -> str:
    fill, border = _TONES[box.tone]
    dash = ' stroke-dasharray="5 3"' if box.shared else ""
    drawn = [
        f'<rect x="{x - box.width / 2:.1f}" y="{y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="6" fill="{fill}" stroke="{border}"{dash}/>'
    ]
    for number, line in enumerate(box.lines):
        baseline = y + _BOX_PADDING + _LINE * number + 10
        style = "small" if number else "op"
        drawn.append(f'<text class="{style}" x="{x:.1f}" y="{baseline:.1f}">{_text(line)}</text>')
    return "".join(drawn)


def _text(line: str) -> str:
    """Escaped text; characters that XML does not allow become a replacement mark."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line))
