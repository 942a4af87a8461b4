"""Whatever the arguments, reading a text ends in a value or in a TextFormError."""

from __future__ import annotations

import random
import time

from morphml.errors import TextFormError
from morphml.space.text.forms import _SPACE
from morphml.space.text.names import CALLS
from morphml.space.text.reader import read

ATOMS = (
    "0",
    "1",
    "-1",
    "3",
    "2.5",
    "1e300",
    "-0.0",
    "True",
    "None",
    "'a'",
    "''",
    "'add'",
    "'same'",
    "'edges'",
    "'a b'",
    "[]",
    "()",
    "{}",
    "(1, 2)",
    "[3, 3]",
    "{'a': 1}",
    "1e999",
    "relu()",
    "dense(4)",
    "ref('w')",
    "channels()",
    "integer(1, 3)",
    "choice(1, 2, name='w')",
    "optional(relu())",
    "tap('t')",
    "Input((3, 4))",
    "10**9",
    "99999999999999999999",
    "choice(relu(), gelu())",
    "ref('w') > 1",
    "divisors(12)",
    "[relu(), dense(2)]",
)
KEYWORDS = (
    "name",
    "when",
    "times",
    "default",
    "log",
    "ordered",
    "merge",
    "match",
    "how",
    "on",
    "nodes",
    "ops",
    "inputs",
    "in_degree",
    "max_edges",
    "reduce",
    "channels",
    "filters",
    "kernel_size",
    "stride",
    "padding",
    "units",
    "input",
    "layers",
    "outputs",
    "hyper",
    "constraints",
    "decisions",
    "classes",
    "tie",
    "shape",
    "dtype",
    "module",
    "rate",
)


#: Ready-made spaces are large; they have their own tests.
NAMES = sorted(name for name in CALLS if not name.startswith("spaces."))


def call(draw: random.Random, depth: int) -> str:
    def argument() -> str:
        if depth and draw.random() < 0.3:
            return call(draw, depth - 1)
        star = "*" if draw.random() < 0.05 else ""
        return star + draw.choice(ATOMS)

    name = draw.choice(NAMES)
    positional = [argument() for _ in range(draw.choice((0, 0, 1, 1, 2, 3)))]
    names = draw.sample(KEYWORDS, draw.choice((0, 0, 1, 2, 3)))
    named = [f"{key}={argument().removeprefix('*')}" for key in names]
    return f"{name}({', '.join(positional + named)})"


def test_any_call_gives_a_value_or_a_text_form_error() -> None:
    draw = random.Random(11)
    made = refused = 0
    slowest = 0.0
    for _ in range(1_000):
        text = call(draw, depth=3)
        start = time.perf_counter()
        try:
            value = read(text, _SPACE)
        except TextFormError:
            refused += 1
        else:
            made += 1
            assert repr(read(repr(value), _SPACE)) == repr(value)
        slowest = max(slowest, time.perf_counter() - start)
    assert made > 50
    assert refused > 200
    assert slowest < 10.0
