"""What an operator may set of a master."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from pathlib import Path

from morphml.engines.remote.access import Endpoint, parse_endpoint
from morphml.scheduling.faults import WorkerFaultRule
from morphml.scheduling.health import HealthRule
from morphml.scheduling.reaping import ReaperRule


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterSettings:
    """Settings of one master process."""

    #: Path of a SQLite file, or ``postgresql://user:password@host/database``.
    storage: str
    #: Where workers dial: host and port; port 0 takes a free one.
    listen: str = "127.0.0.1:50051"
    #: What workers and other masters are told to dial, as ``host`` or ``host:port``; by default
    #: this host, and the port that is listened on.
    advertise: str = ""
    #: Name that people see; by default host and process id.
    name: str = ""
    #: Folder of checkpoints and captured output, shared by all masters if they are to find each
    #: other's; by default beside a SQLite file, else ``MORPHML_ARTIFACTS``.
    artifacts: Path | None = None
    #: Who gets which task, and when: a name of ``morphml.scheduling.policies``. By default
    #: ``MORPHML_POLICY``, else ``fair_share``. All masters of a store must rank tasks alike.
    policy: str = ""
    #: Trials asked ahead of free slots, as a share of all slots, >= 0; 0 lets nothing wait at a
    #: worker either.
    ahead: float = 0.1
    #: Seconds between two beats of a worker, > 0. More is right for very many workers: a master
    #: that serves a thousand spends a core on their beats each second. Their silence is then borne
    #: longer; a broken connection is noticed as fast as ever.
    beat_s: float = 1.0
    #: Whether pickled evaluators may be sent to workers that allow them too.
    allow_pickle: bool = False
    #: Seconds for which an execution of a workflow is kept after its end, with its files, >= 0.
    keep_executions_s: float = 7 * 86_400.0
    #: Seconds that a stopping master waits for its drivers to leave off.
    stop_grace_s: float = 5.0
    #: Times of sessions and of the reaper.
    reaper: ReaperRule = field(default_factory=ReaperRule)
    #: Seconds between two reports of this master's workers to the store.
    report_every_s: float = 2.0
    #: When a worker that only fails is shut off, and for how long.
    faults: WorkerFaultRule = field(default_factory=WorkerFaultRule)
    #: When a sick worker is drained, and how much of its past is kept.
    health: HealthRule = field(default_factory=HealthRule)

    def __post_init__(self) -> None:
        """Check the addresses.

        Raises:
            CallerError: when one is none.
        """
        for each in filter(None, (self.listen, self.advertise)):
            parse_endpoint(each)

    def address(self, port: int) -> str:
        """What workers and other masters are told to dial, with the port that is listened on."""
        if self.advertise:
            return str(parse_endpoint(self.advertise, default_port=port))
        host = parse_endpoint(self.listen).host
        anywhere = host in ("0.0.0.0", "::", "*")  # noqa: S104 compared, not bound
        return str(Endpoint(host=platform.node() if anywhere else host, port=port))
