"""The flat scan keeps hostile texts away from the recursive parser."""

from __future__ import annotations

import ast
import random
import sys
import tracemalloc

import pytest

from morphml.errors import TextFormError
from morphml.space.text.limits import (
    MAX_BRACKETS,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_TOKENS,
    check_limits,
)

TEN_MEGABYTES = 10_000_000

HOSTILE = {
    "ten megabytes of brackets": "[" * TEN_MEGABYTES,
    "ten megabytes of balanced brackets": "(" * (TEN_MEGABYTES // 2) + ")" * (TEN_MEGABYTES // 2),
    "a megabyte of brackets": "[" * (MAX_BYTES - 1),
    "a megabyte of signs": "-" * (MAX_BYTES - 2) + "1",
    "a megabyte of inversions": "~" * (MAX_BYTES - 2) + "1",
    "a megabyte of sums": "1+" * (MAX_BYTES // 2 - 1) + "1",
    "a megabyte of powers": "2**" * (MAX_BYTES // 3 - 1) + "2",
    "a megabyte of attributes": "a" + ".a" * (MAX_BYTES // 2 - 1),
    "a megabyte of calls": "f" + "()" * (MAX_BYTES // 2 - 1),
    "a megabyte of indices": "f" + "[0]" * (MAX_BYTES // 3 - 1),
    "a megabyte of negations": "not " * (MAX_BYTES // 4 - 1) + "1",
    "a megabyte of lambdas": "lambda a, b:" * (MAX_BYTES // 12 - 1) + "1",
    "a megabyte of conditions": "1 if 1 else " * (MAX_BYTES // 12 - 1) + "1",
    "a megabyte of walrus": "(a:=" * (MAX_BYTES // 4 - 1),
    "a megabyte of numbers": "[" + "1," * (MAX_BYTES // 2 - 2) + "]",
    "a megabyte of words": "a " * (MAX_BYTES // 2 - 1),
    "signs behind a comment's carriage return": "# fine\r" + "-" * 100_000 + "1",
    "operators behind nested brackets": "(" * 80 + "1" + ("+1" * 150 + ")") * 80,
    "calls of calls behind brackets": "f(" * 80 + "1" + (")" + "()" * 150) * 80,
    "nested f-strings": 'f"{' * 1000 + "1" + '}"' * 1000,
    "an open string": "'" + "a" * (MAX_BYTES - 2),
    "an open string of escapes": "'" + "\\'" * (MAX_BYTES // 2 - 2),
    "a tower of nested subscripts and commas": "a[b, c" * 1000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_before_python_parses_it(text: str) -> None:
    with pytest.raises(TextFormError) as caught:
        check_limits(text.replace("\r", "\n"))
    assert caught.value.line >= 1
    assert caught.value.column >= 1


def test_refusing_ten_megabytes_takes_no_memory() -> None:
    text = HOSTILE["ten megabytes of balanced brackets"]
    tracemalloc.start()
    try:
        with pytest.raises(TextFormError):
            check_limits(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_ten_megabytes_are_refused_by_their_size() -> None:
    with pytest.raises(TextFormError, match=r"10,000,000 bytes, and at most 1,000,000 are read"):
        check_limits("[" * TEN_MEGABYTES)


def test_size_counts_bytes_and_not_characters() -> None:
    with pytest.raises(TextFormError, match="at most"):
        check_limits("'" + "ü" * (MAX_BYTES // 2) + "'")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("f(\n  [1, 2", 2, 3, r"'\[' is never closed"),
        ("f(1))", 1, 5, "closes nothing"),
        ("f(\n1]", 2, 2, r"'\]' does not close the '\(' of line 1, column 2"),
        ("f('a", 1, 3, "not closed on its line"),
        ("a;b", 1, 2, "';' is not allowed"),
        ("[x for x in y]", 1, 4, "'for' is not allowed"),
        ("f(f'a')", 1, 4, "string prefixes"),
        ("f('''a''')", 1, 5, "triple quotes"),
        ("f(" * MAX_BRACKETS + "(", 1, 2 * MAX_BRACKETS + 1, "brackets are open"),
        ("-" * (MAX_DEPTH + 1), 1, MAX_DEPTH + 1, "nest deeper"),
    ],
)
def test_refusal_says_where(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(TextFormError, match=words) as caught:
        check_limits(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_largest_allowed_texts_pass_and_parse() -> None:
    for text in (
        "[" * MAX_BRACKETS + "]" * MAX_BRACKETS,
        "f(a=" * MAX_BRACKETS + "1" + ")" * MAX_BRACKETS,
        "{1: " * (MAX_BRACKETS) + "1" + "}" * MAX_BRACKETS,
        "-" * MAX_DEPTH + "1",
        "1" + "+1" * MAX_DEPTH,
        "a" + ".a" * (MAX_DEPTH // 2),
        "[" + "1," * (MAX_TOKENS // 2 - 2) + "]",
        "f(" + ", ".join(["1 + 2 - 3 * 4"] * 1_000) + ")",
        "'" + "a" * (MAX_BYTES - 2) + "'",
        "\n".join(f"a{i} = {i} + 1" for i in range(1_000)),
    ):
        check_limits(text)
        ast.parse(text)


def height(tree: ast.AST) -> int:
    """Nodes on the longest path down a tree, counted without recursion."""
    best = 0
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        best = max(best, depth)
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    return best


WRAPPERS = (
    "-{}",
    "~{}",
    "({})",
    "[{}, 1]",
    "f({})",
    "{}.a",
    "{}()",
    "{} + 1",
    "1 ** ({})",
    "a[{}]",
    "{{1: {}}}",
    "{} == 1",
    "f(a, *{})",
    "f(a, b={})",
    "(1, {})",
    "a[1:{}]",
    "({},)",
    "{} % (2)",
    "{}[0]",
    "(a := {})",
    "f(*a, **{})",
)


def test_any_text_that_passes_has_a_shallow_tree() -> None:
    draw = random.Random(5)
    passed = refused = highest = 0
    for _ in range(500):
        chosen = draw.sample(WRAPPERS, draw.choice((1, 2, 3, len(WRAPPERS))))
        text = "1"
        for _ in range(draw.randint(1, 300)):
            text = draw.choice(chosen).format(text)
        try:
            check_limits(text)
        except TextFormError:
            refused += 1
            continue
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        passed += 1
        highest = max(highest, height(tree))
    # Each level of the count adds a node; a statement and its module stand above.
    assert highest <= MAX_DEPTH + 10 < sys.getrecursionlimit() / 3
    assert passed > 100
    assert refused > 100
