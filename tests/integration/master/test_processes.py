from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from morphml.master.cluster.processes import ProcessName, is_dead, this_process
from morphml.master.cluster.reports import MasterReport, report_from_json

ME = this_process()

pytestmark = pytest.mark.skipif(ME is None, reason="this system does not tell which process is one")

ANSWER = (
    "from morphml.master.cluster.processes import this_process;"
    "print(repr(this_process()), flush=True); input()"
)


def me() -> ProcessName:
    assert ME is not None
    return ME


def test_process_is_dead_once_it_has_ended_and_not_before() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ANSWER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = eval(process.stdout.readline(), {"ProcessName": ProcessName})
        assert told != ME
        assert not is_dead(told)
        process.kill()
        process.wait()
        assert is_dead(told)


def test_process_with_the_number_of_another_one_does_not_pass_for_it() -> None:
    assert not is_dead(me())
    assert is_dead(replace(me(), started=me().started - 1))


@pytest.mark.parametrize("elsewhere", [{"boot": "other"}, {"namespace": "pid:[1]"}])
def test_nothing_is_known_of_processes_of_other_machines_and_containers(
    elsewhere: dict[str, str],
) -> None:
    assert not is_dead(replace(me(), pid=2**22, **elsewhere))
    assert is_dead(replace(me(), pid=2**22))


@pytest.mark.parametrize("told", [None, [], ["b", "n", "1", 2], ["b", "n", 0, 2], ["b", "n", 1]])
def test_what_is_no_name_of_a_process_names_none(told: list[str | int] | None) -> None:
    assert ProcessName.from_json(told) is None  # type: ignore[arg-type]  # what anybody may write
    assert not is_dead(None)


def test_report_tells_which_process_a_master_is() -> None:
    assert report_from_json(MasterReport(process=ME).to_json()).process == ME
    assert report_from_json(MasterReport().to_json()).process is None
