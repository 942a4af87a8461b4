"""Small search spaces that the contract suites and tests run on; none builds a network."""

from __future__ import annotations

from morphml.space import SearchSpace, choice, integer, real


def flat_space(decisions: int = 6, options: int = 5) -> SearchSpace:
    """Categorical decisions, all active, ``options ** decisions`` members.

    The default has the size and shape of NAS-Bench-201's cells: 15,625 members.
    """
    names = [f"option{index}" for index in range(options)]
    return SearchSpace(
        decisions={f"edge{index}": choice(*names) for index in range(decisions)},
        name="flat",
    )


def conditional_space() -> SearchSpace:
    """Every kind of decision, some of them active in one branch only."""
    kind = choice("wide", "deep", "none", name="kind")
    return SearchSpace(
        decisions={
            "kind": kind,
            "width": integer(8, 64, log=True, when=kind == "wide"),
            "depth": integer(1, 6, when=kind == "deep"),
            "skip": choice(True, False, when=kind == "deep"),
            "units": choice(16, 32, 64, 128),
            "rate": real(1e-4, 1e-1, log=True),
        },
        name="conditional",
    )


def tiny_space(options: int = 2) -> SearchSpace:
    """One decision with ``options`` options: it runs dry at once."""
    names = [f"option{index}" for index in range(options)]
    return SearchSpace(decisions={"only": choice(*names)}, name="tiny")
