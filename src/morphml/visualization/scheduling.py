"""Simulated schedules in pictures: policies side by side, scenario by scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, TypeAlias

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
    look,
)
from morphml.visualization.scales import wide

if TYPE_CHECKING:  # matplotlib comes when a picture is drawn
    from matplotlib.axes import Axes

#: Colour and marker tell policies apart, also in grey.
_MARKS = (
    *((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (RED, "D"), (PURPLE, "v"), (SKY, "P")),
    *((INK, "X"), (GREY, "*"), (BLUE, "<"), (ORANGE, ">")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFigures:
    """One policy in one scenario: means over seeds, with half of their 95 % intervals."""

    scenario: str
    policy: str
    #: Percent of the slots' time in attempts whose result was stored, until the queue ran dry.
    use: tuple[float, float]
    #: Percent by which the makespan exceeds the lower bound.
    over_bound: tuple[float, float]
    #: Seconds that 19 of 20 tasks waited at most, of the most important experiment.
    wait_s: tuple[float, float]
    #: Processor microseconds of one decision.
    decision_us: tuple[float, float]


_CAPTION = "Means over seeds with 95 % confidence intervals; the lower bound is beyond any policy."
_PANELS: tuple[tuple[str, Callable[[PolicyFigures], tuple[float, float]]], ...] = (
    ("useful slot time, %", lambda each: each.use),
    ("makespan over the lower bound, %", lambda each: each.over_bound),
    ("wait of 19 in 20, s", lambda each: each.wait_s),
    ("one decision, us", lambda each: each.decision_us),
)


def plot_scheduling(figures: Sequence[PolicyFigures]) -> Plot:
    """A panel for each figure: scenarios from top to bottom, policies by colour and mark.

    Args:
        figures: at least one; scenarios and policies in the order in which they are drawn.
    """
    scenarios = list(dict.fromkeys(each.scenario for each in figures))
    policies = list(dict.fromkeys(each.policy for each in figures))
    with look():
        from matplotlib.figure import Figure  # noqa: PLC0415 heavy, and an optional extra

        height = 1.6 + len(scenarios) * (0.3 + 0.08 * len(policies))
        figure = Figure(figsize=(12.5, height), layout="constrained")
        panels = figure.subplots(1, len(_PANELS), sharey=True)
        for axes, (title, value) in zip(panels, _PANELS, strict=True):
            _panel(axes, title, figures, value)
            axes.set_yticks(range(len(scenarios)), scenarios)
            axes.set_ylim(len(scenarios) - 0.5, -0.5)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(8, len(policies)))
    return Plot(figure)


def _panel(
    axes: Axes,
    title: str,
    figures: Sequence[PolicyFigures],
    value: Callable[[PolicyFigures], tuple[float, float]],
) -> None:
    scenarios = list(dict.fromkeys(each.scenario for each in figures))
    policies = list(dict.fromkeys(each.policy for each in figures))
    axes.set_xlabel(title)
    for place, policy in enumerate(policies):
        mine = [each for each in figures if each.policy == policy]
        offset = 0.7 * ((place + 0.5) / len(policies) - 0.5)
        colour, mark = _MARKS[place % len(_MARKS)]
        axes.errorbar(
            [value(each)[0] for each in mine],
            [scenarios.index(each.scenario) + offset for each in mine],
            xerr=[value(each)[1] for each in mine],
            color=colour,
            marker=mark,
            markersize=5,
            linestyle="none",
            linewidth=1.2,
            label=policy,
        )
    if wide([value(each)[0] for each in figures]):
        from matplotlib.ticker import FormatStrFormatter, NullFormatter  # noqa: PLC0415 as above

        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.xaxis.set_minor_formatter(NullFormatter())


#: Title, heads and rows.
TableParts: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[object]]]


def scheduling_page(figures: Sequence[PolicyFigures], tables: Sequence[TableParts]) -> str:
    """A page with the picture and the tables, as HTML text that needs nothing else.

    Raises:
        MissingExtraError: when matplotlib is not installed.
    """
    page = Template(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    drawn = image(plot_scheduling(figures).svg(), _CAPTION)
    return page.substitute(
        title=text("Simulated schedules"),
        state=text("simulated"),
        state_class="",
        subtitle=text(_CAPTION),
        tiles="",
        sections=join(
            [
                section("Policies", drawn),
                *(section(title, table(heads, rows)) for title, heads, rows in tables),
            ]
        ),
        footer=text("Made by morphml simulate."),
    )
