"""What a worker knows of its attempts: who waits, runs, ended, and which ends are stored.

No process, connection or clock in here; times are handed in (seconds of a monotonic clock). The
book decides what is announced to a master, offered again, and ended because a master says so.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.ids import AttemptToken, ExperimentId
from morphml.jobs import Artifact

#: Reports of a running attempt that are told again to a master that may not know them.
REPORTS = 64


class Stage(StrEnum):
    """Where an attempt stands at its worker."""

    #: Accepted; user code has not begun.
    WAITING = "waiting"
    #: User code runs.
    RUNNING = "running"
    #: Over, and no master has said that it is stored.
    ENDED = "ended"


class Arrival(StrEnum):
    """What a task that arrives is."""

    #: To be run.
    NEW = "new"
    #: Here already, waiting or running.
    HELD = "held"
    #: Its end is here and must be told again.
    ENDED = "ended"


@dataclass(slots=True, kw_only=True)
class Entry:
    """One attempt."""

    name: AttemptName
    stage: Stage = Stage.WAITING
    #: Name of the slot, and when user code began by the wall clock.
    slot: str = ""
    began_at: float = 0.0
    #: An operator asked for it by hand: masters do not hear of it.
    private: bool = False
    #: Nobody wants its end: it is being killed.
    fenced: bool = False
    #: The worker leaves and ends it itself.
    evicted: bool = False
    #: A master ordered its cancellation.
    cancelled: bool = False
    #: The newest reports, oldest first.
    reports: deque[tuple[int, Mapping[str, float]]] = field(
        default_factory=lambda: deque(maxlen=REPORTS)
    )
    #: The newest checkpoint, and the master that has its bytes.
    checkpoint: CheckpointFile | None = None
    checkpoint_at: str = ""
    #: The newest step whose checkpoint any master took.
    stored_step: int = 0
    #: The end as a message.
    result: bytes = b""
    #: Files that the end names, and those that the master of ``files_at`` has.
    files: tuple[Artifact, ...] = ()
    files_stored: frozenset[Artifact] = frozenset()
    files_at: str = ""

    def tellable(self, master: str) -> bool:
        """Whether its end may be told: its newest checkpoint and its files come first."""
        stored = self.checkpoint is None or self.checkpoint_at == master
        return self.stage is Stage.ENDED and stored and not self.lacking(master)

    def lacking(self, master: str) -> tuple[Artifact, ...]:
        """Files that the end names and that a master does not have."""
        if not self.files or self.files_at != master:
            return self.files
        return tuple(each for each in self.files if each not in self.files_stored)

    def stored(self, file: Artifact, master: str) -> None:
        """A master has a file that the end names."""
        known = self.files_stored if self.files_at == master else frozenset()
        self.files_stored, self.files_at = known | {file}, master

    def save(self, checkpoint: CheckpointFile) -> None:
        """A new checkpoint lies here."""
        self.checkpoint, self.checkpoint_at = checkpoint, ""

    def uploaded(self, checkpoint: CheckpointFile, master: str) -> None:
        """A master has the bytes."""
        self.stored_step = max(self.stored_step, checkpoint.step)
        if self.checkpoint == checkpoint:
            self.checkpoint_at = master

    def give_up(self, checkpoint: CheckpointFile) -> bool:
        """A master does not want the bytes; whether there is no newer checkpoint."""
        last = self.checkpoint == checkpoint
        if last:
            self.checkpoint = None
        return last


@dataclass(frozen=True, slots=True)
class _Stored:
    """An end that a master says is stored."""

    name: AttemptName
    result: bytes
    until: float


class Book:
    """The attempts of one worker.

    Args:
        keep_s: seconds that an end is kept after it was stored.
        keep: the most such ends.
    """

    def __init__(self, keep_s: float, keep: int) -> None:
        self._keep_s = keep_s
        self._keep = keep
        self._entries: dict[AttemptToken, Entry] = {}
        #: Attempts at each stage, with those that are being killed; only read elsewhere.
        self.counts = dict.fromkeys(Stage, 0)
        self._stored: OrderedDict[AttemptToken, _Stored] = OrderedDict()
        self._store = ""

    def __len__(self) -> int:
        """Attempts that wait or run, with those that are being killed."""
        return self.counts[Stage.WAITING] + self.counts[Stage.RUNNING]

    def __getitem__(self, token: AttemptToken) -> Entry:
        """The attempt that waits, runs, or ended and is not stored."""
        return self._entries[token]

    def get(self, token: AttemptToken) -> Entry | None:
        """The same, or None."""
        return self._entries.get(token)

    def wanted(self, token: AttemptToken) -> Entry | None:
        """The attempt, when a master is to hear of it."""
        entry = self._entries.get(token)
        return None if entry is None or entry.fenced or entry.private else entry

    def entries(self) -> Iterator[Entry]:
        """All that a master may still ask for, oldest first."""
        return (entry for entry in self.held() if not entry.private)

    def held(self) -> Iterator[Entry]:
        """All that somebody may still ask for, oldest first."""
        return (entry for entry in list(self._entries.values()) if not entry.fenced)

    @property
    def owners(self) -> frozenset[ExperimentId]:
        """Experiments with attempts here, or with ends that are not stored."""
        return frozenset(entry.name.owner for entry in self._entries.values())

    # --- the life of an attempt ------------------------------------------------------------------

    def arrive(self, name: AttemptName) -> Arrival:
        """Take a task in, unless it is here already."""
        kept = self._stored.pop(name.token, None)
        if kept is not None:
            self._add(Entry(name=kept.name, stage=Stage.ENDED, result=kept.result))
        known = self._entries.get(name.token)
        if known is None:
            self._add(Entry(name=name))
            return Arrival.NEW
        return Arrival.ENDED if known.stage is Stage.ENDED else Arrival.HELD

    def begin(self, token: AttemptToken, slot: str, at: float) -> Entry | None:
        """User code began; the attempt, when a master is to be told."""
        entry = self._entries.get(token)
        if entry is not None:
            self._move(entry, Stage.RUNNING)
            entry.slot, entry.began_at = slot, at
        return self.wanted(token)

    def report(self, token: AttemptToken, step: int, metrics: Mapping[str, float]) -> Entry | None:
        """The attempt reported; the attempt, when a master is to be told."""
        entry = self.wanted(token)
        if entry is not None:
            entry.reports.append((step, metrics))
        return entry

    def end(self, token: AttemptToken, result: bytes) -> Entry | None:
        """The attempt is over; the attempt, when a master is to be told."""
        entry = self._entries.get(token)
        if entry is None:
            return None
        if entry.fenced:
            self.drop(token)
            return None
        self._move(entry, Stage.ENDED)
        entry.result = result
        entry.reports.clear()
        return entry

    def drop(self, token: AttemptToken) -> None:
        """The attempt goes back, or is not to be heard of again."""
        entry = self._entries.pop(token, None)
        if entry is not None:
            self.counts[entry.stage] -= 1

    def _add(self, entry: Entry) -> None:
        self._entries[entry.name.token] = entry
        self.counts[entry.stage] += 1

    def _move(self, entry: Entry, stage: Stage) -> None:
        self.counts[entry.stage] -= 1
        self.counts[stage] += 1
        entry.stage = stage

    # --- what masters say ------------------------------------------------------------------------

    def kill(self, tokens: Iterable[AttemptToken]) -> list[AttemptToken]:
        """Masters fenced these attempts; returns those that must be ended here."""
        ended = []
        for token in tokens:
            entry = self._entries.get(token)
            if entry is None:
                continue
            if entry.stage is Stage.ENDED:
                self.drop(token)
            elif not entry.fenced:
                entry.fenced = True
                ended.append(token)
        return ended

    def acknowledge(self, tokens: Iterable[AttemptToken], now: float) -> list[AttemptToken]:
        """A master says that these ends are stored; returns those that were waiting for it."""
        known = []
        for token in tokens:
            entry = self._entries.get(token)
            if entry is None or entry.stage is not Stage.ENDED:
                continue
            self.drop(token)
            self._stored[token] = _Stored(entry.name, entry.result, now + self._keep_s)
            known.append(token)
        while len(self._stored) > self._keep:
            self._stored.popitem(last=False)
        return known

    def forget_old(self, now: float) -> float | None:
        """Forget stored ends whose time is over; returns when the next one is, or None."""
        while self._stored:
            oldest = next(iter(self._stored.values()))
            if oldest.until > now:
                return oldest.until
            self._stored.popitem(last=False)
        return None

    def meet(self, store: str) -> None:
        """A master welcomed us. Where it has another store, nothing is sure to be stored there."""
        if self._store and store and store != self._store:
            for kept in self._stored.values():
                self._add(Entry(name=kept.name, stage=Stage.ENDED, result=kept.result))
            self._stored.clear()
        self._store = store or self._store

    # --- what is announced -----------------------------------------------------------------------

    def names(self, *stages: Stage) -> tuple[AttemptName, ...]:
        """Attempts at these stages, oldest first, without those that are being killed."""
        return tuple(entry.name for entry in self.entries() if entry.stage in stages)

    def tokens(self, stage: Stage) -> tuple[AttemptToken, ...]:
        """Tokens of the attempts at a stage, without those that are being killed."""
        return tuple(name.token for name in self.names(stage))

    @property
    def stored(self) -> Collection[AttemptToken]:
        """Ends that are kept although they are stored."""
        return self._stored.keys()
