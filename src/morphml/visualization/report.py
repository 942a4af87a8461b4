"""One self-contained HTML page about a search: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from string import Template

from morphml.errors import MissingExtraError
from morphml.search.objectives import Objective
from morphml.visualization.convergence import plot_convergence
from morphml.visualization.importance import decision_importance, plot_importance
from morphml.visualization.markup import (
    Clipped,
    Markup,
    duration,
    element,
    image,
    join,
    number,
    picture,
    section,
    table,
    text,
)
from morphml.visualization.parallel import plot_parallel
from morphml.visualization.pareto import plot_pareto
from morphml.visualization.points import DecisionValue, TrialPoint, pareto_front, ranked, trial_text

#: Rows of the table of best trials.
MOST_ROWS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """All that a report says; texts may hold anything, they are escaped."""

    name: str
    #: An ``ExperimentState`` word.
    state: str
    #: Why the search ended or paused.
    reason: str = ""
    #: The first is the fitness.
    objectives: Sequence[Objective]
    #: Bounds as text, such as ``params <= 500_000``.
    constraints: Sequence[str] = ()
    points: Sequence[TrialPoint]
    #: Drawing of the best architecture as SVG text, such as ``morphml.graph.to_svg`` makes; it is
    #: shown as an image, so that its styles and whatever else it holds stay inside.
    drawing: str | None = None
    #: Seconds of wall time over all runs.
    wall_s: float = 0.0
    #: Failure kind and message of each failed trial.
    failures: Sequence[tuple[str, str]] = ()
    #: Label to value of what fixes the search: optimizer, seed, budget, evaluator.
    settings: Mapping[str, object] = field(default_factory=dict)
    #: The search space in its text form.
    space: str = ""
    #: How to see or go on with this search, one shell line each.
    commands: Sequence[str] = ()
    #: Package to version.
    versions: Mapping[str, str] = field(default_factory=dict)
    #: When the report was made, seconds since the Unix epoch.
    made_at: float


def render_report(data: ReportData) -> str:
    """The page as HTML text.

    Raises:
        MissingExtraError: when matplotlib is not installed.
    """
    page = Template(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    finished = data.state == "completed"
    best = ranked(data.points, *data.objectives)
    parts = [
        _best(data, best),
        _convergence(data),
        _trade_off(data),
        _decisions(data),
        _table(data, best),
        _failures(data),
        _reproduce(data),
    ]
    return page.substitute(
        title=text(data.name),
        state=text(data.state),
        state_class="" if finished else " unfinished",
        subtitle=text(data.reason),
        tiles=join(_tiles(data, best)),
        sections=join(part for part in parts if part),
        footer=_footer(data),
    )


def _tiles(data: ReportData, best: Sequence[TrialPoint]) -> list[Markup]:
    fitness = data.objectives[0].name
    states = Counter(point.state for point in data.points)
    facts = [
        (number(best[0].metrics[fitness]) if best else "none yet", f"best {fitness}"),
        (number(len(data.points)), "trials"),
        (number(states["failed"] + states["dead"]), "failed"),
        (duration(data.wall_s), "wall time"),
    ]
    computed = [("params", "parameters of the best"), ("flops", "FLOPs of the best")]
    shown = [(best[0].metrics[m], label) for m, label in computed if best and m in best[0].metrics]
    facts += [(number(value), label) for value, label in shown]
    return [
        element("div", Markup(element("b", text(value)) + element("span", text(label))), "tile")
        for value, label in facts
    ]


def _best(data: ReportData, best: Sequence[TrialPoint]) -> Markup:
    if not best:
        message = element("p", text("No trial has a result yet."), "empty")
        return section("Best architecture", message)
    first = best[0]
    rows = list(first.decisions.items())
    title = f"Best architecture: {trial_text(first.number)}"
    listed = section(title, table(("decision", "value"), rows))
    if data.drawing is None:
        return listed
    caption = "The network that is built; shapes are without the batch axis."
    drawn = section("Its model graph", image(data.drawing, caption))
    return element("div", join([listed, drawn]), "pair")


def _convergence(data: ReportData) -> Markup:
    objective = data.objectives[0]
    by_trial = plot_convergence(data.points, objective).svg()
    by_time = plot_convergence(data.points, objective, by="time").svg()
    return element(
        "div",
        join(
            [
                section("Progress by trial", picture(by_trial, "Each dot is a trial.")),
                section("Progress by time", picture(by_time, "Dots stand where trials ended.")),
            ]
        ),
        "pair",
    )


def _trade_off(data: ReportData) -> Markup:
    if len(data.objectives) < 2:
        return Markup("")
    names = [objective.name for objective in data.objectives]
    front = pareto_front(data.points, data.objectives)
    rows = [(p.number, *(p.metrics[name] for name in names)) for p in front[:MOST_ROWS]]
    drawn = picture(
        plot_pareto(data.points, data.objectives).svg(),
        "No trial is better in both objectives than one on the line.",
    )
    listed = table(("trial", *names), rows)
    return element(
        "div",
        join([section("Trade-off", drawn), section("Pareto front", listed)]),
        "pair",
    )


def _decisions(data: ReportData) -> Markup:
    objective = data.objectives[0]
    parts = []
    try:
        shares = decision_importance(data.points, objective)
        bars = plot_importance(data.points, objective).svg()
        how = "How much worse a random forest predicts when a decision is shuffled."
        parts.append(section("Which decisions matter", picture(bars, how)))
    except MissingExtraError as error:
        shares = {}
        parts.append(section("Which decisions matter", element("p", text(error), "empty")))
    lines = plot_parallel(data.points, objective, paths=list(shares)).svg()
    caption = "A line is a trial, its colour the result; the thick one is the best."
    return join([*parts, section("All trials", picture(lines, caption))])


def _table(data: ReportData, best: Sequence[TrialPoint]) -> Markup:
    names = sorted({name for point in best for name in point.metrics})
    names = [*dict.fromkeys([*(o.name for o in data.objectives), *names])]
    rows = [
        (
            point.number,
            *(point.metrics.get(name, "") for name in names),
            duration(point.duration_s),
            point.state if point.feasible else f"{point.state}, breaks a constraint",
            Clipped(_one_line(point.decisions)),
        )
        for point in best[:MOST_ROWS]
    ]
    heads = ("trial", *names, "time", "state", "decisions")
    return section("Best trials", table(heads, rows, mark_first=True)) if rows else Markup("")


def _failures(data: ReportData) -> Markup:
    if not data.failures:
        return Markup("")
    kinds = Counter(kind for kind, _ in data.failures)
    example = {kind: message for kind, message in reversed(data.failures)}
    rows = [(kind, count, example[kind]) for kind, count in kinds.most_common()]
    return section("Failed trials", table(("kind", "trials", "first message"), rows))


def _reproduce(data: ReportData) -> Markup:
    bounds = ", ".join(data.constraints) or "none"
    goals = ", ".join(f"{o.name} ({o.text})" for o in data.objectives)
    rows = [("objectives", goals), ("constraints", bounds), *data.settings.items()]
    parts = [table(("setting", "value"), [(key, str(value)) for key, value in rows])]
    if data.commands:
        parts.append(element("pre", text("\n".join(data.commands))))
    if data.space:
        summary = element("summary", text("Search space"))
        parts.append(element("details", join([summary, element("pre", text(data.space))])))
    return section("How to get this again", join(parts))


def _footer(data: ReportData) -> Markup:
    made = datetime.fromtimestamp(data.made_at, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    versions = ", ".join(f"{name} {version}" for name, version in data.versions.items())
    return text(f"Made {made}. {versions}")


def _one_line(decisions: Mapping[str, DecisionValue]) -> str:
    return ", ".join(f"{path}={_brief(value)}" for path, value in decisions.items())


def _brief(value: DecisionValue) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
