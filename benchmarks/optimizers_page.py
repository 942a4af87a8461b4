"""The tables of docs/optimizers.md, from searches that a folder holds.

    python -m benchmarks.optimizers_page bench-results --json docs/optimizers-measured.json

Of every problem the seeds that all of the optimizers chosen have are compared, paired by seed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.bench_optimizers import REFERENCES
from benchmarks.nasbench201_table import BUDGETS, DATA_SETS
from morphml.benchmarks import Comparison, Run, compare
from morphml.benchmarks.campaign import kept

_PUBLISHED = {ours: published for published, ours in DATA_SETS.items()}
_SIGNS = {"beats": " +", "loses": " -", "": ""}


def compared(runs: Iterable[Run], names: list[str], baseline: str) -> Comparison | None:
    """The comparison over the seeds that all have; None where somebody is missing."""
    by_name: dict[str, dict[int, Run]] = {}
    for run in runs:
        by_name.setdefault(run.key.optimizer, {})[run.key.seed] = run
    chosen = [name for name in names if name in by_name] if names else list(by_name)
    if baseline not in chosen:
        return None
    seeds = set.intersection(*(set(by_name[name]) for name in chosen))
    if not seeds:
        return None
    together = [by_name[name][seed] for name in chosen for seed in sorted(seeds)]
    marks = [budget for budget in BUDGETS if budget <= together[0].key.trials]
    return compare(together, unit="points", baseline=baseline, marks=marks)


def table(made: Comparison) -> list[str]:
    """One problem's table, best after the first budget on top."""
    published = _PUBLISHED.get(made.problem.split("/")[1], "") if "/" in made.problem else ""
    references = REFERENCES.get(published, {})
    marks = made.standings[0].marks
    heads = " | ".join(f"{mark.evaluations}" for mark in marks)
    lines = [
        f"### {published or made.problem}, {made.seeds} seeds",
        "",
        f"| optimizer | {heads} | reference | against {made.baseline} | points | networks | wasted "
        "| ms |",
        "|---" * (len(marks) + 7) + "|",
    ]
    for each in sorted(made.standings, key=lambda each: each.marks[0].missing.mean):
        figures = [
            f"{m.missing.mean:.3f} ± {m.missing.half:.3f}{_SIGNS[m.word]}" for m in each.marks
        ]
        reference = references.get(each.optimizer)
        shown = " / ".join(f"{value:.3f}" for value in reference) if reference else ""
        apart = " / ".join(
            f"{m.apart.mean:+.3f} ± {m.apart.half:.3f}" for m in each.marks if m.apart is not None
        )
        networks = "" if each.networks is None else f"{each.networks:.0f}"
        cells = [each.optimizer, *figures, shown, apart, f"{each.vectors:.0f}", networks]
        cells += [f"{each.wasted:.0f}", f"{each.ask_ms:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def verdicts(made: Comparison) -> list[str]:
    """In words, against the baseline."""
    lines = []
    for each in made.standings:
        words = " / ".join(mark.verdict(made.margin) for mark in each.marks)
        if each.optimizer != made.baseline:
            lines.append(f"| {made.problem} | {each.optimizer} | {made.baseline} | {words} |")
    return lines


def by_network(made: Comparison) -> list[str]:
    """What is missing after evaluations of so many different networks."""
    places = [mark.evaluations for mark in made.standings[0].marks]
    lines = []
    for each in made.standings:
        if each.by_network:
            found = [each.by_network[min(p, len(each.by_network)) - 1] for p in places]
            cells = [f"{one.mean:.3f} ± {one.half:.3f}" for one in found]
            lines.append(f"| {made.problem} | {each.optimizer} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Print the tables; write the document where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--optimizers", default="", help="names with commas; all by default")
    parser.add_argument("--baselines", default="local_search,evolution")
    parser.add_argument("--json", type=Path, help="where to write all of it, curves included")
    options = parser.parse_args()
    names = [name for name in options.optimizers.split(",") if name]
    documents: list[dict[str, Any]] = []
    said: list[str] = []
    networks: list[str] = []
    for file in sorted(options.folder.glob("*.jsonl")):
        runs = list(kept(file))
        for place, baseline in enumerate(options.baselines.split(",")):
            made = compared(runs, names, baseline)
            if made is None:
                continue
            documents.append(_rounded(made.document()))
            said += verdicts(made)
            if place == 0:
                print("\n".join([*table(made), ""]))
                networks += by_network(made)
    print("\n".join(["| problem | optimizer | against | 50 / 100 / 200 |", "|---|---|---|---|"]))
    print("\n".join([*said, "", "By network:", ""]))
    print(
        "\n".join(["| problem | optimizer | 50 | 100 | 200 |", "|---|---|---|---|---|", *networks])
    )
    if options.json is not None:
        options.json.write_text(json.dumps(documents, separators=(",", ":")) + "\n")


def _rounded(value: Any) -> Any:
    """The same with five significant decimals of every number: what a reader can use."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
