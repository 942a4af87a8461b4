"""The book of a worker's attempts: single rules, and all orders of events."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.engines.remote.worker.book import REPORTS, Arrival, Book, Entry, Stage
from morphml.ids import AttemptToken, ExperimentId

TOKENS = [AttemptToken(f"{number:032x}") for number in range(4)]
FILE = CheckpointFile(step=3, digest="", size=1)


def name(token: AttemptToken) -> AttemptName:
    return AttemptName(token=token, owner=ExperimentId("e"), number=int(token, 16))


def book(*tokens: AttemptToken) -> Book:
    made = Book(600.0, 100)
    for token in tokens:
        assert made.arrive(name(token)) is Arrival.NEW
    return made


def test_attempt_waits_runs_and_ends() -> None:
    made = book(TOKENS[0])
    assert made.tokens(Stage.WAITING) == (TOKENS[0],)
    made.begin(TOKENS[0], "slot-0", 1.0)
    assert made.tokens(Stage.RUNNING) == (TOKENS[0],)
    assert len(made) == 1
    made.end(TOKENS[0], b"result")
    assert made.tokens(Stage.ENDED) == (TOKENS[0],)
    assert len(made) == 0


def test_task_that_is_here_already_is_not_taken_twice() -> None:
    made = book(TOKENS[0])
    assert made.arrive(name(TOKENS[0])) is Arrival.HELD
    made.end(TOKENS[0], b"result")
    assert made.arrive(name(TOKENS[0])) is Arrival.ENDED
    made.acknowledge([TOKENS[0]], 0.0)
    assert made.arrive(name(TOKENS[0])) is Arrival.ENDED
    assert made[TOKENS[0]].result == b"result"


def test_acknowledged_end_is_kept_for_its_time_only() -> None:
    made = book(TOKENS[0])
    made.end(TOKENS[0], b"result")
    assert made.acknowledge([TOKENS[0], TOKENS[1]], 100.0) == [TOKENS[0]]
    assert made.forget_old(699.0) == 700.0
    assert list(made.stored) == [TOKENS[0]]
    assert made.forget_old(700.0) is None
    assert not made.stored


def test_only_so_many_acknowledged_ends_are_kept() -> None:
    made = Book(600.0, 2)
    for token in TOKENS:
        made.arrive(name(token))
        made.end(token, b"")
        made.acknowledge([token], 0.0)
    assert list(made.stored) == TOKENS[2:]


def test_another_store_is_offered_what_the_first_one_had() -> None:
    made = book(*TOKENS[:2])
    made.meet("one")
    made.end(TOKENS[0], b"kept")
    made.acknowledge([TOKENS[0]], 0.0)
    made.meet("one")
    assert not made.tokens(Stage.ENDED)
    made.meet("")
    assert not made.tokens(Stage.ENDED)
    made.meet("two")
    assert made.tokens(Stage.ENDED) == (TOKENS[0],)
    assert made[TOKENS[0]].result == b"kept"


def test_fenced_attempt_is_heard_of_no_more() -> None:
    made = book(*TOKENS[:3])
    made.begin(TOKENS[0], "", 0.0)
    made.end(TOKENS[1], b"")
    assert made.kill([TOKENS[0], TOKENS[1], TOKENS[3]]) == [TOKENS[0]]
    assert made.kill([TOKENS[0]]) == [], "it is being killed already"
    assert made.names(*Stage) == (name(TOKENS[2]),)
    assert made.report(TOKENS[0], 1, {}) is None
    assert made.wanted(TOKENS[0]) is None
    assert len(made) == 2, "its slot is taken until its child is gone"
    assert made.end(TOKENS[0], b"late") is None
    assert made.get(TOKENS[0]) is None
    assert len(made) == 1


def test_end_waits_for_its_checkpoint_at_the_present_master() -> None:
    made = book(TOKENS[0])
    made.begin(TOKENS[0], "", 0.0)
    made[TOKENS[0]].save(FILE)
    entry = made.end(TOKENS[0], b"paused")
    assert entry is not None
    assert not entry.tellable("m1")
    entry.uploaded(FILE, "m1")
    assert entry.tellable("m1")
    assert not entry.tellable("m2")
    assert entry.give_up(FILE)
    assert entry.tellable("m2")
    assert entry.stored_step == 3


def test_older_checkpoint_does_not_stand_for_the_newest() -> None:
    entry = Entry(name=name(TOKENS[0]))
    newer = CheckpointFile(step=4, digest="", size=1)
    entry.save(FILE)
    entry.save(newer)
    entry.uploaded(FILE, "m1")
    assert (entry.stored_step, entry.checkpoint, entry.checkpoint_at) == (3, newer, "")
    assert not entry.give_up(FILE)
    assert entry.checkpoint == newer


def test_attempt_of_an_operator_is_no_masters_affair() -> None:
    made = book(TOKENS[0])
    made[TOKENS[0]].private = True
    assert made.begin(TOKENS[0], "", 0.0) is None
    assert made.names(*Stage) == ()
    assert [entry.name for entry in made.held()] == [name(TOKENS[0])]
    assert len(made) == 1


def test_reports_to_be_told_again_are_bounded() -> None:
    made = book(TOKENS[0])
    for step in range(2 * REPORTS):
        made.report(TOKENS[0], step, {})
    steps = [step for step, _ in made[TOKENS[0]].reports]
    assert steps == list(range(REPORTS, 2 * REPORTS))


class BookBesideModel(RuleBasedStateMachine):
    """A model beside the book: which attempts are held, and which ends must still be offered."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(1e9, 1_000)
        self.held: set[AttemptToken] = set()
        self.fenced: set[AttemptToken] = set()
        self.ended: set[AttemptToken] = set()
        self.stored: set[AttemptToken] = set()
        self.stores = 0

    @rule(token=st.sampled_from(TOKENS))
    def arrive(self, token: AttemptToken) -> None:
        found = self.book.arrive(name(token))
        if token in self.held:
            assert found is Arrival.HELD
        elif token in self.ended | self.stored:
            assert found is Arrival.ENDED
            self.stored.discard(token)
            self.ended.add(token)
        else:
            assert found is Arrival.NEW
            self.held.add(token)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(sorted(self.held)))
        told = self.book.end(token, b"x")
        assert (told is None) == (token in self.fenced)
        self.held.discard(token)
        if told is not None:
            self.ended.add(token)
        self.fenced.discard(token)

    @rule(token=st.sampled_from(TOKENS))
    def begin(self, token: AttemptToken) -> None:
        if token in self.held:
            self.book.begin(token, "", 0.0)

    @rule(token=st.sampled_from(TOKENS))
    def acknowledge(self, token: AttemptToken) -> None:
        known = token in self.ended
        assert self.book.acknowledge([token], 0.0) == ([token] if known else [])
        if known:
            self.ended.discard(token)
            self.stored.add(token)

    @rule(token=st.sampled_from(TOKENS))
    def kill(self, token: AttemptToken) -> None:
        expected = token in self.held - self.fenced
        assert self.book.kill([token]) == ([token] if expected else [])
        self.ended.discard(token)
        self.fenced |= {token} & self.held

    @rule(token=st.sampled_from(TOKENS))
    def give_back(self, token: AttemptToken) -> None:
        if token in self.held:
            self.book.drop(token)
            self.held.discard(token)
            self.fenced.discard(token)

    @rule(other=st.booleans())
    def meet(self, other: bool) -> None:
        if other and self.stores:
            self.ended |= self.stored
            self.stored.clear()
        self.stores += other or not self.stores
        self.book.meet(f"store-{self.stores}")

    @invariant()
    def book_says_what_the_model_says(self) -> None:
        assert set(self.book.tokens(Stage.ENDED)) == self.ended
        assert set(self.book.stored) == self.stored
        assert len(self.book) == len(self.held)
        announced = {each.token for each in self.book.names(Stage.WAITING, Stage.RUNNING)}
        assert announced == self.held - self.fenced


TestBookBesideModel = BookBesideModel.TestCase
TestBookBesideModel.settings = settings()
