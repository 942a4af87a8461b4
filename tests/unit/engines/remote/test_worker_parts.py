"""The smaller parts of a worker that decide without I/O."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.worker.dialling import Dialling
from morphml.engines.remote.worker.figures import Rate
from morphml.engines.remote.worker.leaving import Leaving, Phase, Situation
from morphml.engines.remote.worker.needs import needs_of_path
from morphml.engines.remote.worker.outbox import Outbox
from morphml.engines.remote.worker.output import Output
from morphml.engines.remote.worker.pulse import Pulse
from morphml.engines.remote.worker.quiet import Quiet
from morphml.engines.remote.worker.settings import WorkerSettings
from morphml.errors import CallerError
from morphml.ids import AttemptToken, ExperimentId

TOKEN = AttemptToken("0" * 32)
OTHER = AttemptToken("1" * 32)


# --- dialling ------------------------------------------------------------------------------------


def dialling(*masters: str) -> Dialling:
    return Dialling(masters, (0.2, 5.0), random.Random(7))


def test_masters_are_dialled_in_turn_with_growing_pauses_between_rounds() -> None:
    dial = dialling("a", "b")
    calls = [dial.next() for _ in range(66)]
    assert [master for master, _ in calls] == ["a", "b"] * 33
    assert all(pause == 0.0 for _, pause in (*calls[:2], *calls[3::2]))
    pauses = [pause for _, pause in calls[2::2]]
    expected = [*[0.2] * 25, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    ratios = [pause / least for pause, least in zip(pauses, expected, strict=True)]
    assert all(0.5 <= ratio <= 1.5 for ratio in ratios)
    assert len(set(ratios)) == len(ratios), "pauses of workers spread out"


@pytest.mark.parametrize("cut_s", [2.0, 2.4])
def test_short_cut_ends_before_a_master_gives_the_worker_up(cut_s: float) -> None:
    for seed in range(500):
        dial = Dialling(["a"], (0.2, 5.0), random.Random(seed))
        at = dial.next()[1]
        while at < cut_s:
            at += dial.next()[1]
        assert at <= 3.0 - 0.3, "0.3 s are left to connect and to register"


def test_break_is_followed_at_once_by_a_round_that_ends_with_the_same_master() -> None:
    dial = dialling("a", "b")
    for _ in range(9):
        dial.next()
    dial.welcomed("a", ["c", "b"])
    assert [dial.next() for _ in range(3)] == [("b", 0.0), ("c", 0.0), ("a", 0.0)]
    again, pause = dial.next()
    assert again == "a"
    assert pause <= 0.3


def test_masters_that_came_since_are_dialled_first_and_those_that_went_no_more() -> None:
    dial = dialling("a")
    dial.welcomed("a", ["b"])
    dial.learned(["c", "d"])
    assert [dial.next()[0] for _ in range(3)] == ["c", "d", "a"]
    assert dial.masters == ("a", "c", "d")


def test_worker_gives_up_when_every_master_refuses_it() -> None:
    dial = dialling("a", "b")
    dial.refused("a", "too old")
    assert not dial.hopeless
    dial.refused("b", "too old")
    assert dial.hopeless == "too old"
    dial.failed("b")
    assert not dial.hopeless, "another one may come up there"


# --- beats ---------------------------------------------------------------------------------------


def beats(said: list[float], until: float) -> list[float]:
    """When a worker beats, whose master lets 1 s pass, by when it says something else."""
    pulse, found, said_at = Pulse(), [], -math.inf
    pulse.welcomed(1.0, 0.0)
    while True:
        due = pulse.due(said_at)
        if said and said[0] < due:
            said_at = said.pop(0)
        elif due > until:
            return found
        else:
            pulse.beat(due)
            found.append(due)
            said_at = due


def test_a_silent_worker_beats_at_once_and_then_each_second() -> None:
    assert beats([], 4.5) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_what_is_said_counts_as_a_beat_but_what_is_here_is_shown_every_other_time() -> None:
    assert beats([0.4], 3.0) == [0.0, 1.4, 2.4]
    assert beats([0.3 * i for i in range(1, 40)], 8.5) == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_nothing_is_due_without_a_master() -> None:
    pulse = Pulse()
    assert pulse.due(-math.inf) == math.inf
    pulse.welcomed(1.0, 5.0)
    assert pulse.due(-math.inf) == 5.0
    pulse.broke()
    assert pulse.due(5.0) == math.inf


# --- output --------------------------------------------------------------------------------------


def test_output_is_gathered_between_messages() -> None:
    output = Output(0.1)
    output.write(TOKEN, "stdout", "a")
    assert output.take(0.0) == [(TOKEN, ("stdout", "a"))]
    for text in "bcd":
        output.write(TOKEN, "stdout", text)
    assert output.take(0.05) == []
    assert output.due == 0.1
    assert output.take(0.1) == [(TOKEN, ("stdout", "bcd"))]
    assert output.due == math.inf
    output.write(TOKEN, "stderr", "e")
    assert output.finish(TOKEN) == [("stderr", "e")]
    assert output.finish(TOKEN) == []


def test_mixed_streams_keep_their_order_and_the_rate() -> None:
    output = Output(0.1)
    for stream in ("stdout", "stderr", "stdout"):
        output.write(TOKEN, stream, stream)
    assert [piece[0] for _, piece in output.take(0.0)] == ["stdout", "stderr", "stdout"]
    output.write(TOKEN, "stdout", "x")
    assert output.due == pytest.approx(0.3)


def test_output_beyond_the_limit_is_dropped_and_counted() -> None:
    output = Output(0.1)
    output.write(TOKEN, "stdout", "x" * 100_000)
    output.write(TOKEN, "stdout", "y")
    output.write(OTHER, "stdout", "other")
    pieces = dict(output.take(0.0))
    assert output.dropped == 100_001 - (64 << 10)
    assert pieces[OTHER] == ("stdout", "other")
    assert pieces[TOKEN] == (
        "stderr",
        f"[{output.dropped:,} characters of output were dropped here]\n",
    )


def test_output_that_nobody_hears_is_dropped_with_a_note_for_who_comes_next() -> None:
    output = Output(0.1)
    output.write(TOKEN, "stdout", "lost")
    output.discard()
    assert output.due == math.inf
    output.write(TOKEN, "stdout", "heard")
    notes = [text for _, (_, text) in output.take(0.0)]
    assert notes == ["[4 characters of output were dropped here]\n", "heard"]


# --- outbox --------------------------------------------------------------------------------------


def log(text: str) -> pb.WorkerEvent:
    return pb.WorkerEvent(log=pb.Log(token=TOKEN, stream="stdout", text=text))


def result() -> pb.WorkerEvent:
    return pb.WorkerEvent(result=pb.Result(slot="x" * 2_000))


def test_outbox_gives_batches_in_order_below_the_limit_of_a_message() -> None:
    box = Outbox()
    box.put(result() for _ in range(3_000))
    batches = []
    while batch := box.take():
        batches.append(batch)
    assert sum(map(len, batches)) == 3_000
    assert max(sum(event.ByteSize() for event in batch) for batch in batches) <= 1 << 20
    assert len(batches) == 6


def test_full_outbox_drops_output_and_keeps_results() -> None:
    box = Outbox()
    box.put(log("x" * 100_000) for _ in range(20))
    assert box.dropped == 20 - 11
    box.put([result(), log("more")])
    kept = []
    while batch := box.take():
        kept += batch
    assert sum(event.HasField("log") for event in kept) == 11
    assert sum(event.HasField("result") for event in kept) == 1
    box.put([log("room again")])
    assert len(box.take()) == 1
    box.put([result()])
    box.clear()
    assert box.take() == []


def test_report_that_no_message_can_hold_is_dropped() -> None:
    box = Outbox()
    metrics = {f"{number:0>1000}": 0.0 for number in range(5_000)}
    box.put([pb.WorkerEvent(report=pb.Report(token=TOKEN, step=1, metrics=metrics)), result()])
    assert [event.WhichOneof("event") for event in box.take()] == ["result"]
    assert box.dropped == 1


# --- leaving -------------------------------------------------------------------------------------


def situation(busy: int, unacknowledged: int = 0) -> Situation:
    return Situation(busy=busy, unacknowledged=unacknowledged)


def test_leaving_waits_for_what_runs_and_for_what_is_not_stored() -> None:
    leaving = Leaving(5.0)
    assert leaving.step(situation(1), 0.0) is Phase.WORKING
    assert leaving.begin("why", 30.0, 0.0)
    assert not leaving.begin("again", 60.0, 1.0)
    assert (leaving.due, leaving.reason) == (30.0, "why")
    assert leaving.step(situation(2), 29.0) is Phase.DRAINING
    assert leaving.step(situation(0, 1), 29.5) is Phase.FAREWELL
    assert leaving.step(situation(0, 1), 34.0) is Phase.FAREWELL
    assert leaving.step(situation(0, 0), 34.1) is Phase.LEFT


def test_leaving_ends_what_takes_too_long() -> None:
    leaving = Leaving(5.0)
    leaving.begin("why", 30.0, 0.0)
    leaving.begin("sooner", 2.0, 1.0)
    assert leaving.step(situation(1), 3.0) is Phase.EVICTING
    assert leaving.due == math.inf
    assert leaving.step(situation(0, 1), 4.0) is Phase.FAREWELL
    assert leaving.step(situation(0, 1), 9.0) is Phase.LEFT


def test_idle_worker_leaves_at_once() -> None:
    leaving = Leaving(5.0)
    leaving.begin("why", 30.0, 0.0)
    assert leaving.step(situation(0), 0.0) is Phase.LEFT


# --- quiet, needs, settings ----------------------------------------------------------------------


def test_experiment_is_over_when_it_was_quiet_for_long_enough() -> None:
    quiet = Quiet(10.0)
    one, two = ExperimentId("one"), ExperimentId("two")
    assert quiet.over([one, two], [one], 0.0) == []
    assert quiet.over([one, two], [], 9.0) == []
    assert quiet.over([one, two], [], 10.0) == [two]
    assert quiet.over([one], [one], 18.9) == []
    assert quiet.over([one], [], 19.0) == []
    assert quiet.over([one], [], 29.0) == [one]


@pytest.mark.parametrize(
    ("source", "needs"),
    [
        ("import torch\n", ("torch",)),
        ("def f(a, t):\n    from torch import nn\n", ("torch",)),
        ("def f(arch, t):\n    return arch.build()\n", ("torch",)),
        ("import torchless\n", ()),
        ("import numpy\n", ()),
    ],
)
def test_needs_are_read_off_the_file(tmp_path: Path, source: str, needs: tuple[str, ...]) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "study.py").write_text(source)
    assert needs_of_path("pkg.study:f", [str(tmp_path)]) == needs
    assert needs_of_path("pkg.other:f", [str(tmp_path)]) == ()
    assert needs_of_path("../etc:f", [str(tmp_path)]) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"masters": ()},
        {"masters": ("http://x",)},
        {"slots": 0},
        {"farewell_s": -1.0},
        {"backoff_s": (0.1, math.nan)},
        {"labels": ("ssd", "gpu")},
        {"labels": ("gpus",)},
        {"labels": ("cpu",)},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    fields = {"masters": ("a:1",), "slots": 1, "folder": Path("x")} | wrong
    with pytest.raises(
        CallerError,
        match=next(iter(wrong)).removesuffix("s") if "http" not in str(wrong) else "http",
    ):
        WorkerSettings(**fields)  # type: ignore[arg-type]


def test_rate_is_what_a_count_rose_by_in_a_second_and_survives_a_restart_of_the_count() -> None:
    rate = Rate()
    assert rate.take(5_000, 10.0) == 0.0
    assert rate.take(9_000, 12.0) == 2_000.0
    assert rate.take(100, 14.0) == 0.0
    assert rate.take(400, 15.0) == 300.0
    assert rate.take(400, 15.0) == 0.0
