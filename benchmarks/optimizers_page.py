"""The tables of docs/optimizers.md, from what ``morphml bench compare --json`` printed.

python -m benchmarks.optimizers_page cifar10.json cifar100.json imagenet16.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.bench_optimizers import REFERENCES
from benchmarks.nasbench201_table import BUDGETS, DATA_SETS

_PUBLISHED = {ours: published for published, ours in DATA_SETS.items()}


def table(document: dict[str, Any]) -> list[str]:
    """One data set's table, best after the first budget on top."""
    published = _PUBLISHED[document["problem"].split("/")[1]]
    heads = " | ".join(f"{budget}" for budget in BUDGETS)
    lines = [
        f"### {published}, {document['seeds']} seeds",
        "",
        f"| optimizer | {heads} | reference | points | networks | ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    optimizers = sorted(document["optimizers"], key=lambda each: each["marks"][0]["missing"][0])
    return lines + [_row(each, REFERENCES[published]) for each in optimizers]


def _row(each: dict[str, Any], references: dict[str, tuple[float, float, float]]) -> str:
    signs = {"beats": " +", "loses": " -", "": ""}
    marks = [
        f"{mark['missing'][0]:.3f} ± {mark['missing'][1]:.3f}{signs[mark['word']]}"
        for mark in each["marks"]
    ]
    reference = references.get(each["optimizer"])
    shown = " / ".join(f"{value:.3f}" for value in reference) if reference else ""
    counts = f"{each['unique_vectors']:.0f} | {each['unique_networks']:.0f}"
    return (
        f"| {each['optimizer']} | {' | '.join(marks)} | {shown} | {counts} | {each['ask_ms']:.1f} |"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    for file in parser.parse_args().files:
        print("\n".join([*table(json.loads(file.read_text(encoding="utf-8"))), ""]))


if __name__ == "__main__":
    main()
