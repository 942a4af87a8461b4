"""Which job types there are, and whose rights a job needs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from morphml.errors import WorkflowError
from morphml.jobs import runs_as
from morphml.jobs.registry import JOB_TYPES, job_type
from morphml.optimizers.events import JSON
from morphml.workflow.types import JOB_TYPES as KNOWN

OWN = "morphml.evaluation.training.classification:Classification"


def test_every_type_that_workflows_know_runs_but_the_search() -> None:
    assert {*JOB_TYPES, "search"} == set(KNOWN)
    assert all(callable(job_type(name)) for name in JOB_TYPES)
    with pytest.raises(WorkflowError, match="search"):
        job_type("search")


@pytest.mark.parametrize(
    ("type", "config", "rights"),
    [
        ("python", {}, "python"),
        ("shell", {}, "shell"),
        ("preprocessing", {}, "preprocessing"),
        ("preprocessing", {"function": "a:b"}, "python"),
        ("train", {"evaluator": {"classification": {}}}, "train"),
        ("train", {"search": {"evaluator": OWN}}, "train"),
        ("train", {"search": {"evaluator": "subprocess:Popen"}}, "python"),
        ("train", {"search": {"evaluator": OWN}, "evaluator": "os:link"}, "python"),
        ("train", {}, "python"),
        ("evaluate", {"evaluator": OWN}, "evaluate"),
        ("evaluate", {"evaluator": OWN, "function": "a:b"}, "python"),
        ("export", {"to": "model.py"}, "export"),
        ("export", {"to": "../model.py"}, "python"),
        ("own-type", {"function": "a:b"}, "own-type"),
    ],
)
def test_what_calls_code_that_it_names_needs_the_rights_of_python(
    type: str, config: Mapping[str, JSON], rights: str
) -> None:
    assert runs_as(type, config) == rights
