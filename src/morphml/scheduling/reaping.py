"""Which sessions have ended by silence, without mistaking an outage of the store for their death.

After an outage nobody is reaped until the store was reachable for one full lease. When more than
half of all leases expire in one tick, the fault is more likely here: one lease is waited more,
once; those of masters that are known to be dead do not count there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from morphml.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaperRule:
    """Times of sessions and of whoever looks after them, in seconds."""

    #: A session not renewed for so long has ended.
    lease_s: float = 8.0
    #: How often a session renews itself.
    renew_every_s: float = 2.0
    #: A loop that has not turned for so long is stuck: its session is not renewed.
    stuck_after_s: float = 2.0
    #: Share of the lease without a renewal after which a master stops acting.
    stop_after: float = 2 / 3
    #: Seconds between two looks.
    tick_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaper:
    """What one master remembers between two looks."""

    #: Since when the store was reachable without a break, in seconds of the store's clock.
    reachable_since: float
    #: Until when a mass expiry is waited out; None while there is none.
    grace_until: float | None = None


def lost_store(reaper: Reaper, back_at: float) -> Reaper:
    """The reaper after an outage of the store that ended at ``back_at``."""
    return replace(reaper, reachable_since=back_at, grace_until=None)


def reap(
    reaper: Reaper,
    renewed_at: Mapping[SessionId, float],
    now: float,
    rule: ReaperRule,
    dead: Collection[SessionId] = (),
) -> tuple[Reaper, tuple[SessionId, ...]]:
    """The sessions that have ended by now, sorted, and what to remember.

    Args:
        reaper: what was remembered.
        renewed_at: last renewal of every open session, in seconds of the store's clock.
        now: the store's clock.
        rule: times.
        dead: sessions whose process is known to be dead: their silence says nothing of the store.
            They keep their lease, since their workers need that time to find another master.
    """
    if now - reaper.reachable_since < rule.lease_s:
        return reaper, ()
    expired = sorted(s for s, at in renewed_at.items() if now - at >= rule.lease_s)
    buried = tuple(s for s in expired if s in dead)
    silent, judged = len(expired) - len(buried), sum(s not in dead for s in renewed_at)
    if judged > 1 and 2 * silent > judged:
        if reaper.grace_until is None:
            return replace(reaper, grace_until=now + rule.lease_s), buried
        if now < reaper.grace_until:
            return reaper, buried
    return replace(reaper, grace_until=None), tuple(expired)


def must_stop_acting(last_renewal: float, now: float, rule: ReaperRule) -> bool:
    """Whether a master must stop acting and come back as a new session (monotonic seconds)."""
    return now - last_renewal >= rule.stop_after * rule.lease_s
