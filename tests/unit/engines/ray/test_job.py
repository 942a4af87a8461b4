"""A job that is sent to a cluster: who takes it, and what people hear of one that failed."""

from __future__ import annotations

import pytest

from morphml.engines.ray.job import heard, job_environment


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("ray://head:10001", "http://head:8265"),
        ("ray://head", "http://head:8265"),
        ("ray://[::1]:10001", "http://[::1]:8265"),
    ],
)
def test_jobs_are_taken_at_the_head_that_was_named_whatever_else_is_set(
    address: str, server: str
) -> None:
    told = job_environment(address, {"RAY_ADDRESS": "10.0.0.9:6379", "HOME": "/h"})
    assert told["RAY_API_SERVER_ADDRESS"] == server
    assert told["HOME"] == "/h"


def test_server_of_jobs_that_was_named_goes_first() -> None:
    known = {"RAY_API_SERVER_ADDRESS": "https://jobs.example"}
    assert job_environment("ray://head:10001", known) == known


def test_only_what_the_job_wrote_is_told() -> None:
    log = (
        "2026-11-22 15:06:09,066\tINFO cli.py:335 -- Query the status of the job:\n"
        "2026-11-22 15:06:21,990\tERR cli.py:73 -- \x1b[31mJob 'm' failed\x1b[39m\n"
        "Running entrypoint for job m: python -m theirs\n"
        "Traceback (most recent call last):\n"
        '  File "theirs.py", line 3, in main\n'
        "ExperimentError: no such experiment\n"
    )
    assert heard(log) == "ExperimentError: no such experiment"
    assert heard("x" * 5000) == "x" * 1200
