"""``evaluate``: scores a trained architecture on given data, or with a function of the user's own.

Config: see ``subject``; also ``weights`` (a file of a train job), ``data`` (what to score on; by
default the evaluator's own) and ``part`` (``train``, ``validation``, ``test`` or ``all`` of it; by
default ``all`` of given data, else ``validation``). With ``function`` an import path is called with
the architecture, the weights and the rest of ``arguments``, and returns metrics. Outputs:
``metrics``, and how many ``samples`` they are of.
"""

from __future__ import annotations

from collections.abc import Mapping

from morphml.errors import WorkflowError
from morphml.evaluation.metrics import check_metrics
from morphml.evaluation.training import Classification, Regression
from morphml.jobs import python
from morphml.jobs.contract import JobRun
from morphml.jobs.subject import architecture_of, data_of, evaluator_of, settled, weights_of
from morphml.optimizers.events import JSON

_KEYS = ("architecture", "weights", "evaluator", "arguments", "data", "part", "epochs", "function")


def run(config: Mapping[str, JSON], run: JobRun) -> Mapping[str, object]:
    """Score once.

    Raises:
        WorkflowError: when the config has another form, or the evaluator cannot score weights.
        Exception: whatever a function raises.
    """
    config = settled(config, _KEYS, run)
    architecture, weights = architecture_of(config, run), weights_of(config, run)
    if weights is None:
        raise WorkflowError(
            f"job {run.job}: weights: which? A train job puts them out: ${{train.weights}}"
        )
    if "function" in config:
        arguments = config.get("arguments", {})
        if not isinstance(arguments, Mapping):
            raise WorkflowError(f"job {run.job}: arguments: expected values by name")
        found = python.loaded(config["function"], run)(architecture, weights, **arguments)
        if not isinstance(found, Mapping):
            raise WorkflowError(f"job {run.job}: function: expected a mapping of metrics")
        return {"metrics": check_metrics(found.items(), "returned")}
    evaluator = evaluator_of(config, run)
    if not isinstance(evaluator, Classification | Regression):
        raise WorkflowError(
            f"job {run.job}: only built-in evaluators score weights; name a function for others: "
            "function: 'package.module:score', called as score(architecture, weights)"
        )
    given = config.get("data")
    data = None if given is None else data_of(given, run)
    part = config.get("part", "validation" if data is None else "all")
    if not isinstance(part, str):
        raise WorkflowError(f"job {run.job}: part: expected a name, got {part!r}")
    metrics, samples = evaluator.score(
        architecture, weights, part=part, device=run.device, data=data
    )
    return {"metrics": metrics, "samples": samples, "part": part}
