"""Problems whose every answer is known, and the comparison of optimizers on them."""

from morphml.benchmarks.campaign import Campaign, competitors, run_campaign
from morphml.benchmarks.comparison import Comparison, compare
from morphml.benchmarks.curve import Curve
from morphml.benchmarks.digits_cells import digits_cells
from morphml.benchmarks.nasbench101 import nasbench101
from morphml.benchmarks.nasbench201 import find_nasbench201, nasbench201
from morphml.benchmarks.nasbench301 import nasbench301
from morphml.benchmarks.peers import PEERS
from morphml.benchmarks.playing import key_of, play
from morphml.benchmarks.problem import Measure, Problem
from morphml.benchmarks.registry import BENCHMARKS
from morphml.benchmarks.run import Run, RunKey
from morphml.benchmarks.simulated import simulate, with_workers
from morphml.benchmarks.synthetic import synthetic
from morphml.benchmarks.table import table

__all__ = [
    "BENCHMARKS",
    "PEERS",
    "Campaign",
    "Comparison",
    "Curve",
    "Measure",
    "Problem",
    "Run",
    "RunKey",
    "compare",
    "competitors",
    "digits_cells",
    "find_nasbench201",
    "key_of",
    "nasbench101",
    "nasbench201",
    "nasbench301",
    "play",
    "run_campaign",
    "simulate",
    "synthetic",
    "table",
    "with_workers",
]
