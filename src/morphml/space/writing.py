"""The text of a space: one call, with decisions that are used several times named before it.

What is written is Python (with the names of `morphml` and `morphml.layers` at hand) and reads back
to an equal space::

    width = choice(8, 16, name='width')
    SearchSpace(input=(4,), layers=[dense(units=width), dense(units=width * 2)])
"""

from __future__ import annotations

import keyword

from morphml.space import layers
from morphml.space.definition import Definition
from morphml.space.pretty import laid_out
from morphml.space.values import named_domains

#: Names that mean something else in the text form.
_TAKEN = frozenset(
    {*layers.__all__, "choice", "integer", "real", "optional", "sequence", "repeat", "parallel"}
    | {"residual", "tap", "join", "nest", "cell", "ref", "channels", "round_to", "divisors"}
    | {"Input", "SearchSpace", "GraphSpace", "L", "mm", "layers", "spaces", "morphml"}
)


def written(definition: Definition) -> str:
    """The text of a definition; O(its length)."""
    text = repr(definition)
    lines: list[tuple[str, str]] = []
    # A domain inside another one is shorter, so it comes first, and the other one reads it.
    domains = {repr(domain): domain.name or "" for domain in named_domains(definition.values)}
    for whole in sorted(domains, key=lambda form: (len(form), form)):
        name, form = domains[whole], whole
        for earlier, meaning in lines:
            form = form.replace(meaning, earlier)
        if text.count(form) > 1 and name not in _TAKEN and not keyword.iskeyword(name):
            text = text.replace(form, name)
            lines.append((name, form))
    made = [f"{name} = {form}" for name, form in lines]
    return "\n".join(laid_out(line) for line in (*made, text))
