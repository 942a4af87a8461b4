from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from morphml.ids import AttemptToken, SessionId, TaskId
from morphml.master.elsewhere import reconcile
from morphml.master.flights import Flight, Flights, WaitingTasks
from morphml.search.changes import TaskRecord

MINE, OTHER, THIRD = SessionId("mine"), SessionId("other"), SessionId("third")
NOW = 1000.0


def row(number: int, token: str | None = None, holder: SessionId | None = None) -> TaskRecord:
    return TaskRecord(
        id=TaskId(f"e-{number}-0"),
        number=number,
        segment=0,
        to_epoch=10,
        token=None if token is None else AttemptToken(token),
        holder=holder,
        attempts=0,
        due_at=None,
    )


def flight(number: int, token: str) -> Flight:
    return Flight(AttemptToken(token), TaskId(f"e-{number}-0"), number, 0, 10)


def test_what_another_master_claimed_is_in_the_air_and_takes_no_slot_here() -> None:
    flights = Flights()
    flights.waiting.add(TaskId("e-3-0"), NOW)
    reconcile(flights, [row(3, "a", OTHER)], MINE, NOW)
    assert flights.tokens() == (AttemptToken("a"),)
    assert flights.here == 0
    assert len(flights.waiting) == 0


def test_what_another_master_lost_waits_again() -> None:
    flights = Flights()
    flights.add(flight(3, "a"), here=False)
    reconcile(flights, [row(3)], MINE, NOW)
    assert len(flights) == 0
    assert (len(flights.waiting), flights.waiting.first()) == (1, NOW)


def test_what_a_third_master_claimed_anew_replaces_the_lost_attempt() -> None:
    flights = Flights()
    flights.add(flight(3, "a"), here=False)
    reconcile(flights, [replace(row(3, "b", THIRD), attempts=1)], MINE, NOW)
    assert flights.tokens() == (AttemptToken("b"),)
    assert len(flights.failures[TaskId("e-3-0")]) == 1


def test_worker_that_went_to_another_master_frees_its_slot_here() -> None:
    flights = Flights()
    flights.add(flight(3, "a"))
    reconcile(flights, [row(3, "a", OTHER)], MINE, NOW)
    assert flights.here == 0
    assert flights.get(AttemptToken("a")) is not None


def test_worker_that_came_from_another_master_takes_a_slot_here() -> None:
    flights = Flights()
    flights.add(flight(3, "a"), here=False)
    reconcile(flights, [row(3, "a", MINE)], MINE, NOW)
    assert flights.here == 1


def test_end_that_waits_as_mail_stays_in_the_air() -> None:
    flights = Flights()
    flights.add(flight(3, "a"), here=False)
    reconcile(flights, [row(3, "a", None)], MINE, NOW)
    assert flights.get(AttemptToken("a")) is not None


@dataclass(frozen=True)
class Task:
    """One task of a store: waiting, or held under a token by somebody (None: ended)."""

    token: str | None
    holder: SessionId | None


STATES = st.one_of(
    st.just(Task(None, None)),
    st.builds(Task, st.sampled_from("abc"), st.sampled_from([MINE, OTHER, THIRD, None])),
)


@given(st.dictionaries(st.integers(0, 4), STATES), st.dictionaries(st.integers(0, 4), STATES))
def test_memory_agrees_with_the_rows_whatever_was_remembered(
    before: dict[int, Task], after: dict[int, Task]
) -> None:
    flights = Flights()
    for tasks in (before, {**before, **after}):
        rows = [
            row(number, None if task.token is None else f"{number}{task.token}", task.holder)
            for number, task in tasks.items()
        ]
        reconcile(flights, rows, MINE, NOW)
        for each in rows:
            remembered = flights.of_trial(each.number)
            assert (each.id in flights.waiting) == (each.token is None)
            assert (None if remembered is None else remembered.token) == each.token
            if each.token is not None and each.holder is not None:
                assert flights.is_here(each.token) == (each.holder == MINE)


def test_what_was_given_back_though_it_was_remembered_as_ours_waits_again() -> None:
    flights = Flights()
    flights.add(flight(3, "a"))
    reconcile(flights, [row(3)], MINE, NOW)
    assert len(flights) == 0
    assert (len(flights.waiting), flights.waiting.first()) == (1, NOW)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.one_of(st.none(), st.floats(0, 9)))))
def test_first_waiting_task_is_known_whatever_came_and_went(
    changes: list[tuple[str, float | None]],
) -> None:
    waiting, remembered = WaitingTasks(), dict[str, float]()
    for name, at in changes:
        if at is None:
            waiting.drop(TaskId(name))
            remembered.pop(name, None)
        else:
            waiting.add(TaskId(name), at)
            remembered[name] = at
        assert waiting.first() == min(remembered.values(), default=None)
        assert len(waiting) == len(remembered)
