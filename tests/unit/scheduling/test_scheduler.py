"""What one scheduler decides: gangs, affinity, shares, batches, stealing; and how it is made."""

from __future__ import annotations

import math
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from morphml.errors import ExperimentError, SchedulingError
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.placing import PlacingRule
from morphml.scheduling.policies import POLICIES, Request, create_policy, policy_names
from morphml.scheduling.policies.fifo import Fifo
from morphml.scheduling.resources import NOTHING, Requirements
from morphml.scheduling.scheduler import Scheduler, create_scheduler
from morphml.scheduling.waiting import WaitingTask

E1, E2 = ExperimentId("one"), ExperimentId("two")
GANG = Requirements.parse({"workers": 3})


def scheduler(policy: str = "fifo", workers: int = 3, slots: int = 1) -> Scheduler:
    made = create_scheduler(policy, PlacingRule(elsewhere_s=2.0, gang_after_s=10.0))
    for number in range(workers):
        made.fleet.put(f"w{number}", name=f"w{number}", slots=slots, capabilities={}, held={})
    return made


def task(
    name: str,
    experiment: ExperimentId = E1,
    *,
    rank: float = 0.0,
    needs: Requirements = NOTHING,
    **fields: object,
) -> WaitingTask:
    return WaitingTask(
        token=AttemptToken(name), experiment=experiment, rank=rank, needs=needs, **fields
    )  # type: ignore[arg-type]  # the task's own fields


def placed(made: Scheduler, now: float = 0.0) -> dict[str, tuple[str, ...]]:
    found = {}
    while (placement := made.decide(now)) is not None:
        found[str(placement.token)] = placement.workers
    return found


def end(made: Scheduler, name: str, seconds: float = 1.0, now: float = 1.0) -> None:
    made.ended(AttemptToken(name), seconds=seconds, succeeded=True, now=now)


# --- how one is made -----------------------------------------------------------------------------


def test_each_policy_is_made_by_its_own_name() -> None:
    assert {create_policy(name).name for name in POLICIES} == set(POLICIES) == set(policy_names())
    assert all(entry.use for entry in POLICIES.values())


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("addaptive", {}, "there is no policy 'addaptive'.*did you mean 'adaptive'"),
        ("round-robin", {}, "did you mean 'round_robin'"),
        ("priority", {"age_step": 3.0}, "no setting 'age_step'; it has age_step_s; did you mean"),
        ("fifo", {"age_step_s": 3.0}, "no setting 'age_step_s'; it has none"),
        ("priority", {"age_step_s": 0.0}, "age_step_s: a time above 0 s, got 0.0"),
        ("batching", {"size": 0.0}, "size: from 1 to 1000 tasks, got 0"),
        ("batching", {"below_s": math.nan}, "below_s: a time above 0 s"),
    ],
)
def test_wrong_policy_or_setting_is_refused_with_what_is_right(
    name: str, given: dict[str, float], said: str
) -> None:
    with pytest.raises(SchedulingError, match=said):
        create_scheduler(name, **given)


def test_settings_reach_the_policy() -> None:
    rank = create_policy("priority", age_step_s=5.0).rank
    request = Request(experiment=E1, first_ready_at=100.0, priority=2)
    assert rank(request) == 90.0
    with pytest.raises(ExperimentError, match="priority: from 1 to 10, got 11"):
        rank(Request(experiment=E1, first_ready_at=0.0, priority=11))


def test_policy_of_an_installed_package_is_found_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offered = [
        EntryPoint("mine", f"{Fifo.__module__}:Fifo", "morphml.policies"),
        EntryPoint("half", "builtins:object", "morphml.policies"),
        EntryPoint("gone", "no_such_package:Policy", "morphml.policies"),
        EntryPoint("fifo", "builtins:object", "morphml.policies"),
    ]
    monkeypatch.syspath_prepend(tmp_path)  # what is installed is read once for each search path
    monkeypatch.setattr("morphml.plugins.entry_points", lambda group: EntryPoints(offered))
    assert policy_names() == (*POLICIES, "gone", "half", "mine")
    assert isinstance(create_policy("mine"), Fifo)
    assert isinstance(create_policy("fifo"), Fifo)
    with pytest.raises(SchedulingError, match="'half' lacks name, weighs, ahead, rank"):
        create_policy("half")
    with pytest.raises(SchedulingError, match="'gone': its plug-in cannot be loaded"):
        create_policy("gone")


