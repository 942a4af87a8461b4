"""What there is to choose from, for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from morphml.optimizers import OPTIMIZERS, create_optimizer
from morphml.optimizers.events import JSON
from morphml.search.fidelity import COMBINATIONS, create_fidelity
from morphml.space import SearchSpace, real

#: Epochs of a full trial for which settings of fidelity are told.
_EPOCHS = 81


def catalogue() -> Iterator[Mapping[str, JSON]]:
    """The optimizers, then those with a rule of fidelity: when to use each, cost, settings."""
    anywhere = SearchSpace(decisions={"x": real(0.0, 1.0)})
    for name, each in OPTIMIZERS.items():
        settings = dict(create_optimizer(name, anywhere).settings) if each.installed else None
        yield {
            "name": name,
            "use": each.use,
            "cost": each.cost,
            "source": each.source,
            "needs": list(each.needs),
            "installed": each.installed,
            "settings": settings,
        }
    for name, both in COMBINATIONS.items():
        yield {
            "name": name,
            "use": both.use,
            "cost": OPTIMIZERS[both.optimizer].cost,
            "source": both.source,
            "optimizer": both.optimizer,
            "fidelity": both.fidelity,
            "settings": dict(create_fidelity(both.fidelity, _EPOCHS).settings),
        }
