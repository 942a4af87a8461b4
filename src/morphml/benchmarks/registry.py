"""Every benchmark by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkEntry:
    """One line of the list that people choose from."""

    #: What it is, in one sentence.
    use: str
    #: Data sets or spaces to choose from; the first is the default.
    data_sets: tuple[str, ...]
    #: What a search may see; the first is the default.
    protocols: tuple[str, ...]
    #: What must be there.
    needs: str
    #: Where it is described.
    source: str


#: Every benchmark. A file name in the place of a name is a table of one's own.
BENCHMARKS: Mapping[str, BenchmarkEntry] = {
    "nasbench201": BenchmarkEntry(
        use="15,625 trained cells of six edges, with latencies on 27 devices",
        data_sets=("cifar100", "cifar10", "imagenet16"),
        protocols=("direct", "cheap", "latency"),
        needs="nb201.npz (--path, MORPHML_DATA, ../shared/data) or NATS-tss-*.pickle.pbz2 (--path)",
        source="Dong and Yang, 2020",
    ),
    "nasbench101": BenchmarkEntry(
        use="423,624 trained cells of up to seven nodes",
        data_sets=("cifar10",),
        protocols=("direct", "cheap"),
        needs="--path to a published nasbench_*.tfrecord",
        source="Ying et al., 2019",
    ),
    "nasbench301": BenchmarkEntry(
        use="a surrogate of DARTS cells, 34 decisions: an ensemble of XGBoost models",
        data_sets=("cifar10",),
        protocols=("direct",),
        needs="--path to a folder of models saved as JSON, see the source",
        source="Zela et al., 2022; docs/tabular-benchmarks.md",
    ),
    "digits-cells": BenchmarkEntry(
        use="4,096 cells of 1,011 networks, trained on digits, with all curves; comes with MorphML",
        data_sets=("digits",),
        protocols=("direct", "validation", "cheap", "cheap-1", "cheap-6", "size"),
        needs="nothing; --path for a table of `morphml bench make-table`",
        source="docs/tabular-benchmarks.md",
    ),
    "synthetic": BenchmarkEntry(
        use="networks at a known distance from a planted one",
        data_sets=("cell", "cnn"),
        protocols=("direct",),
        needs="nothing",
        source="docs/optimizers.md",
    ),
}
