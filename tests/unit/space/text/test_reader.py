"""Texts are read by a table of allowed calls; everything else is refused with its place."""

from __future__ import annotations

import pytest

from morphml import layers as L
from morphml.errors import TextFormError
from morphml.space.compose import repeat, sequence
from morphml.space.domains import choice, integer, optional, real
from morphml.space.expressions import divisors, ref, round_to
from morphml.space.text import parse_block, parse_space

width = choice(16, 32, name="width")

SAME = {
    "a layer": ("conv2d(filters=16)", L.conv2d(filters=16)),
    "a layer with prefix": ("L.conv2d(16, kernel_size=5)", L.conv2d(16, 5)),
    "a layer with a long prefix": ("mm.layers.conv2d(16)", L.conv2d(16)),
    "a layer with the room's name": ("layers.conv2d(16)", L.conv2d(16)),
    "a tuple": ("conv2d(16, (3, 5))", L.conv2d(16, (3, 5))),
    "a list": ("conv2d(16, [3, 5])", L.conv2d(16, (3, 5))),
    "a negative number": ("reshape((-1, 4))", L.reshape((-1, 4))),
    "an exponent": ("dropout(1e-1)", L.dropout(0.1)),
    "underscores": ("dense(1_000)", L.dense(1000)),
    "literals": ("dense(4, bias=False)", L.dense(4, bias=False)),
    "None": ("max_pool2d(2, None)", L.max_pool2d(2)),
    "adjacent strings": ("conv2d(4, padding='va' 'lid')", L.conv2d(4, padding="valid")),
    "arithmetic of numbers": ("dense(2 * 3 + 7 // 2 - 9 % 4)", L.dense(8)),
    "a choice": ("dense(choice(8, 16))", L.dense(choice(8, 16))),
    "a choice of blocks": ("choice(L.relu(), L.gelu())", choice(L.relu(), L.gelu())),
    "an optional block": ("optional(relu(), True)", optional(L.relu(), default=True)),
    "a repeat": ("mm.repeat(relu(), times=integer(1, 3))", repeat(L.relu(), times=integer(1, 3))),
    "a real": ("dropout(real(0, 0.5))", L.dropout(real(0, 0.5))),
    "a reading": ("dense(ref('width') * 2)", L.dense(ref("width") * 2)),
    "a named domain": ("dense(choice(16, 32, name='width') * 2)", L.dense(width * 2)),
    "an assigned name": ("w = choice(16, 32, name='width')\ndense(w * 2)", L.dense(width * 2)),
    "the last name": (
        "w = choice(16, 32, name='width')\nd = dense(w // 2 + 1)",
        L.dense(width // 2 + 1),
    ),
    "a function": (
        "dense(round_to(choice(16, 32, name='width') * 3, 8))",
        L.dense(round_to(width * 3, 8)),
    ),
    "divisors": (
        "dense(choice(*divisors(choice(16, 32, name='width'))))",
        L.dense(choice(*divisors(width))),
    ),
    "a starred list": ("dense(choice(*[8, 16], *(32,)))", L.dense(choice(8, 16, 32))),
    "a condition": (
        "optional(relu(), when=(choice(16, 32, name='width') > 16) & (ref('a') != 'b'))",
        optional(L.relu(), when=(width > 16) & (ref("a") != "b")),
    ),
    "comments and blank lines": (
        "\n# first\n\nsequence(  # then\n relu(),\n)\n",
        sequence(L.relu()),
    ),
    "Windows line ends": ("sequence(\r\n  relu(),\r\n)", sequence(L.relu())),
}


@pytest.mark.parametrize(("text", "value"), SAME.values(), ids=SAME)
def test_text_is_read_as_its_python_form(text: str, value: object) -> None:
    read = parse_block(text)
    assert repr(read) == repr(value)
    assert type(read) is type(value)
    assert repr(parse_block(repr(read))) == repr(read)


REFUSED = {
    "an unknown layer": ("sequence(\n  L.conv2(8))", 2, 3, "L.conv2d", "'L.conv2' is not allowed"),
    "an unknown name": ("chioce(relu())", 1, 1, "choice", "'chioce' is not allowed"),
    "a builtin": ("exec('1')", 1, 1, None, "'exec' is not allowed"),
    "an import": ("__import__('os')", 1, 1, None, "not allowed"),
    "a method": ("relu().__class__()", 1, 1, None, "only names can be called"),
    "a string's method": ("'a'.format()", 1, 1, None, "only names can be called"),
    "an attribute": ("sequence(relu().op)", 1, 10, None, "is not a value"),
    "an uncalled layer": ("sequence(relu)", 1, 10, None, "write relu(...)"),
    "an uncalled prefixed layer": ("sequence(L.relu)", 1, 10, "L.relu", "is not a value"),
    "an unknown value": ("w = 3\ndense(v)", 2, 7, None, "unknown name 'v'"),
    "a mistyped value": ("width = 3\ndense(widht)", 2, 7, "width", "unknown name 'widht'"),
    "a wrong keyword": ("conv2d(8, kernelsize=3)", 1, 11, "kernel_size", "no argument"),
    "a keyword twice": ("conv2d(8, stride=1, stride=2)", 1, 21, None, "stands twice"),
    "a missing argument": ("sequence(conv2d())", 1, 10, None, "missing"),
    "too many arguments": ("relu(1, 2)", 1, 1, None, "positional"),
    "an argument's rule": ("sequence(\n relu(),\n dense(0))", 3, 2, None, "units"),
    "a constructor's rule": ("dense(choice())", 1, 7, None, "at least one option"),
    "a syntax error": ("sequence(relu(),\n  dense(8 8))", 2, 9, None, "syntax"),
    "an open bracket": ("sequence(\n  relu()", 1, 9, None, "never closed"),
    "a lambda": ("sequence(lambda: 1)", 1, 10, None, "'lambda' is not allowed"),
    "a comprehension": ("sequence([x for x in y])", 1, 13, None, "'for' is not allowed"),
    "an index": ("dense([1, 2][0])", 1, 7, None, "indexing is not allowed"),
    "a set": ("choice({1, 2})", 1, 8, None, "a set is not allowed"),
    "a power": ("dense(9 ** 9)", 1, 7, None, "operator is not allowed"),
    "a shift": ("dense(1 << 9)", 1, 7, None, "operator is not allowed"),
    "a chain of comparisons": (
        "optional(relu(), when=1 < ref('a') < 3)",
        1,
        23,
        None,
        "one comparison",
    ),
    "a product of lists": ("conv2d([1] * 9)", 1, 8, None, "no number and no decision"),
    "a product of texts": ("dense('8' * 9)", 1, 7, None, "no number and no decision"),
    "a division by zero": ("dense(8 // 0)", 1, 7, None, "zero"),
    "an endless number": ("dense(1e999)", 1, 7, None, "numbers are finite"),
    "an endless product": ("dense(1e300 * 1e300)", 1, 7, None, "numbers are finite"),
    "bytes": ("dense(b'8')", 1, 8, None, "string prefixes"),
    "an ellipsis": ("dense(...)", 1, 7, None, "literal Ellipsis"),
    "an imaginary number": ("dense(1j)", 1, 7, None, "literal 1j"),
    "a dict spread": ("conv2d(**{'filters': 1})", 1, 10, None, "** is not allowed"),
    "a starred text": ("choice(*'ab')", 1, 8, None, "only lists can follow a star"),
    "a walrus": ("dense(a := 8)", 1, 7, None, "not allowed"),
    "two expressions": ("relu()\ngelu()", 1, 1, None, "only the last line"),
    "a double assignment": ("a = b = 1\nrelu()", 1, 1, None, "`name = expression`"),
    "an unpacking": ("a, b = 1, 2\nrelu()", 1, 1, None, "`name = expression`"),
    "an attribute set": ("a.b = 1\nrelu()", 1, 1, None, "`name = expression`"),
    "an annotation": ("a: int = 1\nrelu()", 1, 1, None, "`name = expression`"),
    "nothing": (" \n ", 1, 1, None, "the text is empty"),
    "only a comment": ("# relu()", 1, 1, None, "no expression"),
    "a number": ("42", 1, 1, None, "expected a block such as L.relu(), got 42"),
    "a null character": ("relu(\0)", 1, 1, None, ""),
    "a lone surrogate": ("dense('\ud800')", 1, 1, None, ""),
    "a huge number": ("dense(" + "9" * 5000 + ")", 1, 1, None, ""),
    "wide characters before it": ("sequence(dense(8, name='äöü'), dens(1))", 1, 31, None, ""),
}


@pytest.mark.parametrize(
    ("text", "line", "column", "suggestion", "words"), REFUSED.values(), ids=REFUSED
)
def test_anything_else_is_refused_with_its_place(
    text: str, line: int, column: int, suggestion: str | None, words: str
) -> None:
    with pytest.raises(TextFormError) as caught:
        parse_block(text)
    error = caught.value
    assert words in str(error)
    if words:
        assert (error.line, error.column, error.suggestion) == (line, column, suggestion)
    assert str(error).startswith(f"line {error.line}, column {error.column}: ")


def test_place_counts_the_blank_lines_and_the_indent_before_the_text() -> None:
    with pytest.raises(TextFormError) as caught:
        parse_block("\n\n    sequence(nope(),\n  relu())")
    assert (caught.value.line, caught.value.column) == (3, 14)


def test_reading_runs_no_code(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("print('x')", "mm.print('x')", "L.__builtins__.print('x')", "morphml.os.getcwd()"):
        with pytest.raises(TextFormError):
            parse_block(text)
    assert capsys.readouterr().out == ""


def test_space_is_told_from_a_block() -> None:
    with pytest.raises(TextFormError, match=r"expected a space such as SearchSpace"):
        parse_space("relu()")
