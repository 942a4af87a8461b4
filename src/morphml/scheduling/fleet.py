"""All workers with what lies on them; finds the one that gets an attempt.

For each set of needs that was asked for, the workers that have room for it lie in a heap, in the
order of the policy. A worker enters the heaps anew whenever it changes, and what it left there is
void; so a question costs the logarithm of the number of workers, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from morphml.ids import AttemptToken
from morphml.scheduling.locality import Locality
from morphml.scheduling.resources import Capacity, Holdings, Requirements
from morphml.scheduling.seat import NOTHING_AHEAD, Ahead, Key, Seat, is_avoided, most_at

#: Sets of needs for which heaps are kept; the one made first goes when there are more.
_MOST_KINDS = 256


_Entry: TypeAlias = tuple[bool, float, Key, int, Seat]


class _Candidates:
    """The workers with room for one set of needs."""

    __slots__ = ("able", "heap", "needs")

    def __init__(self, needs: Requirements) -> None:
        self.needs = needs
        #: Open workers that could run it if nothing else were there.
        self.able = 0
        #: (all slots taken, then by what share, key, version, worker); void where the version is
        #: not the worker's.
        self.heap: list[_Entry] = []

    def top(self) -> _Entry | None:
        """The first entry that counts."""
        heap = self.heap
        while heap:
            entry = heap[0]
            if entry[3] == entry[4].version:
                return entry
            heappop(heap)
        return None

    def tidy(self, most: int) -> None:
        """Throw void entries away when there are too many."""
        if len(self.heap) > most:
            self.heap = [entry for entry in self.heap if entry[3] == entry[4].version]
            heapify(self.heap)


class Fleet:
    """All workers.

    Args:
        key: the order in which workers get attempts, smallest first; asked whenever one changes.
        ahead: what may be queued at a worker.

    Cost: O(kinds x log workers) for each change, where kinds are the different needs asked for;
    O(log workers) for ``choose``, plus the workers that are to be avoided.
    """

    def __init__(self, key: Callable[[Seat], Key], ahead: Ahead = NOTHING_AHEAD) -> None:
        #: Where a worker stands in the policy's order.
        self.key = key
        self._ahead = ahead
        self._seats: dict[str, Seat] = {}
        #: Those that may be sent nothing.
        self._closed: dict[str, Seat] = {}
        self._names: dict[str, set[str]] = {}
        self._kinds: dict[Requirements, _Candidates] = {}
        self._versions = 0
        #: Workers that have come, in all.
        self.joined = 0
        self._turns = 0
        self._slots = 0
        self._free = 0
        self.locality = Locality()
        #: Rises whenever a worker can take more than before.
        self.gains = 0
        #: Workers that were looked at to answer ``choose``, in all.
        self.looked = 0

    def __len__(self) -> int:
        """Workers, open or not."""
        return len(self._seats)

    def __iter__(self) -> Iterator[Seat]:
        """All workers, in the order in which they came."""
        return iter(self._seats.values())

    # --- what there is ---------------------------------------------------------------------------

    def put(
        self,
        worker: str,
        *,
        name: str,
        slots: int,
        capabilities: Mapping[str, float],
        held: Mapping[AttemptToken, Requirements],
    ) -> Seat:
        """A worker with all that lies on it now; one of the same id is replaced."""
        self.remove(worker)
        self.joined += 1
        holdings = Holdings(Capacity.parse(capabilities))
        seat = Seat(id=worker, name=name, slots=slots, holdings=holdings, joined=self.joined)
        for token, needs in held.items():
            holdings.take(token, needs)
        seat.busy = len(holdings.held)
        self._seats[worker] = seat
        self._names.setdefault(name, set()).add(worker)
        self._count(seat, 1)
        self._enter(seat)
        self.gains += 1
        return seat

    def remove(self, worker: str) -> None:
        """Forget a worker, known or not."""
        seat = self._seats.pop(worker, None)
        self._closed.pop(worker, None)
        if seat is not None:
            self._count(seat, -1)
            seat.version = 0
            seat.open = False
            alike = self._names[seat.name]
            alike.discard(worker)
            if not alike:
                del self._names[seat.name]

    def open(self, worker: str, may_be_sent: bool) -> None:
        """Whether the worker may be sent anything from now on."""
        seat = self._seats.get(worker)
        if seat is not None and seat.open != may_be_sent:
            self._count(seat, -1)
            seat.open = may_be_sent
            self._count(seat, 1)
            if may_be_sent:
                del self._closed[worker]
            else:
                self._closed[worker] = seat
            self._enter(seat)
            self.gains += may_be_sent

    def take(self, worker: str, token: AttemptToken, needs: Requirements) -> None:
        """The attempt lies on the worker now, whether or not it fits; again changes nothing."""
        seat = self._seats.get(worker)
        if seat is None or token in seat.holdings.held:
            return
        seat.holdings.take(token, needs)
        self._free -= seat.free
        seat.busy += 1
        self._free += seat.free
        self._turns += 1
        seat.turn = self._turns
        self._enter(seat)

    def give_back(self, worker: str, token: AttemptToken) -> None:
        """The attempt left the worker; nothing when it was not there."""
        seat = self._seats.get(worker)
        if seat is None or token not in seat.holdings.held:
            return
        seat.holdings.release(token)
        self._free -= seat.free
        seat.busy -= 1
        self._free += seat.free
        self._enter(seat)
        self.gains += 1

    def shut(self, worker: str, devices: Collection[int], slots: int) -> None:
        """The worker gives these devices to nobody, and so uses this many of its slots.

        Args:
            worker: its id.
            devices: their indexes; no others are shut from now on.
            slots: at least 1.
        """
        seat = self._seats.get(worker)
        if seat is None:
            return
        self._count(seat, -1)
        seat.holdings.shut(devices)
        seat.slots = slots
        self._count(seat, 1)
        self._enter(seat)
        self.gains += 1

    def keep(self, worker: str, needs: Requirements | None) -> None:
        """The worker is kept for gangs with such needs from now on, or for nobody."""
        seat = self._seats.get(worker)
        if seat is not None and seat.kept_for != needs:
            seat.kept_for = needs
            self._enter(seat)
            self.gains += needs is None

    # --- questions -------------------------------------------------------------------------------

    def get(self, worker: str) -> Seat | None:
        """The worker, if it is here."""
        return self._seats.get(worker)

    def choose(
        self, needs: Requirements, avoid: Collection[str] = (), *, ahead: float = 0.0
    ) -> Seat | None:
        """The first open worker with room for it, or None.

        Args:
            needs: of the attempt, at one worker.
            avoid: names of workers, or of slots such as ``box/slot-3``, that come last.
            ahead: share of its slots for which attempts may also wait at a worker.
        """
        found = self._candidates(needs)
        entry = found.top()
        if entry is None or (entry[0] and not _may_queue(entry[4], ahead)):
            return None
        self.looked += 1
        if not avoid or not is_avoided(entry[4].name, avoid):
            return entry[4]
        return self._pass_over(found, avoid, ahead)

    def _pass_over(self, found: _Candidates, avoid: Collection[str], ahead: float) -> Seat | None:
        """The first that need not be avoided, else the first."""
        passed: list[_Entry] = []
        chosen: Seat | None = None
        while (entry := found.top()) is not None:
            if entry[0] and not _may_queue(entry[4], ahead):
                break
            self.looked += 1
            if not is_avoided(entry[4].name, avoid):
                chosen = entry[4]
                break
            passed.append(heappop(found.heap))
        for entry in passed:
            heappush(found.heap, entry)
        return chosen or passed[0][4]

    def several(
        self, needs: Requirements, count: int, kept: Sequence[Seat], avoid: Collection[str] = ()
    ) -> list[Seat]:
        """So many different workers with a free slot for it, or none of them.

        Args:
            needs: of the attempt, at each of them.
            count: how many.
            kept: workers that come first; those of them that have no room are passed over.
            avoid: those of the others that come last.

        Cost: O(count x log workers).
        """
        seats = [seat for seat in kept if seat.free and seat.holdings.fits(needs)]
        found = self._candidates(needs)
        passed: list[_Entry] = []
        others: list[_Entry] = []
        while len(seats) + len(others) < count and (entry := found.top()) and not entry[0]:
            self.looked += 1
            heappop(found.heap)
            (passed if is_avoided(entry[4].name, avoid) else others).append(entry)
        for entry in (*others, *passed):
            heappush(found.heap, entry)
        seats += [entry[4] for entry in (*others, *passed)]
        return seats[:count] if len(seats) >= count else []

    def could_run(self, needs: Requirements, avoid: Collection[str] = ()) -> bool:
        """Whether enough open workers that need not be avoided could run it, busy as they may be.

        Enough is one, or as many as the gang has. Cost: O(names to avoid).
        """
        able = self.able(needs)
        for worker in self._avoided(avoid) if able else ():
            seat = self._seats[worker]
            able -= seat.open and seat.holdings.could(needs)
        return able >= needs.workers

    def able(self, needs: Requirements) -> int:
        """Open workers that could run it at one place, busy as they may be."""
        return self._candidates(needs).able

    def slots(self) -> int:
        """Slots of all open workers."""
        return self._slots

    def free(self) -> int:
        """Slots of open workers that nothing lies on."""
        return self._free

    def behind(self) -> int:
        """Attempts that lie on workers that may be sent nothing now. Cost: O(such workers)."""
        return sum(seat.busy for seat in self._closed.values())

    # --- inside ----------------------------------------------------------------------------------

    def _candidates(self, needs: Requirements) -> _Candidates:
        """The heap for such needs; made when they are asked for the first time."""
        found = self._kinds.get(needs)
        if found is None:
            if len(self._kinds) >= _MOST_KINDS:
                del self._kinds[next(iter(self._kinds))]
            found = self._kinds[needs] = _Candidates(needs)
            for seat in self:
                found.able += seat.open and seat.holdings.could(needs)
                if (entry := self._entry(seat)) is not None and seat.holdings.fits(needs):
                    found.heap.append(entry)
            heapify(found.heap)
        return found

    def _enter(self, seat: Seat) -> None:
        """What the heaps hold of the worker is void; it lies there as it is now."""
        self._versions += 1
        seat.version = self._versions
        entry = self._entry(seat)
        if entry is None:
            return
        most = 4 * len(self._seats) + 64
        for kind in self._kinds.values():
            if seat.holdings.fits(kind.needs):
                heappush(kind.heap, entry)
                kind.tidy(most)

    def _entry(self, seat: Seat) -> _Entry | None:
        """What lies in the heaps of the worker; None while it has no room at all."""
        if not seat.open or seat.kept_for is not None:
            return None
        full = seat.busy >= seat.slots
        if full and not self._takes_ahead(seat):
            return None
        # Of those that are full the one with the shortest queue comes first, whatever the policy.
        return full, seat.share if full else 0.0, self.key(seat), seat.version, seat

    def _takes_ahead(self, seat: Seat) -> bool:
        """Whether more may be queued at a worker whose slots are all taken."""
        limit = self._ahead.limit(seat)
        if seat.busy >= limit:
            seat.filling = False
        elif not seat.filling:
            seat.filling = self._ahead.is_due(seat)
        return seat.filling

    def _count(self, seat: Seat, sign: int) -> None:
        """Add an open worker to the sums, or take it out."""
        if not seat.open:
            return
        self._slots += sign * seat.slots
        self._free += sign * seat.free
        for kind in self._kinds.values():
            if seat.holdings.could(kind.needs):
                kind.able += sign

    def _avoided(self, avoid: Iterable[str]) -> set[str]:
        """Ids of the workers that are to be avoided."""
        found: set[str] = set()
        for each in avoid:
            found |= self._names.get(each, set())
            end = each.find("/")
            while end >= 0:
                found |= self._names.get(each[:end], set())
                end = each.find("/", end + 1)
        return found


def _may_queue(seat: Seat, ahead: float) -> bool:
    return ahead > 0.0 and seat.busy < most_at(seat, ahead)
