"""Masters of one store rank tasks alike, since each claims what the others enqueued."""

from __future__ import annotations

from collections.abc import Iterable

from morphml.errors import SchedulingError
from morphml.ids import SessionId
from morphml.master.cluster.reports import report_from_json
from morphml.master.ranking import rank_rule
from morphml.storage.cluster import MasterRow


def check_agreement(masters: Iterable[MasterRow], session: SessionId, policy: str) -> None:
    """Nothing when all live masters rank tasks by the same rule as this one.

    A master that has not told its rule yet counts as one that agrees.

    Args:
        masters: all of them, this one too.
        session: of this master.
        policy: name of its policy.

    Raises:
        SchedulingError: a live master ranks tasks by another rule; or there is no such policy.
    """
    mine = rank_rule(policy)
    for other in masters:
        report = report_from_json(other.report)
        lives = other.session != session and other.lease_left_s > 0.0
        if lives and report.rank_rule not in ((), mine):
            raise SchedulingError(
                f"policy {policy!r}: master {other.name} runs with {report.policy!r}, which ranks "
                "tasks by another rule, and masters of one store must agree on it; start this one "
                f"with --policy {report.policy}, or stop the others first"
            )
