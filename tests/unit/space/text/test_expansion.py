"""Names that are used again and again cannot make a small text describe a huge space."""

from __future__ import annotations

import pytest

from morphml.errors import TextFormError
from morphml.space.text import parse_space
from morphml.space.text.expansion import MAX_HEIGHT
from morphml.space.text.forms import parse_block, parse_expression


def lines(first: str, again: str, count: int, last: str) -> str:
    return "\n".join([first, *[again] * count, last])


SPACE = "SearchSpace(input=(4,), layers=[a, output(2)])"
DOUBLING = {
    "blocks": lines("a = relu()", "a = sequence(a, a)", 40, SPACE),
    "branches": lines("a = relu()", "a = parallel([a, a])", 40, SPACE),
    "lists": lines("a = [relu()]", "a = [*a, *a]", 40, "sequence(*a)"),
    "keywords": lines("a = relu()", "a = repeat(body=a, tail=a)", 40, SPACE),
    "expressions": lines("a = ref('x')", "a = a + a", 40, "dense(a)"),
    "numbers": lines("a = 3", "a = a * a", 40, "dense(a)"),
}


@pytest.mark.parametrize("text", DOUBLING.values(), ids=DOUBLING)
def test_text_that_doubles_with_each_line_is_refused_at_the_line_that_is_too_much(
    text: str,
) -> None:
    with pytest.raises(TextFormError, match=r"holds more than 100,000 values") as caught:
        parse_space(text)
    assert 15 <= caught.value.line <= 18


@pytest.mark.parametrize("again", ["a = sequence(a)", "a = [a]", "a = -a", "a = residual(body=a)"])
def test_text_that_nests_deeper_with_each_line_is_refused(again: str) -> None:
    with pytest.raises(TextFormError, match="nests deeper than 90 levels") as caught:
        parse_block(lines("a = relu()", again, 500, "a"))
    assert caught.value.line == MAX_HEIGHT + 1


def test_names_used_as_often_as_a_person_does_are_read() -> None:
    text = lines("a = sequence(L.relu(), L.gelu())", "b = sequence(a, a)", 300, "sequence(b, a)")
    assert repr(parse_block(text)).count("gelu()") == 3


def test_deepest_text_that_is_read_can_be_read_back() -> None:
    value = parse_expression(lines("a = ref('x')", "a = a + 1", MAX_HEIGHT - 2, "a"))
    assert parse_expression(repr(value)) == value


@pytest.mark.parametrize("number", ["99999999999999999989", "4294967296 * 4294967296 * 2"])
def test_whole_number_beyond_every_use_is_refused(number: str) -> None:
    with pytest.raises(TextFormError, match=r"beyond 2\*\*64"):
        parse_expression(number)
