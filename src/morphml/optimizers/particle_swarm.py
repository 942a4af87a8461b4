"""Particle swarm over the encoding: points fly towards what they and all others found best.

After Kennedy and Eberhart (1995), with the constriction of Clerc and Kennedy (2002). Asynchronous:
each ask moves one particle on, whether or not its last place has been told. Where it is and how
fast it flies travels in the proposal's note, since rounding to options loses both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.errors import OptimizerError
from morphml.optimizers.contract import Proposal
from morphml.optimizers.cube import Floats, as_text, from_text, reflected
from morphml.optimizers.events import JSON, Asked, Cancelled, Event, Told
from morphml.optimizers.pareto import Result, better
from morphml.optimizers.population import Member, parents_of
from morphml.optimizers.record import Record
from morphml.optimizers.seen_points import point_key
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.optimizers.unseen import unseen_draw, unseen_walk
from morphml.space import Architecture, SearchSpace

#: Inertia and pull of the constricted swarm (Clerc and Kennedy, 2002, type 1'').
INERTIA = 0.7298
PULL = 1.49618
#: Fastest flight in one step, in widths of the cube.
FASTEST = 0.5
#: Decisions whose place and speed fit into a note of 4 kB.
MOST_DECISIONS = 700


@dataclass(frozen=True, kw_only=True)
class ParticleSwarmSettings:
    """Settings of particle swarm."""

    #: Particles; that many trials are drawn at random to begin with; >= 2.
    particles: int = 20

    def __post_init__(self) -> None:
        """Check the range."""
        require_least("particle_swarm", "particles", self.particles, 2)


@dataclass(slots=True)
class _Particle:
    """Where one particle is and what it found."""

    place: Floats
    speed: Floats
    best: Member | None = None
    best_place: Floats | None = None


class ParticleSwarm:
    """Moves particles through the unit cube and evaluates the members nearest to where they are.

    Meant for spaces of numbers; categorical decisions are rounded to the nearest option. With
    several objectives a particle's best is replaced unless it dominates the new result.
    """

    name: str = "particle_swarm"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``ParticleSwarmSettings``.

        Raises:
            OptimizerError: the space has more than 700 decisions.
        """
        if len(space.decisions) > MOST_DECISIONS:
            raise OptimizerError(
                f"at most {MOST_DECISIONS} decisions, since place and speed are logged with each "
                f"trial; the space has {len(space.decisions)}; try evolution",
                optimizer=self.name,
            )
        self.space = space
        self._settings = read_settings(ParticleSwarmSettings, self.name, settings)
        self._record = Record()
        self._swarm: dict[int, _Particle] = {}
        self._best: Member | None = None
        self._best_place: Floats | None = None
        #: Where trials that are not told yet were flown to, by number.
        self._flown: dict[int, Floats] = {}

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random draw to begin with, then the next place of one particle; O(decisions)."""
        which = number % self._settings.particles
        particle = self._swarm.get(which)
        if particle is None or self._best is None or self._best_place is None:
            draw = unseen_draw(self.space, self._record.seen, rng)
            place = self.space.encode(draw)
            return Proposal(architecture=draw, note=_note(which, place, np.zeros_like(place)))
        own = self._best_place if particle.best_place is None else particle.best_place
        pulls = PULL * rng.random((2, len(own)))
        speed = (
            INERTIA * particle.speed
            + pulls[0] * (own - particle.place)
            + pulls[1] * (self._best_place - particle.place)
        )
        speed = np.clip(speed, -FASTEST, FASTEST)
        place = reflected(particle.place + speed)
        child, place = self._member_at(place, self._best.architecture, rng)
        own_best = self._best if particle.best is None else particle.best
        sources = (own_best,) if own_best is self._best else (own_best, self._best)
        return Proposal(
            architecture=child, parents=parents_of(*sources), note=_note(which, place, speed)
        )

    def observe(self, event: Event) -> None:
        """Move a particle, or learn what one found; O(decisions)."""
        if isinstance(event, Asked) and event.note is not None:
            self._fly(event)
        place = None
        if isinstance(event, Told | Cancelled):
            place = self._flown.pop(event.number, None)
        learned = self._record.observe(event)
        if learned is None:
            return
        member = learned.member
        if place is None:
            place = self.space.encode(member.architecture)
        if self._best is None or _as_good(member.result, self._best.result):
            self._best, self._best_place = member, place
        which = None if learned.note is None else learned.note.get("particle")
        particle = self._swarm.get(which) if isinstance(which, int) else None
        if particle is not None and (
            particle.best is None or _as_good(member.result, particle.best.result)
        ):
            particle.best, particle.best_place = member, place

    def _fly(self, event: Asked) -> None:
        assert event.note is not None
        which, place, speed = (event.note.get(key) for key in ("particle", "place", "speed"))
        if not (isinstance(which, int) and isinstance(place, str) and isinstance(speed, str)):
            return
        at = from_text(place)
        going = (from_text(speed) * 2.0 - 1.0) * FASTEST
        particle = self._swarm.setdefault(which, _Particle(at, going))
        particle.place, particle.speed = at, going
        self._flown[event.number] = at

    def _member_at(
        self, place: Floats, best: Architecture, rng: np.random.Generator
    ) -> tuple[Architecture, Floats]:
        """An unseen member at or near a place, and where the particle is then."""
        nearest = self.space.decode(place)
        if not self.space.contains(nearest).ok:
            nearest = self.space.mutate(best, rng)
        child = unseen_walk(self.space, nearest, self._record.seen, rng)
        if point_key(child) == point_key(self.space.decode(place)):
            return child, place
        return child, self.space.encode(child)


def _note(which: int, place: Floats, speed: Floats) -> Mapping[str, JSON]:
    return {
        "particle": which,
        "place": as_text(place),
        "speed": as_text((speed / FASTEST + 1.0) / 2.0),
    }


def _as_good(result: Result, best: Result) -> bool:
    return not better(best, result)
