"""Spaces, expressions and constraints as text."""

from __future__ import annotations

import pytest

from morphml import layers as L
from morphml.errors import TextFormError
from morphml.space import GraphSpace, channels
from morphml.space.text import parse_constraint, parse_expression, parse_space


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("width * 2", "ref('width') * 2"),
        ("round_to(width * 2, 8)", "round_to(ref('width') * 2, 8)"),
        ("(a + b) * (c - 1)", "(ref('a') + ref('b')) * (ref('c') - 1)"),
        ("depth > 1", "ref('depth') > 1"),
        ("mm.round_to(ref('w'), 4)", "round_to(ref('w'), 4)"),
        ("2 + 3", "5"),
    ],
)
def test_expression_reads_bare_names_as_decisions(text: str, form: str) -> None:
    assert repr(parse_expression(text)) == form
    assert repr(parse_expression(form)) == form


@pytest.mark.parametrize(
    ("text", "subject", "form"),
    [
        ("params <= 500_000", "", "ref('params') <= 500000"),
        ("<= 500_000", "params", "ref('params') <= 500000"),
        ("  < 1e6 ", "flops", "ref('flops') < 1000000.0"),
        (">= width * 2", "units", "ref('units') >= (ref('width') * 2)"),
        ("width * depth < 256", "", "(ref('width') * ref('depth')) < 256"),
        ("(a > 1) | ~(b == 'x')", "", "(ref('a') > 1) | (~(ref('b') == 'x'))"),
    ],
)
def test_constraint_is_a_condition(text: str, subject: str, form: str) -> None:
    assert repr(parse_constraint(text, subject)) == form


@pytest.mark.parametrize(
    ("text", "subject", "column", "words"),
    [
        ("<= 5", "", 1, "does not say what is compared"),
        ("params", "", 1, "expected a comparison"),
        ("<= 5 +", "params", 7, "syntax"),
        ("<= 5 < 6", "params", 1, "a limit after <="),
        ("<= 'x'", "params", 1, "a limit after <="),
        ("params <= nothing(3)", "", 11, "'nothing' is not allowed"),
        ("params <= choice(3, 4)", "", 11, "'choice' is not allowed"),
        ("params =< 3", "", 9, "syntax"),
    ],
)
def test_constraint_of_another_form_is_refused(
    text: str, subject: str, column: int, words: str
) -> None:
    with pytest.raises(TextFormError) as caught:
        parse_constraint(text, subject)
    assert words in str(caught.value)
    assert (caught.value.line, caught.value.column) == (1, column)


@pytest.mark.parametrize("text", ["'x'", "relu()", "[1]", "None"])
def test_expression_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(TextFormError):
        parse_expression(text)


def test_ready_made_space_is_read_by_its_call() -> None:
    assert parse_space("spaces.mlp(input=(8,), classes=3)") == parse_space("mm.spaces.mlp((8,), 3)")


def test_free_graph_is_read_by_its_call_and_by_its_own_text() -> None:
    space = parse_space(
        "GraphSpace(input=(4,), max_nodes=3, ops=[dense(channels()), relu()], max_edges=5, "
        "head=[output(2)])"
    )
    made = GraphSpace(
        input=(4,),
        max_nodes=3,
        ops=[L.dense(channels()), L.relu()],
        max_edges=5,
        head=[L.output(2)],
    )
    assert space == made == parse_space(repr(space))


def test_sum_of_many_decisions_is_read_back() -> None:
    total = parse_constraint(" + ".join(f"d{i}" for i in range(80)) + " < 9")
    assert repr(parse_constraint(repr(total))) == repr(total)


def test_ten_megabytes_of_nesting_are_refused_at_once() -> None:
    for text in ("SearchSpace(layers=" + "[" * 10_000_000, "sequence(" * 100_000, "-" * 900_000):
        with pytest.raises(TextFormError):
            parse_space(text)
