"""From documents to workflows: defaults, the REST example, and every mistake with its place."""

from __future__ import annotations

import json

import pytest
from tests.unit.workflow.building import document, job

from morphml.errors import DocumentError, WorkflowError
from morphml.workflow import OnFailure, parse_workflow, read_workflow
from morphml.workflow.ancestors import Ancestors


def mistakes(*jobs: dict[str, object], **fields: object) -> dict[str, str]:
    with pytest.raises(WorkflowError) as caught:
        parse_workflow(document(*jobs, **fields))
    return {".".join(map(str, path)): what for path, what in caught.value.mistakes}


def test_a_job_without_more_than_a_type_has_the_documented_defaults() -> None:
    (only,) = parse_workflow(document({"id": "a", "type": "python"})).jobs
    assert (only.name, only.depends_on, only.priority, only.max_retries) == ("a", (), 5, 3)
    assert (only.timeout_s, only.on_failure) == (300.0, OnFailure.FAIL)


@pytest.mark.parametrize("kind", ["search", "train"])
def test_searches_and_trainings_have_no_time_limit_of_their_own(kind: str) -> None:
    free, limited = parse_workflow(
        document({"id": "a", "type": kind}, {"id": "b", "type": kind, "timeout": "1h 30m"})
    ).jobs
    assert (free.timeout_s, limited.timeout_s) == (None, 5400.0)


def test_a_pipeline_as_a_rest_client_sends_it_is_read() -> None:
    body = json.loads(
        '{"workflowId":"training-pipeline-1","jobs":[{"id":"job-1","name":"Data Preprocessing",'
        '"type":"preprocessing","dependsOn":[],"config":{}}],"parallelism":10}'
    )
    read = parse_workflow(body)
    assert (read.id, read.parallelism) == ("training-pipeline-1", 10)
    assert read.jobs[0].name == "Data Preprocessing"


@pytest.mark.parametrize(
    ("jobs", "where", "what"),
    [
        ([], "jobs", "at least 1 item"),
        ([job("a"), job("a")], "jobs.1.id", "the id 'a' is that of job 1"),
        ([job("item")], "jobs.0.id", "a meaning of its own"),
        ([job("a b")], "jobs.0.id", "should match"),
        ([job("a", "a")], "jobs.0.dependsOn.0", "depends on itself"),
        ([job("prepare"), job("b", "prepar")], "jobs.1.dependsOn.0", "did you mean 'prepare'"),
        ([job("a"), job("b", "a", "a")], "jobs.1.dependsOn.1", "twice"),
        (
            [job("x"), job("a", "c", "x"), job("b", "a"), job("c", "b")],
            "jobs.1.dependsOn",
            "a waits for c waits for b waits for a",
        ),
        ([{"id": "a", "type": "pythn"}], "jobs.0.type", "did you mean 'python'"),
        ([job("a", resources={"gpu": 1.5})], "jobs.0.resources", "gpu"),
        ([job("a", priority=11)], "jobs.0.priority", "less than or equal to 10"),
        ([job("a", timeout=0)], "jobs.0.timeout", "greater than 0"),
        ([job("a", timeout="soon")], "jobs.0.timeout", "a duration is"),
        ([job("a", onFailure="stop")], "jobs.0.onFailure", "expected one of fail, skip, continue"),
        ([job("a", dependson=[])], "jobs.0.dependson", "did you mean 'dependsOn'"),
        ([job("a", config={"x": "${b.y}"}), job("b")], "jobs.0.config", "add it to dependsOn"),
        ([job("a", config={"x": "${a b}"})], "jobs.0.config", "a reference is a job and"),
        ([job("a", config={"x": "${item}"})], "jobs.0.config", "a part of forEach"),
        ([job("a", config={"x": "${execution.name}"})], "jobs.0.config", "${execution.id} only"),
        ([job("a"), job("b", "a", forEach="all ${a.x}")], "jobs.1.forEach", "one reference"),
        ([job("a", config={"x": [{"y": 10**40}]})], "jobs.0.config.x", "41 digits, at most 2**63"),
        ([job("a", config={"x": float("inf")})], "jobs.0.config.x", "inf is no number"),
        ([job("a", when="open('x')")], "jobs.0.when", "\"open('x')\" is not allowed"),
        ([job("a", when="${b.x} > 1"), job("b")], "jobs.0.when", "add it to dependsOn"),
    ],
)
def test_each_mistake_is_told_with_its_path(
    jobs: list[dict[str, object]], where: str, what: str
) -> None:
    found = mistakes(*jobs)
    assert where in found
    assert what in found[where]
    assert len(found) == 1


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(job("a", "x"), {"id": "b", "type": "nothing"}, job("b"))
    assert set(found) == {"jobs.0.dependsOn.0", "jobs.1.type", "jobs.2.id"}


def test_no_more_than_fifty_mistakes_are_told() -> None:
    assert len(mistakes(*(job(f"j{n}", "nobody") for n in range(500)))) == 50


def test_a_reference_reaches_over_several_steps() -> None:
    flow = parse_workflow(document(job("a"), job("b", "a"), job("c", "b", config={"x": "${a.y}"})))
    above = Ancestors({each.id: each.depends_on for each in flow.jobs})
    assert {each.id for each in flow.jobs if above.include("c", each.id)} == {"a", "b"}


def test_mistakes_in_a_file_are_told_with_line_and_column() -> None:
    text = (
        "workflowId: w\njobs:\n  - {id: a, type: python}\n  - id: b\n    type: pyton\n"
        "    dependsOn: [a, c]\n"
    )
    with pytest.raises(DocumentError) as caught:
        read_workflow(text, "pipeline.yaml")
    assert (caught.value.line, caught.value.column, caught.value.suggestion) == (5, 11, "python")
    assert "line 6, column 20: job 'b' depends on 'c', which is no job here" in str(caught.value)


def test_a_large_workflow_of_long_chains_is_checked() -> None:
    jobs = [job("j0"), *(job(f"j{n}", f"j{n - 1}", when="${j0.x} > 1") for n in range(1, 3_000))]
    assert len(parse_workflow(document(*jobs)).jobs) == 3_000