# --- what it keeps -------------------------------------------------------------------------------


def test_task_is_taken_once_until_it_is_over() -> None:
    made = scheduler()
    made.submit(task("a"))
    with pytest.raises(SchedulingError, match="submitted before"):
        made.submit(task("a"))
    assert placed(made) == {"a": ("w0",)}
    with pytest.raises(SchedulingError, match="submitted before"):
        made.submit(task("a"))
    with pytest.raises(SchedulingError, match="known here"):
        made.adopt(task("a"), "w1", 0.0)
    end(made, "a")
    end(made, "a")
    assert (made.stakes.of(E1).used, made.stakes.of(E1).mean_s, made.fleet.free()) == (0, 1.0, 3)


def test_adopted_task_holds_its_slot_until_it_is_over() -> None:
    made = scheduler(workers=1)
    made.adopt(task("a"), "w0", 0.0)
    made.submit(task("b"))
    assert placed(made) == {}
    made.give_back(AttemptToken("a"))
    assert placed(made) == {"b": ("w0",)}
    assert made.stakes.of(E1).mean_s is None


def test_nothing_is_due_where_nothing_waits() -> None:
    made = scheduler(workers=1)
    assert made.due() == math.inf
    made.submit(task("a", avoid=("w0",)))
    assert placed(made) == {"a": ("w0",)}  # nobody else could
    assert made.due() == math.inf


def test_retry_waits_for_another_worker_and_says_until_when() -> None:
    made = scheduler(workers=2)
    made.submit(task("x"))
    assert placed(made) == {"x": ("w0",)}
    made.submit(task("retry", avoid=("w1/slot-0",)))
    assert placed(made, now=5.0) == {}
    assert made.due() == 7.0
    assert placed(made, now=7.0) == {"retry": ("w1",)}


# --- gangs ---------------------------------------------------------------------------------------


def test_gang_gets_all_its_workers_or_none() -> None:
    made = scheduler(workers=3, slots=2)
    made.submit(task("gang", needs=GANG))
    assert placed(made) == {"gang": ("w0", "w1", "w2")}
    assert made.stakes.of(E1).used == 3
    made.fleet.open("w2", False)
    made.submit(task("next", needs=GANG))
    assert placed(made) == {}
    assert made.fleet.free() == 2
    end(made, "gang")
    assert (made.stakes.of(E1).used, made.fleet.free()) == (0, 4)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_gang_that_waited_long_gets_workers_kept_for_it(policy: str) -> None:
    """Single tasks keep coming, and there are never three workers free at once by chance."""
    made = scheduler(policy, workers=4)
    for number in range(4):
        made.submit(task(f"s{number}"))
    running = list(placed(made))
    made.submit(task("gang", needs=GANG, rank=1.0))
    served = 0.0
    for step in range(1, 60):
        name = running.pop(0)
        end(made, name, seconds=4.0, now=float(step))
        made.submit(task(f"later{step}", rank=1.0))
        now = placed(made, float(step))
        running += [each for each in now if each != "gang"]
        if "gang" in now:
            served = float(step)
            break
    assert 10.0 <= served <= 20.0
    assert not any(seat.kept_for for seat in made.fleet)


def test_gangs_of_two_sizes_do_not_wait_for_each_other() -> None:
    made = scheduler(workers=4)
    pair = Requirements.parse({"workers": 2})
    for number in range(4):
        made.submit(task(f"s{number}"))
    placed(made)
    made.submit(task("three", needs=GANG))
    made.submit(task("two", needs=pair))
    placed(made, 0.0)
    placed(made, 11.0)
    done = []
    for number in range(4):
        end(made, f"s{number}", now=12.0)
        done += list(placed(made, 12.0))
    assert done == ["three"]
    end(made, "three", now=13.0)
    assert list(placed(made, 13.0)) == ["two"]


