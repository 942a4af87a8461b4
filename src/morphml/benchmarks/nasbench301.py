"""NAS-Bench-301: a surrogate of trained DARTS cells, by the ensemble of XGBoost models.

The published members are pickles of XGBoost itself, which are not read here: a pickle may run code.
In the environment that NAS-Bench-301 asks for, each is saved once more as JSON, together with the
order of the features; docs/tabular-benchmarks.md has the lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np

from morphml.benchmarks.boosted_trees import BoostedTrees
from morphml.benchmarks.problem import Measure, Problem
from morphml.errors import CallerError
from morphml.ids import digest
from morphml.search.objectives import Direction, Objective
from morphml.space import Architecture, SearchSpace, choice
from morphml.space.expressions import Expression

#: The published space of configurations, and the order of the features.
SPACE, FEATURES = "configspace.json", "features.json"
#: What the published encoding puts in the place of an inactive decision.
_INACTIVE = -1.0
#: Names of what is searched, behind the last colon.
_SEARCHED = ("edge_", "inputs_node_")


class Ensemble:
    """The mean prediction of all members.

    Args:
        members: at least one.
        names: of the features, in order.
        fixed: what stands for features that are not searched.
        space: whose decisions are features by their names; a category is its place among the
            options.
    """

    def __init__(
        self,
        members: Sequence[BoostedTrees],
        names: Sequence[str],
        fixed: Mapping[str, float],
        space: SearchSpace,
    ) -> None:
        self._members = members
        self._row = np.array([fixed.get(name, _INACTIVE) for name in names], dtype=np.float64)
        places = {_short(name): place for place, name in enumerate(names)}
        self._places = [places[decision.path] for decision in space.decisions]

    def __call__(self, architecture: Architecture, /) -> dict[str, float]:
        """``accuracy`` on validation in %, without noise."""
        row = self._row.copy()
        for place, code in zip(self._places, architecture.vector, strict=True):
            row[place] = _INACTIVE if code is None else code
        return {"accuracy": float(np.mean([each.predict(row) for each in self._members]))}

    def network(self, architecture: Architecture, /) -> str | None:
        """There are none: the members are points of the published space."""
        return None

    @property
    def digest(self) -> str:
        """Of all members and the encoding."""
        parts = [*(each.digest for each in self._members), repr(self._row.tolist())]
        return digest("".join([*parts, repr(self._places)]).encode())


def nasbench301(path: str | Path, *, best: float = 100.0) -> Problem:
    """NAS-Bench-301 as a problem: 34 decisions of which at most 22 are active.

    Args:
        path: a folder with ``configspace.json``, ``features.json`` and the members, each another
            ``.json``.
        best: accuracy in % that regret is counted from; nobody knows the best cell.

    Raises:
        CallerError: a file is not there or not of this form, or features are missing.
    """
    folder = Path(path)
    space = _space(_json(folder / SPACE), folder / SPACE)
    order = _json(folder / FEATURES)
    names, fixed = order.get("names"), order.get("fixed")
    if not isinstance(names, list) or not isinstance(fixed, dict):
        raise CallerError(f"{folder / FEATURES}: needs 'names', a list, and 'fixed', an object")
    files = [f for f in sorted(folder.glob("*.json")) if f.name not in (SPACE, FEATURES)]
    if not files:
        raise CallerError(f"{folder}: has no member; save each model as .json")
    members = [BoostedTrees(file) for file in files]
    wrong = [file for file, each in zip(files, members, strict=True) if each.features != len(names)]
    if wrong:
        raise CallerError(f"{wrong[0]}: reads another number of features than {len(names)}")
    searched = {decision.path for decision in space.decisions}
    absent = searched - set(map(_short, names))
    unknown = [name for name in names if _short(name) not in searched and name not in fixed]
    if absent or unknown:
        raise CallerError(
            f"{folder / FEATURES}: lacks the features {sorted(absent)}, and says no value of "
            f"{unknown}"
        )
    return Problem(
        name="nasbench301/cifar10/surrogate",
        space=space,
        measures=(
            Measure(
                objective=Objective(name="accuracy", direction=Direction.MAX),
                unit="points",
                best=best,
            ),
        ),
        look_up=Ensemble(members, names, fixed, space),
        cost="one training of 100 epochs, as a surrogate predicts it",
        source="Zela et al., 2022",
    )


def _space(document: Mapping[str, Any], where: Path) -> SearchSpace:
    """The searched part of a space of ConfigSpace; conditions are of the form ``child IN``."""
    try:
        options = {
            _short(each["name"]): [str(option) for option in each["choices"]]
            for each in document["hyperparameters"]
            if _is_searched(each["name"])
        }
        conditions = {
            _short(each["child"]): (_short(each["parent"]), _values(each))
            for each in document.get("conditions", ())
            if _is_searched(each["child"])
        }
    except (KeyError, TypeError) as error:
        raise CallerError(f"{where}: is no space of NAS-Bench-301: {error!r}") from error
    parents = {parent for parent, _ in conditions.values()}
    if not options or not set(conditions) | parents <= set(options):
        raise CallerError(f"{where}: is no space of NAS-Bench-301: it lacks decisions")
    made: dict[str, Any] = {}
    for name in sorted(options, key=lambda each: each in conditions):
        when = None
        if name in conditions:
            parent, values = conditions[name]
            when = _one_of(made[parent], values)
        made[name] = choice(*options[name], name=name, when=when)
    return SearchSpace(decisions=made, name="nasbench301")


def _values(condition: Mapping[str, Any]) -> list[str]:
    kinds = {"IN": "values", "EQ": "value"}
    found = condition[kinds[condition["type"]]]
    return [str(value) for value in (found if isinstance(found, list) else [found])]


def _one_of(decision: Expression, values: Sequence[str]) -> Expression:
    return reduce(or_, [decision == value for value in values])


def _is_searched(name: str) -> bool:
    return _short(name).startswith(_SEARCHED)


def _short(name: str) -> str:
    return name.rpartition(":")[2]


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CallerError(f"{path}: cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise CallerError(f"{path}: holds no object")
    return found
