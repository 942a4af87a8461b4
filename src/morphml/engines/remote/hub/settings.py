"""Settings of a hub, each with its unit and default."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from morphml.errors import CallerError
from morphml.scheduling.faults import WorkerFaultRule
from morphml.scheduling.health import HealthRule
from morphml.scheduling.placing import PlacingRule
from morphml.scheduling.policies import DEFAULT_POLICY
from morphml.scheduling.seat import Ahead
from morphml.scheduling.worker import WorkerRule


class HubSettingsError(CallerError):
    """A setting of the hub is out of range, or does not go with another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSettings:
    """How a master listens to its workers. Times in seconds."""

    #: Address to listen on, as ``host:port``; port 0 takes a free one.
    listen: str = "127.0.0.1:50051"
    #: Who gets which attempt, and when; see ``morphml.scheduling.policies``.
    policy: str = DEFAULT_POLICY
    #: Time between two beats of a worker.
    beat_s: float = 1.0
    #: Silence of the master after which a worker dials another one: half a lease of a session.
    patience_s: float = 4.0
    #: Silence after which a worker gets nothing more.
    suspect_after_s: float = 5.0
    #: Time after a broken stream within which a worker must be back.
    announce_within_s: float = 3.0
    #: Silence after which a worker is lost.
    lost_after_s: float = 12.0
    #: Time within which a worker must have accepted a task; else it goes back.
    accept_within_s: float = 2.0
    #: Longest time that the first tasks of an experiment wait for the workers to load it.
    prepare_within_s: float = 5.0
    #: Time within which the first message of a stream must come.
    greet_within_s: float = 10.0
    #: Time that a retry waits for a worker other than the one that failed it.
    elsewhere_s: float = 2.0
    #: Share of all slots for which a driver asks ahead; 0 lets nothing wait at a worker either.
    ahead: float = 0.1
    #: Tasks wait at a worker beyond its slots only where those of their experiment take less than
    #: this on average: longer ones are better kept here for the slot that is free first.
    ahead_below_s: float = 0.2
    #: As much work waits there for each slot, as those tasks take on average.
    ahead_s: float = 0.05
    #: And never more of them than this share of its slots.
    most_ahead: float = 6.0
    #: Largest message that is taken or sent, in bytes.
    max_message_bytes: int = 4 << 20
    #: Events that may wait for one experiment before its workers are read no further.
    max_waiting_events: int = 20_000
    #: Log lines are dropped when so many events wait.
    max_waiting_logs: int = 2_000
    #: Time after which a request that no live worker can meet is reported.
    infeasible_after_s: float = 10.0
    #: Time between two looks at what is overdue.
    tick_s: float = 0.25
    #: How long a worker that is lost or gone stays in the list.
    remember_s: float = 600.0
    #: Largest file that a worker may upload, in bytes.
    max_file_bytes: int = 64 << 30
    #: When a worker that only fails is shut off, and for how long.
    faults: WorkerFaultRule = field(default_factory=WorkerFaultRule)
    #: When a sick worker is drained, and how much of its past is kept.
    health: HealthRule = field(default_factory=HealthRule)
    #: Threads for what may wait: the store and files.
    threads: int = 4

    def __post_init__(self) -> None:
        for name in ("beat_s", "patience_s", "accept_within_s", "tick_s", "announce_within_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise HubSettingsError(f"{name}: a time above 0 s, got {value}")
        if self.suspect_after_s < 1.5 * self.beat_s:
            raise HubSettingsError(
                f"suspect_after_s={self.suspect_after_s}: with a beat every {self.beat_s} s every "
                f"worker would be suspect; give at least {1.5 * self.beat_s:g}"
            )
        if self.lost_after_s < self.suspect_after_s:
            raise HubSettingsError(
                f"lost_after_s={self.lost_after_s}: less than suspect_after_s, "
                f"which is {self.suspect_after_s}"
            )
        if self.patience_s < self.beat_s:
            raise HubSettingsError(
                f"patience_s={self.patience_s}: less than beat_s, which is {self.beat_s}; workers "
                "would leave between two beats"
            )
        if not 0 <= self.ahead <= 10:
            raise HubSettingsError(f"ahead: a share of the slots from 0 to 10, got {self.ahead}")
        if self.max_message_bytes < 64 << 10:
            raise HubSettingsError(
                f"max_message_bytes: at least 65536, got {self.max_message_bytes}"
            )

    @property
    def placing_rule(self) -> PlacingRule:
        """How long tasks wait for better workers, and what is queued at workers."""
        ahead = Ahead(
            least=self.ahead,
            most=max(self.ahead, self.most_ahead),
            seconds=self.ahead_s,
            below_s=self.ahead_below_s,
        )
        return PlacingRule(ahead=ahead if self.ahead else Ahead(), elsewhere_s=self.elsewhere_s)

    @classmethod
    def of_beat(cls, beat_s: float, *, listen: str, ahead: float) -> HubSettings:
        """Settings with the times of silence that go with a beat; with one of 1 s the defaults.

        Args:
            beat_s: time between two beats of a worker.
            listen: see above.
            ahead: see above.
        """
        usual = cls(listen=listen, ahead=ahead)
        return replace(
            usual,
            beat_s=beat_s,
            patience_s=max(usual.patience_s, 2.5 * beat_s),
            suspect_after_s=max(usual.suspect_after_s, 2.5 * beat_s),
            lost_after_s=max(usual.lost_after_s, 4 * beat_s),
        )

    @property
    def worker_rule(self) -> WorkerRule:
        """How long silence of a worker is borne."""
        return WorkerRule(
            suspect_after_s=self.suspect_after_s,
            announce_within_s=self.announce_within_s,
            lost_after_s=self.lost_after_s,
        )
