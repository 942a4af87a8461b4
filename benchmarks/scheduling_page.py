"""The generated part of ``docs/distributed/scheduling.md``, and its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from morphml.cli.simulating import figures_of
from morphml.scheduling.policies import POLICIES
from morphml.testing.simulator import SCENARIOS, Size, Summary, create_scenario
from morphml.testing.simulator.summary import Mean
from morphml.visualization.scheduling import plot_scheduling

DOCS = Path(__file__).resolve().parents[1] / "docs" / "distributed"
PAGE = DOCS / "scheduling.md"
PICTURE = DOCS / "scheduling.svg"
#: What is between two marks of such a name is made here.
BEGIN, END = "<!-- {}: begin, made by `{}` -->", "<!-- {}: end -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that was run."""

    #: Every policy in every scenario.
    compared: Sequence[Summary]
    #: Some policies on ever larger pools, one run each.
    large: Sequence[Summary]
    #: Some policies on one large pool, over all seeds.
    long: Sequence[Summary]
    #: Runs of real processes.
    predicted: Sequence[Mapping[str, object]]


def write_page(findings: Findings) -> None:
    """Put new figures between the marks of the page, and draw the picture anew."""
    parts = {
        "policies": policy_table(),
        "scenarios": scenario_table(),
        "figures": figures(findings),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, content in parts.items():
        page = put_between(page, name, content)
    PAGE.write_text(page, encoding="utf-8")
    PICTURE.write_text(
        plot_scheduling([figures_of(each) for each in findings.compared]).svg(), encoding="utf-8"
    )


def put_between(page: str, name: str, content: str, *, by: str = "make bench") -> str:
    """The page with new content between the marks of that name.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = BEGIN.format(name, by), END.format(name)
    if begin not in page or end not in page:
        raise ValueError(f"no marks of {name!r} on the page: {begin}")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def figures(findings: Findings) -> str:
    """The text between the marks."""
    compared, first, long = findings.compared, findings.compared[0], findings.long[0]
    parts = [
        f"Makespan over the lower bound in percent, {first.workers} workers of one slot, "
        f"{first.seeds} seeds, ± half of the 95 % confidence interval:",
        matrix(compared, lambda each: each.over_bound),
        "Useful slot time in percent: slots of living workers in which an attempt ran whose result "
        "was stored, until the queue ran dry:",
        matrix(compared, lambda each: each.useful),
        "Several experiments of different priority, scenario `priorities`: wait of 19 in 20 tasks "
        "in minutes, and Jain's index of slot time over priority while all three want slots:",
        priorities([each for each in compared if each.scenario == "priorities"]),
        "Large pools, scenario `heavy-tail` (20 tasks per slot, 1 % of the workers die in a "
        "minute), processor time of one decision with all that belongs to it (submit, decide, "
        "ended, breaker):",
        pools(findings.large),
        f"How such a search ends is mostly luck: a task of 50 minutes dies with its worker in two "
        f"of five attempts, and begins anew. {long.workers:,} workers, {long.seeds} seeds:",
        endings(findings.long),
        "50 real local processes that sleep 0.2 to 3 s, foretold by the simulator from the "
        "durations in their order, from the durations in any order, and from the time between two "
        "tasks that another run had shown:",
        foretold(findings.predicted),
        "![Policies by scenario](scheduling.svg)",
    ]
    return "\n\n".join(parts)


def matrix(compared: Sequence[Summary], figure: Callable[[Summary], Mean]) -> str:
    """Scenarios down, policies across."""
    policies = list(dict.fromkeys(each.policy for each in compared))
    found = {(each.scenario, each.policy): figure(each) for each in compared}
    lines = [head(["scenario", *policies])]
    lines += [
        line([scenario, *(cell(found[scenario, policy]) for policy in policies)])
        for scenario in dict.fromkeys(each.scenario for each in compared)
    ]
    return "\n".join(lines)


def priorities(summaries: Sequence[Summary]) -> str:
    """One line for each policy."""
    names = [f"priority {priority}" for priority in summaries[0].waits]
    lines = [head(["policy", *names, "fairness"])]
    for each in summaries:
        waits = [f"{wait.p95_s / 60:.1f}" for wait in each.waits.values()]
        lines.append(line([each.policy, *waits, f"{each.fairness.value:.2f}"]))
    return "\n".join(lines)


def pools(large: Sequence[Summary]) -> str:
    """One line for each policy and number of workers."""
    lines = [head(["policy", "workers", "slot use %", "useful %", "decisions/s", "us each"])]
    lines += [
        line(
            [
                each.policy,
                f"{each.workers:,}",
                f"{100 * each.slot_use.value:.1f}",
                f"{100 * each.useful.value:.1f}",
                f"{each.decisions_per_s:,.0f}",
                f"{each.decision_us.value:.0f}",
            ]
        )
        for each in large
    ]
    return "\n".join(lines)


def endings(long: Sequence[Summary]) -> str:
    """One line for each policy."""
    lines = [head(["policy", "makespan, min", "useful %", "attempts lost"])]
    lines += [
        line(
            [
                each.policy,
                f"{each.makespan_s.value / 60:.0f} ± {each.makespan_s.half / 60:.0f}",
                f"{100 * each.useful.value:.1f}",
                f"{each.lost.value:.0f}",
            ]
        )
        for each in long
    ]
    return "\n".join(lines)


def foretold(predicted: Sequence[Mapping[str, object]]) -> str:
    """One line for each real run."""
    keys = ("overhead_ms", "measured_s", "predicted_s", "off_percent")
    more = ("unordered_s", "unordered_off_percent")
    heads = ["run", "between tasks, ms", "measured, s", "foretold, s", "off by %"]
    lines = [head([*heads, "foretold in any order, s", "off by %"])]
    lines += [
        line([str(row["case"]), *(str(row[key]) for key in (*keys, *more))]) for row in predicted
    ]
    return "\n".join(lines)


def cell(mean: Mean) -> str:
    """A share in percent."""
    return f"{100 * mean.value:.1f} ± {100 * mean.half:.1f}"


def head(cells: Sequence[str]) -> str:
    """The two lines that a table begins with; all columns but the first hold numbers."""
    return line(cells) + "\n|---|" + "---:|" * (len(cells) - 1)


def line(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def policy_table() -> str:
    """What each policy is for."""
    return "\n".join(
        ["| policy | use it |", "|---|---|"]
        + [f"| `{name}` | {entry.use} |" for name, entry in POLICIES.items()]
    )


def scenario_table() -> str:
    """What each scenario is."""
    rows = [
        f"| `{name}` | {(make.__doc__ or '').splitlines()[0]} "
        f"| {create_scenario(name, Size(workers=1)).tasks} |"
        for name, make in SCENARIOS.items()
    ]
    return "\n".join(["| scenario | what happens | tasks per slot |", "|---|---|---:|", *rows])
