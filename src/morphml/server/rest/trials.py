"""What an experiment found: trials, the best, the Pareto front, files to take away."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Self

import orjson
from fastapi import Query, Response
from pydantic import JsonValue

from morphml.engines.remote.access import Scope
from morphml.ids import ExperimentId
from morphml.master.evaluated import EvaluatedTrial
from morphml.master.experiment import Experiment
from morphml.master.result import Result
from morphml.search.changes import ExperimentRecord, TrialRecord
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.server.rest.problems import Refused, conflicts
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here, Site
from morphml.server.rest.views import Id, Limit, PageView, View, json_of
from morphml.space import SearchSpace
from morphml.space.plain_values import plain_decisions
from morphml.space.text import parse_space

router = resource("experiments")

_SUBMIT = needs(Scope.SUBMIT)
Number = Annotated[int, Query(ge=-(2**31), le=2**31)]


class TrialView(View):
    """A trial."""

    number: int
    status: TrialState
    metrics: dict[str, float]
    #: Path to value, hyperparameters among them.
    decisions: dict[str, JsonValue]
    epochs: int
    duration_seconds: float

    @classmethod
    def of(cls, record: TrialRecord, space: SearchSpace) -> Self:
        """The view of a stored trial."""
        architecture = space.architecture(tuple(orjson.loads(record.vector)))
        return cls(
            number=record.number,
            status=record.state,
            metrics={**record.computed, **record.metrics},
            decisions=json_of(plain_decisions(architecture.decisions)),
            epochs=record.epochs,
            duration_seconds=record.duration_s,
        )

    @classmethod
    def evaluated(cls, trial: EvaluatedTrial) -> Self:
        """The view of a trial with a result."""
        return cls(
            number=trial.number,
            status=trial.state,
            metrics=dict(trial.metrics),
            decisions=json_of(plain_decisions(trial.decisions)),
            epochs=trial.epochs,
            duration_seconds=trial.duration_s,
        )


class TrialsView(PageView):
    """Some trials, by number."""

    trials: list[TrialView]


class FrontView(View):
    """Trials that no other dominates, best first by the first objective."""

    trials: list[TrialView]


@router.get("/api/v1/experiments/{experimentId}/trials", openapi_extra=_SUBMIT)
def trials(
    experimentId: Id,
    here: Here,
    after: Annotated[int, Query(ge=-1, le=2**53)] = -1,
    limit: Limit = 50,
) -> TrialsView:
    """Trials with a number above `after`."""
    record = here.store.experiment(ExperimentId(experimentId))
    space = _space(record)
    found = list(islice(here.store.trials(record.id, after), limit + 1))
    return TrialsView(
        trials=[TrialView.of(each, space) for each in found[:limit]],
        next=str(found[limit - 1].number) if len(found) > limit else None,
    )


@router.get("/api/v1/experiments/{experimentId}/best", openapi_extra=_SUBMIT)
def best(experimentId: Id, here: Here) -> TrialView:
    """The best trial that keeps every constraint; a conflict where there is none yet."""
    result = _result(here, experimentId)
    with conflicts():
        return TrialView.evaluated(result.best)


@router.get("/api/v1/experiments/{experimentId}/pareto-front", openapi_extra=_SUBMIT)
def pareto_front(experimentId: Id, here: Here) -> FrontView:
    """Trials that no other dominates."""
    front = _result(here, experimentId).pareto_front
    return FrontView(trials=[TrialView.evaluated(trial) for trial in front])


class Form(StrEnum):
    """What an experiment can be taken away as."""

    PYTHON = "py"
    JSON = "json"
    SVG = "svg"
    CSV = "csv"
    HTML = "html"


def _python(result: Result, number: int | None, path: Path) -> None:
    _chosen(result, number).architecture.to_python(path)


def _json(result: Result, number: int | None, path: Path) -> None:
    path.write_bytes(orjson.dumps(_chosen(result, number).to_json(), option=orjson.OPT_INDENT_2))


def _svg(result: Result, number: int | None, path: Path) -> None:
    path.write_text(_chosen(result, number).architecture.svg(), encoding="utf-8")


def _csv(result: Result, number: int | None, path: Path) -> None:
    result.trials.to_csv(path, index=False)


def _html(result: Result, number: int | None, path: Path) -> None:
    result.report(path)


Writer = Callable[[Result, int | None, Path], None]
_WRITERS: Mapping[Form, tuple[Writer, str]] = {
    Form.PYTHON: (_python, "text/x-python"),
    Form.JSON: (_json, "application/json"),
    Form.SVG: (_svg, "image/svg+xml"),
    Form.CSV: (_csv, "text/csv"),
    Form.HTML: (_html, "text/html"),
}


@router.get(
    "/api/v1/experiments/{experimentId}/export",
    openapi_extra=_SUBMIT,
    response_class=Response,
    responses={
        200: {
            "description": "The file, to be kept and not to be shown.",
            "content": {kind: {} for _, kind in _WRITERS.values()},
        }
    },
)
def export(
    experimentId: Id,
    here: Here,
    form: Annotated[Form, Query(alias="format")] = Form.JSON,
    trial: Annotated[Number | None, Query(description="This one, not the best.")] = None,
) -> Response:
    """The best architecture as source, JSON or a drawing; all trials as CSV; the report as HTML."""
    result = _result(here, experimentId)
    write, kind = _WRITERS[form]
    with tempfile.TemporaryDirectory(prefix="morphml-export-") as folder, conflicts():
        path = Path(folder, f"{result.record.id}.{form.value}")
        write(result, trial, path)
        content = path.read_bytes()
    headers = {
        "Content-Disposition": f'attachment; filename="{path.name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=kind, headers=headers)


def _chosen(result: Result, number: int | None) -> EvaluatedTrial:
    return result.best if number is None else result.trial(number)


def _result(here: Site, experiment: str) -> Result:
    record = here.store.experiment(ExperimentId(experiment))
    folder = here.folder(record.id)
    return Experiment(here.store, record.id, _space(record), None, folder).result()


def _space(record: ExperimentRecord) -> SearchSpace:
    text = ExperimentSpec.from_json(record.spec).space
    if text is None:
        raise Refused(
            409,
            "space-holds-code",
            f"experiment {record.id}: its space holds code that only its own program can load; "
            "look at it there, or with `morphml show`",
        )
    return parse_space(text)
