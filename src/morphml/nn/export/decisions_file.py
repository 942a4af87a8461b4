"""The exported file of a space whose networks are built by code of the user."""

from __future__ import annotations

from collections.abc import Iterator

from morphml.nn.export.python_file import Facts, constant


def decisions_file(facts: Facts) -> str:
    """A module with the decisions, and `load_weights` for the state beside it."""
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: Facts) -> Iterator[str]:
    yield f'"""{facts.title}'
    yield ""
    yield "Exported by MorphML: decisions and weights only. The space builds its networks by a"
    yield "function of its own (build=), which is not written here: call it with the decisions,"
    if facts.trained:
        yield 'then load the weights, which lie beside this file, its name with the ending ".pt".'
    else:
        yield "then load weights that you have saved: none were kept of this trial."
    yield '"""'
    yield ""
    yield "from __future__ import annotations"
    yield ""
    yield "from pathlib import Path"
    yield ""
    yield "import torch"
    yield ""
    yield "#: Where `load_weights` finds the weights."
    yield 'WEIGHTS = Path(__file__).with_suffix(".pt")'
    yield from constant("DECISIONS", "What the search decided, by name.", facts.decisions)
    yield _LOAD


_LOAD = '''

def load_weights(weights: str | Path = WEIGHTS, device: str = "cpu") -> dict[str, torch.Tensor]:
    """The state for `load_state_dict` of the network that build(**DECISIONS) gives."""
    state: dict[str, torch.Tensor] = torch.load(weights, map_location=device, weights_only=True)
    return state


if __name__ == "__main__":
    for name, value in DECISIONS.items():
        print(f"{name} = {value!r}")'''
