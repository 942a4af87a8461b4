"""The bodies of log entries that say most: a proposal's number, a reused result, a trial's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from morphml.ids import PointId
from morphml.optimizers import Proposal
from morphml.search.log import Origin
from morphml.search.outcome import Outcome
from morphml.search.sharing import KnownResult


class Candidate(NamedTuple):
    """A proposal that passed the checks."""

    proposal: Proposal
    origin: Origin
    computed: Mapping[str, float]
    point: PointId


def asked_body(candidate: Candidate, seen: int) -> dict[str, object]:
    """Of ``asked``; ``seen`` is the last entry that the optimizer knew."""
    proposal = candidate.proposal
    body: dict[str, object] = {
        "vector": proposal.architecture.vector,
        "point": candidate.point,
        "origin": candidate.origin.value,
        "seen": seen,
        "computed": candidate.computed,
    }
    if proposal.parents:
        body["parents"] = proposal.parents
    if proposal.note is not None:
        body["note"] = proposal.note
    return body


def repeated_body(proposal: Proposal, origin: Origin, place: int) -> dict[str, object]:
    """Of ``answered``, for what this search itself knows at ``place``."""
    vector = proposal.architecture.vector
    if place >= 0:
        return {"vector": vector, "source": place, "origin": origin.value}
    return {"vector": vector, "source": None, "reused": place, "origin": origin.value}


def reused_body(
    candidate: Candidate, place: int, known: KnownResult, violation: float
) -> dict[str, object]:
    """Of ``answered``, for another experiment's result; a fold and a replay need nothing else."""
    return {
        "vector": candidate.proposal.architecture.vector,
        "source": None,
        "reused": place,
        "origin": candidate.origin.value,
        "point": candidate.point,
        "computed": candidate.computed,
        "metrics": dict(known.metrics),
        "violation": violation,
        "from": {"experiment": known.source.experiment, "number": known.source.number},
    }


def told_body(outcome: Outcome, violation: float) -> dict[str, object]:
    """Of ``told``; the traceback of a failure stands with its attempt."""
    body: dict[str, object] = {
        "state": outcome.state.value,
        "metrics": dict(outcome.metrics),
        "violation": violation,
        "duration": outcome.duration_s,
        "epochs": outcome.epochs,
    }
    if outcome.spent is not None:
        body["spent"] = outcome.spent
    if outcome.failure is not None:
        body["failure"] = {
            key: outcome.failure.get(key) for key in ("kind", "error_type", "message")
        }
    return body
