"""A model graph as a picture: the drawing of ``morphml.graph.to_svg``, also as PNG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from morphml.graph import ModelGraph, to_svg
from morphml.visualization.plot import Plot, look

if TYPE_CHECKING:  # matplotlib comes when a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.path import Path

#: Drawing units of ``to_svg`` (pixels) per inch.
_UNITS_PER_INCH = 96
_SVG = "{http://www.w3.org/2000/svg}"
_STEP = re.compile(r"([MLC])([^MLC]*)")
_EDGE, _INK, _SOFT = "#7b8794", "#1f2933", "#52606d"


def plot_architecture(graph: ModelGraph) -> Plot:
    """The graph as it stands, input above, output below.

    Raises:
        ShapeError: shapes do not fit.
        SpaceError: an operation that is not known.
        MissingExtraError: when matplotlib is not installed.
    """
    root = ET.fromstring(to_svg(graph))  # noqa: S314 the text is our own
    left, top, width, height = (float(word) for word in root.attrib["viewBox"].split())
    with look():
        from matplotlib.figure import Figure  # noqa: PLC0415 heavy, and an optional extra

        figure = Figure(figsize=(width / _UNITS_PER_INCH, height / _UNITS_PER_INCH))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(left, left + width)
        axes.set_ylim(top + height, top)
        axes.set_axis_off()
        for element in root:
            _draw(axes, element)
    return Plot(figure)


def _draw(axes: Axes, element: ET.Element) -> None:
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch  # noqa: PLC0415 heavy, optional

    facts = element.attrib
    match element.tag.removeprefix(_SVG):
        case "path":
            arrow = FancyArrowPatch(
                path=_path(facts["d"]),
                arrowstyle="-|>",
                mutation_scale=8,
                color=_EDGE,
                linewidth=1.0,
            )
            axes.add_patch(arrow)
        case "rect" if "stroke" in facts:
            box = FancyBboxPatch(
                (float(facts["x"]), float(facts["y"])),
                float(facts["width"]),
                float(facts["height"]),
                boxstyle="round,pad=0,rounding_size=6",
                facecolor=facts["fill"],
                edgecolor=facts["stroke"],
                linestyle="--" if "stroke-dasharray" in facts else "-",
            )
            axes.add_patch(box)
        case "text":
            head = facts.get("class") == "op"
            axes.text(
                float(facts["x"]),
                float(facts["y"]),
                element.text or "",
                ha="center",
                family="monospace",
                fontsize=8.5 if head else 7.8,
                fontweight="bold" if head else "normal",
                color=_INK if head else _SOFT,
            )
        case _:
            pass  # title, style, marker and paper


def _path(steps: str) -> Path:
    """The curve that an SVG path of M, L and C steps draws."""
    from matplotlib.path import Path  # noqa: PLC0415 heavy, and an optional extra

    kinds = {"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4}
    points: list[tuple[float, float]] = []
    codes: list[int] = []
    for letter, numbers in _STEP.findall(steps):
        values = [float(word) for word in numbers.split()]
        pairs = list(zip(values[::2], values[1::2], strict=True))
        points += pairs
        codes += [int(kinds[letter])] * len(pairs)
    return Path(points, codes)
