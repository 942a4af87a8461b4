"""The decisions of a hub with gangs, drawn at random: the book's machine, and attempts of several.

What it checks beside all that holds for single attempts: members are sent all at once, each to
another worker, and a gang ends once for its driver, whatever becomes of its members.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import invariant, precondition, rule
from tests.unit.engines.remote.test_hub_book import BookMachine

from morphml.engines.port import Assignment
from morphml.engines.remote.hub.attempt import AT_WORKER, AttemptState
from morphml.engines.remote.messages import AttemptName
from morphml.ids import AttemptToken


class GangMachine(BookMachine):
    """Single attempts and gangs, side by side."""

    @precondition(lambda self: self.lanes)
    @rule(data=st.data(), size=st.integers(2, 3))
    def submit_gang(self, data: st.DataObject, size: int) -> None:
        experiment = data.draw(st.sampled_from(sorted(self.lanes)))
        number = len(self.submitted)
        token = AttemptToken(f"{number:032x}")
        assignment = Assignment(
            token=token,
            experiment=experiment,
            number=number,
            vector=(),
            seed=0,
            requirements={"workers": float(size)},
        )
        self.submitted[token] = AttemptName(token=token, owner=experiment, number=number)
        self.book.drivers.submit([assignment], self.now)
        self.settle()

    @invariant()
    def members_are_sent_all_at_once_and_apart(self) -> None:
        for gang in self.book.ledger.gangs:
            workers = {member.worker for member in gang.members}
            assert len(workers) == len(gang.members) == int(gang.head.requirements["workers"])
            assert all(self.sent[member.token] == 1 for member in gang.members)
            assert self.sent[gang.head.token] == 0

    @invariant()
    def groups_count_their_own(self) -> None:
        ledger = self.book.ledger
        heads = [a for a in ledger.attempts.values() if a.head is a]
        for experiment, group in ledger.groups.items():
            own = [a for a in heads if a.name.owner == experiment]
            assert group.tokens == {a.token for a in own}
            used = ledger.scheduler.stakes.of(experiment).used
            assert used == sum(
                int(a.requirements.get("workers", 1)) for a in own if a.state in AT_WORKER
            )
        assert all(a.name.owner in ledger.groups for a in heads)

    @invariant()
    def nothing_waits_while_a_slot_is_free(self) -> None:
        ledger = self.book.ledger
        waiting = [a for a in ledger.attempts.values() if a.state is AttemptState.WAITING]
        if any("workers" in a.requirements for a in waiting):
            return  # workers may be kept for it
        assert all(a.avoid for a in waiting) or ledger.scheduler.fleet.free() == 0

    def teardown(self) -> None:
        super().teardown()
        assert not [gang for gang in self.book.ledger.gangs if gang.here]


GangMachine.TestCase.settings = settings(stateful_step_count=50)
TestGangMachine = GangMachine.TestCase
del BookMachine  # it has a test of its own
