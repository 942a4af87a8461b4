"""Pictures and the report of a search, drawn from plain values.

matplotlib (extra ``viz``) is imported when the first picture is drawn.
"""

from morphml.visualization.architecture import plot_architecture
from morphml.visualization.comparison import plot_comparison
from morphml.visualization.convergence import plot_convergence
from morphml.visualization.curves import plot_curves
from morphml.visualization.importance import decision_importance, plot_importance
from morphml.visualization.parallel import plot_parallel
from morphml.visualization.pareto import plot_pareto
from morphml.visualization.plot import Plot
from morphml.visualization.points import (
    BestStep,
    TrialPoint,
    best_steps,
    pareto_front,
    ranked,
)
from morphml.visualization.report import ReportData, render_report

__all__ = [
    "BestStep",
    "Plot",
    "ReportData",
    "TrialPoint",
    "best_steps",
    "decision_importance",
    "pareto_front",
    "plot_architecture",
    "plot_comparison",
    "plot_convergence",
    "plot_curves",
    "plot_importance",
    "plot_parallel",
    "plot_pareto",
    "ranked",
    "render_report",
]
