"""What optimizers still miss after each evaluation, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template

from morphml.visualization.markup import image, join, section, table, text
from morphml.visualization.plot import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    Plot,
    canvas,
)

_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, INK, GREY)
_DASHES = ("-", "--", "-.", ":")
_CAPTION = "Means over seeds; the bands are 95 % confidence intervals."


def plot_anytime(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    label: str,
    times: Sequence[float] | None = None,
) -> Plot:
    """A line with a band for each optimizer, by number of evaluations or by simulated time.

    Args:
        curves: optimizer to (mean, half the interval) after 1, 2, ... evaluations; >= 0.
        title: of the picture.
        label: of the vertical axis, with the unit.
        times: seconds that take the place of 1, 2, ... evaluations.
    """
    with canvas(7.6, 4.6) as (figure, axes):
        axes.set_title(title)
        axes.set_xlabel("evaluations" if times is None else "simulated time (s)")
        axes.set_ylabel(label)
        axes.set_yscale("symlog", linthresh=_threshold(curves))
        for place, (name, curve) in enumerate(curves.items()):
            places = range(1, len(curve) + 1) if times is None else times
            points = zip(places, curve, strict=True)
            shown = [(n, m, h) for n, (m, h) in points if math.isfinite(m)]
            at = [n for n, _, _ in shown]
            mean = [m for _, m, _ in shown]
            half = [h if math.isfinite(h) else 0.0 for _, _, h in shown]
            colour = _COLOURS[place % len(_COLOURS)]
            dash = _DASHES[place // len(_COLOURS) % len(_DASHES)]
            axes.plot(at, mean, color=colour, linestyle=dash, linewidth=1.6, label=name)
            low = [max(0.0, m - h) for m, h in zip(mean, half, strict=True)]
            high = [m + h for m, h in zip(mean, half, strict=True)]
            axes.fill_between(at, low, high, color=colour, alpha=0.12, linewidth=0)
        axes.set_ylim(bottom=0.0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        figure.legend(loc="outside right upper")
    return Plot(figure)


def _threshold(curves: Mapping[str, Sequence[tuple[float, float]]]) -> float:
    """Below it the axis is linear, so that 0 has a place."""
    means = [m for curve in curves.values() for m, _ in curve if math.isfinite(m) and m > 0]
    return max(means, default=1.0) / 100


def anytime_page(
    picture: Plot,
    title: str,
    tables: Mapping[str, tuple[Sequence[str], Sequence[Sequence[object]]]],
) -> str:
    """A page with the picture and the tables, as HTML text that needs nothing else.

    Args:
        picture: what ``plot_anytime`` drew.
        title: of the page.
        tables: heads and rows by title.
    """
    page = Template(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=text(title),
        state=text("benchmark"),
        state_class="",
        subtitle=text(_CAPTION),
        tiles="",
        sections=join(
            [
                section("What is missing", image(picture.svg(), _CAPTION)),
                *(section(name, table(heads, rows)) for name, (heads, rows) in tables.items()),
            ]
        ),
        footer=text("Made by morphml bench compare."),
    )
