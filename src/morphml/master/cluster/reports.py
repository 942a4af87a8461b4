"""What a master tells the others of itself, as it lies beside its session in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from morphml.ids import ExperimentId
from morphml.master.cluster.processes import ProcessName
from morphml.optimizers.events import JSON
from morphml.scheduling.fair_share import Demand
from morphml.scheduling.lending import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterReport:
    """One master's slots and wishes."""

    #: Its slots, and what the experiments that it drives want.
    pool: Pool[ExperimentId] = field(default_factory=lambda: Pool(slots=0))
    #: What one attempt of each of those takes of its worker.
    needs: Mapping[ExperimentId, Mapping[str, float]] = field(default_factory=dict)
    #: Whether it sends evaluators that were submitted as pickles.
    sends_pickles: bool = False
    #: Its policy, and by what rule that ranks tasks; see ``morphml.master.ranking``.
    policy: str = ""
    rank_rule: tuple[float, ...] = ()
    #: Name of the folder of its files; "" where it could be given none.
    place: str = ""
    #: Which process it is; None where its system does not say.
    process: ProcessName | None = None

    def to_json(self) -> dict[str, JSON]:
        """The report as JSON."""
        demands: dict[str, JSON] = {
            key: [each.weight, each.wanted] for key, each in self.pool.demands.items()
        }
        able: dict[str, JSON] = {key: most for key, most in self.pool.able.items()}
        needs: dict[str, JSON] = {key: dict(each) for key, each in self.needs.items()}
        return {
            "slots": self.pool.slots,
            "demands": demands,
            "able": able,
            "needs": needs,
            "pickles": self.sends_pickles,
            "policy": self.policy,
            "rank_rule": list(self.rank_rule),
            "place": self.place,
            "process": None if self.process is None else self.process.to_json(),
        }


def report_from_json(told: Mapping[str, JSON]) -> MasterReport:
    """The report that a master wrote; what cannot be read of it counts as not said.

    Masters of two versions may share a store while one takes the other's place.
    """
    slots, demands, able, needs = (told.get(name) for name in ("slots", "demands", "able", "needs"))
    pool = Pool(
        slots=slots if isinstance(slots, int) else 0,
        demands={ExperimentId(key): each for key, each in _demands(demands)},
        able={ExperimentId(k): n for k, n in _items(able) if isinstance(n, int)},
    )
    return MasterReport(
        pool=pool,
        needs={ExperimentId(key): _amounts(each) for key, each in _items(needs)},
        sends_pickles=told.get("pickles") is True,
        policy=str(told.get("policy", "")),
        rank_rule=_numbers(told.get("rank_rule")),
        place=str(told.get("place", "")),
        process=ProcessName.from_json(told.get("process")),
    )


def _numbers(told: JSON) -> tuple[float, ...]:
    numbers = told if isinstance(told, list) else []
    return tuple(float(each) for each in numbers if isinstance(each, int | float))


def _items(told: JSON) -> list[tuple[str, JSON]]:
    return list(told.items()) if isinstance(told, Mapping) else []


def _demands(told: JSON) -> list[tuple[str, Demand]]:
    found = []
    for key, each in _items(told):
        match each:
            case [int() | float() as weight, int() as wanted] if weight > 0 and wanted >= 0:
                found.append((key, Demand(weight=float(weight), wanted=wanted)))
            case _:
                pass
    return found


def _amounts(told: JSON) -> dict[str, float]:
    return {key: float(each) for key, each in _items(told) if isinstance(each, int | float)}
