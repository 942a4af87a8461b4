"""Experiments: make, look, control, delete."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import Depends, Query, Response
from pydantic import JsonValue

from morphml.engines.remote.access import Scope
from morphml.errors import ExperimentError
from morphml.ids import ExperimentId
from morphml.master.described import evaluator_of, options_of, space_of
from morphml.master.experiment import Experiment
from morphml.master.removing import remove_experiment
from morphml.master.resources import missing_on
from morphml.search.changes import ExperimentRecord
from morphml.search.experiment import ExperimentSpec, ExperimentState
from morphml.search.experiment_file import ExperimentFile, parse_experiment
from morphml.server.rest.answers import Key
from morphml.server.rest.documents import Written, written
from morphml.server.rest.problems import conflicts
from morphml.server.rest.routing import SCHEMAS, needs, resource
from morphml.server.rest.site import Here, Site
from morphml.server.rest.views import After, Id, Limit, PageView, View, json_of
from morphml.storage.hints import HintTopic

router = resource("experiments")

_SUBMIT = needs(Scope.SUBMIT)


class ExperimentView(View):
    """An experiment."""

    experiment_id: str
    name: str
    status: ExperimentState
    #: Why it ended, or stands still.
    reason: str
    #: Numbers taken, and how many may be.
    trials: int
    budget: int
    #: 1 to 10, higher goes first.
    priority: int
    optimizer: str
    #: Metric to its better direction; the first is the fitness.
    objectives: dict[str, str]
    #: Seconds since the Unix epoch, and seconds that it was driven.
    created_at: float
    spent_seconds: float

    @classmethod
    def of(cls, record: ExperimentRecord) -> Self:
        """The view of an experiment."""
        spec = ExperimentSpec.from_json(record.spec)
        return cls(
            experiment_id=record.id,
            name=record.name,
            status=record.state,
            reason=record.reason,
            trials=record.next_number,
            budget=record.budget,
            priority=record.priority,
            optimizer=spec.optimizer.name,
            objectives={each.name: each.text for each in spec.objectives},
            created_at=record.created_at,
            spent_seconds=record.spent_s,
        )


class WholeExperimentView(ExperimentView):
    """An experiment with what it waits for."""

    #: Unfinished tasks by state.
    tasks: dict[str, int]
    #: What its trials need and no worker has; empty while some worker can run one.
    waits_for: list[str]
    spec: dict[str, JsonValue]

    @classmethod
    def whole(cls, here: Site, record: ExperimentRecord) -> Self:
        """The view of an experiment as it is now."""
        open_ = record.state in (ExperimentState.QUEUED, ExperimentState.RUNNING)
        needed = ExperimentSpec.from_json(record.spec).resources
        lacks = missing_on(here.workers.all(), needed) if open_ else ()
        return cls(
            **ExperimentView.of(record).model_dump(),
            tasks={state.value: n for state, n in here.store.task_counts(record.id).items()},
            waits_for=[str(lack) for lack in lacks],
            spec=json_of(record.spec),
        )


class ExperimentsView(PageView):
    """Some experiments, newest first."""

    experiments: list[ExperimentView]


Document = Annotated[Written, Depends(written)]


@router.post(
    "/api/v1/experiments",
    status_code=201,
    openapi_extra=needs(
        Scope.SUBMIT,
        requestBody={
            "required": True,
            "content": {
                kind: {"schema": {"$ref": f"{SCHEMAS}ExperimentFile"}}
                for kind in ("application/json", "application/yaml")
            },
        },
    ),
)
def create(
    document: Document, here: Here, response: Response, key: Key = None
) -> WholeExperimentView:
    """Make an experiment of what an experiment file says, and leave it to the masters."""
    file = _checked(document)
    request: dict[str, JsonValue] = {"do": "create experiment", "text": document.text}
    made = here.answers.once(key, request, lambda: {"id": _create(here, file)})
    record = here.store.experiment(ExperimentId(str(made["id"])))
    response.headers["Location"] = f"/api/v1/experiments/{record.id}"
    return WholeExperimentView.whole(here, record)


@router.get("/api/v1/experiments", openapi_extra=_SUBMIT)
def list_experiments(
    here: Here,
    status: Annotated[ExperimentState | None, Query(description="Only those in it.")] = None,
    after: After = None,
    limit: Limit = 50,
) -> ExperimentsView:
    """Experiments, newest first."""
    records = here.store.experiments()
    places = {record.id: place for place, record in enumerate(records)}
    begin = places.get(ExperimentId(after), len(records)) + 1 if after else 0
    found = [each for each in records[begin:] if status in (None, each.state)]
    more = len(found) > limit
    return ExperimentsView(
        experiments=[ExperimentView.of(each) for each in found[:limit]],
        next=found[limit - 1].id if more else None,
    )


@router.get("/api/v1/experiments/{experimentId}", openapi_extra=_SUBMIT)
def show(experimentId: Id, here: Here) -> WholeExperimentView:
    """An experiment, and what it waits for."""
    return WholeExperimentView.whole(here, here.store.experiment(ExperimentId(experimentId)))


@router.post("/api/v1/experiments/{experimentId}/pause", openapi_extra=_SUBMIT)
def pause(experimentId: Id, here: Here) -> ExperimentView:
    """Ask whoever drives it to leave off; `running` until that is so."""
    return _stopped(here, ExperimentId(experimentId), "paused on request")


@router.post("/api/v1/experiments/{experimentId}/stop", openapi_extra=_SUBMIT)
def stop(experimentId: Id, here: Here) -> ExperimentView:
    """The same under the name that the command line has; what was finished stays."""
    return _stopped(here, ExperimentId(experimentId), "stopped on request")


@router.post("/api/v1/experiments/{experimentId}/resume", openapi_extra=_SUBMIT)
def resume(experimentId: Id, here: Here) -> ExperimentView:
    """Leave it to the masters again: it goes on where it was."""
    record = here.store.experiment(ExperimentId(experimentId))
    with conflicts():
        here.store.cluster.submit(record.id, record.priority)
    here.store.hints.send(HintTopic.WORK)
    return ExperimentView.of(here.store.experiment(record.id))


@router.delete(
    "/api/v1/experiments/{experimentId}",
    openapi_extra=_SUBMIT,
    status_code=204,
    response_class=Response,
)
def delete(experimentId: Id, here: Here) -> None:
    """Delete it with its trials and files; one that waits or runs has to be stopped first."""
    experiment = ExperimentId(experimentId)
    with conflicts():
        remove_experiment(here.store, experiment, here.folder(experiment))


def _checked(document: Written) -> ExperimentFile:
    file = parse_experiment(document.text, "the body")
    for name in ("storage", "workers", "engine"):
        if getattr(file, name) not in (None, "remote"):
            raise ExperimentError(
                f"{name}: leave it out; the experiment runs on the workers of this server's store"
            )
    return file


def _create(here: Site, file: ExperimentFile) -> str:
    with Experiment.create(
        space_of(file),
        evaluator_of(file),
        storage=here.settings.storage,
        engine="remote",
        **options_of(file, {}),
    ) as made:
        made.submit()
        return made.id


def _stopped(here: Site, experiment: ExperimentId, reason: str) -> ExperimentView:
    with conflicts():
        if here.store.experiment(experiment).state is not ExperimentState.PAUSED:
            here.store.set_state(experiment, ExperimentState.PAUSED, reason)
    return ExperimentView.of(here.store.experiment(experiment))