# --- policies ------------------------------------------------------------------------------------


def test_worker_with_the_data_is_preferred_when_it_is_free_and_never_waited_for() -> None:
    made = scheduler("load_balancing", workers=3)
    made.submit(task("first", affinity=("mnist",)))
    [(_, (holder,))] = placed(made).items()
    made.submit(task("busy", affinity=("mnist",)))
    [(_, (other,))] = placed(made).items()
    assert other != holder
    end(made, "first")
    made.submit(task("again", affinity=("mnist",)))
    assert placed(made) == {"again": (holder,)}


def test_experiment_that_uses_least_of_its_share_goes_first() -> None:
    made = scheduler("fair_share", workers=8)
    made.share(E1, 6)
    made.share(E2, 2)
    for number in range(8):
        made.submit(task(f"a{number}", E1, rank=-100.0))
        made.submit(task(f"b{number}", E2))
    placed(made)
    assert (made.stakes.of(E1).used, made.stakes.of(E2).used) == (6, 2)


def test_round_robin_gives_every_worker_as_much_whatever_its_size() -> None:
    made = create_scheduler("round_robin")
    for name, slots in (("big", 8), ("small", 1)):
        made.fleet.put(name, name=name, slots=slots, capabilities={}, held={})
    workers = []
    for number in range(10):
        made.submit(task(f"t{number}"))
        [(name, (worker,))] = placed(made).items()
        workers.append(worker)
        end(made, name)
    assert workers == ["big", "small"] * 5


def test_short_tasks_go_in_batches_that_are_refilled_when_half_are_done() -> None:
    made = scheduler("batching", workers=1)
    for number in range(40):
        made.submit(task(f"t{number}"))
    sent = []
    for number in range(12):
        sent.append(len(placed(made)))
        end(made, f"t{number}", seconds=0.001)
    # One alone, since nothing is known; then the slot and eight more; then four at a time.
    assert sent == [1, 9, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0]


def test_idle_worker_steals_from_the_queue_with_most_work() -> None:
    made = scheduler("work_stealing", workers=3)
    for number in range(3):
        made.fleet.locality.learn(f"w{number}", (f"d{number}",))
    for number in range(6):
        made.submit(task(f"a{number}", affinity=("d0",), cost=1.0))
    made.submit(task("b0", affinity=("d1",), cost=9.0))
    made.submit(task("b1", affinity=("d1",), cost=2.0))
    assert placed(made) == {"a0": ("w0",), "b0": ("w1",), "a1": ("w2",)}
    end(made, "a1")
    assert placed(made) == {"a2": ("w2",)}
    end(made, "b0")
    assert placed(made) == {"b1": ("w1",)}
    made.fleet.remove("w0")
    end(made, "b1")
    assert placed(made) == {"a3": ("w1",)}  # what waited for a worker that left is stolen


@pytest.mark.parametrize("policy", ["adaptive", "work_stealing"])
def test_tasks_that_few_workers_could_run_are_not_kept_from_these_by_others(policy: str) -> None:
    made = scheduler(policy, workers=2)
    made.fleet.put("fast", name="fast", slots=2, capabilities={"ssd": 1.0}, held={})
    ssd = Requirements.parse({"ssd": 1})
    for number in range(4):
        made.submit(task(f"any{number}", E1, cost=9.0))
        made.submit(task(f"ssd{number}", E2, needs=ssd, cost=1.0))
    found = placed(made)
    assert {name for name, (worker,) in found.items() if worker == "fast"} == {"ssd0", "ssd1"}
    assert sum(name.startswith("any") for name in found) == 2
    for name in ("ssd0", "ssd1"):
        end(made, name)
    assert placed(made) == {"ssd2": ("fast",), "ssd3": ("fast",)}
    end(made, "ssd2")  # now that none is left, the worker takes what anybody could run
    assert list(placed(made).values()) == [("fast",)]
