"""Which engine runs an experiment, as a person names it, and the engine itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from morphml.engines import InProcessEngine
from morphml.engines.devices import gpus
from morphml.engines.local import LocalEngine
from morphml.engines.port import Engine
from morphml.engines.ray.job import CLIENT
from morphml.errors import ExperimentError
from morphml.master.refusals import refuse_impossible_workers
from morphml.master.resources import local_workers
from morphml.scheduling.resources import Requirements
from morphml.search.experiment import ExperimentSpec
from morphml.version import __version__


class EngineKind(StrEnum):
    """Where attempts run."""

    #: Processes of this machine, or this very process.
    LOCAL = "local"
    #: Workers of the masters of a store.
    REMOTE = "remote"
    #: Nodes of a Ray cluster.
    RAY = "ray"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """An engine as it was named."""

    kind: EngineKind
    #: Of a Ray cluster; "" where none was named.
    address: str = ""

    @classmethod
    def parse(cls, text: str) -> EngineChoice:
        """The choice that a name states: ``local``, ``remote``, ``ray``, ``ray:ADDRESS``.

        ``ray://HOST:PORT`` is a cluster that is reached from outside only.

        Raises:
            ExperimentError: when it states none.
        """
        if text.startswith(CLIENT):
            return cls(kind=EngineKind.RAY, address=text)
        name, _, address = text.partition(":")
        if name not in list(EngineKind) or (address and name != EngineKind.RAY):
            raise ExperimentError(
                f"engine: local, remote, ray, or ray:ADDRESS for a cluster, got {text!r}"
            )
        return cls(kind=EngineKind(name), address=address)

    @property
    def outside(self) -> bool:
        """Whether the search is sent to a cluster that this machine is no part of."""
        return self.address.startswith(CLIENT)

    def slots_for(self, spec: ExperimentSpec, wanted: int | None) -> int:
        """Trials that run at a time at most.

        Args:
            spec: of the experiment.
            wanted: by the person who runs it, if anything was said.

        Raises:
            CallerError: when there cannot be so many, or not even one.
        """
        if self.kind is EngineKind.RAY:
            slots = max(1, spec.budget.trials) if wanted is None else wanted
            if wanted is None and spec.deterministic:
                slots = spec.workers
            refuse_impossible_workers(min(slots, 1))
            if slots == 0:
                raise ExperimentError("workers: 0 runs trials in this process, without Ray")
            return slots
        slots = spec.workers if wanted is None else wanted
        refuse_impossible_workers(slots)
        return local_workers(spec.resources, slots)


def make_engine(
    choice: EngineChoice, workers: int, resources: Mapping[str, float], *, exactly: bool = False
) -> Engine:
    """The engine; for ``local`` and 0 workers this process.

    Args:
        choice: which one.
        workers: slots, at most.
        resources: what one trial needs.
        exactly: whether a Ray cluster that is started for it is to have so many slots, however few
            cores this machine has.

    Raises:
        MissingExtraError: when a package for it is not installed.
        WorkerError: when there is no Ray cluster, and none can be started.
        ExperimentError: for ``remote``, which is for masters.
    """
    match choice.kind:
        case EngineKind.LOCAL:
            return InProcessEngine() if workers == 0 else LocalEngine(workers, devices=gpus())
        case EngineKind.RAY:
            return _ray_engine(choice.address, workers, resources, exactly=exactly)
        case EngineKind.REMOTE:
            raise ExperimentError("engine='remote': leave it to masters with submit(), not run()")
        case _:
            assert_never(choice.kind)


def _ray_engine(
    address: str, slots: int, resources: Mapping[str, float], *, exactly: bool
) -> Engine:
    from morphml.engines.ray import need_ray  # noqa: PLC0415 gRPC takes a second to import

    need_ray("engine='ray'")
    from morphml.engines.ray.engine import RayEngine  # noqa: PLC0415 as above
    from morphml.engines.ray.planning import SlotShape  # noqa: PLC0415 as above
    from morphml.engines.ray.settings import RaySettings  # noqa: PLC0415 as above

    needs = Requirements.parse(resources)
    amounts = dict(needs.amounts)
    shape = SlotShape(
        cpu=amounts.get("cpu", 1.0),
        gpu=None if needs.gpu is None else needs.gpu.amount,
        memory=amounts.get("memory", 0.0),
    )
    settings = RaySettings(address=address, slots=slots, crowded=exactly, shape=shape)
    engine = RayEngine(settings, __version__)
    try:
        engine.check(resources)
    except BaseException:
        engine.close()
        raise
    return engine
