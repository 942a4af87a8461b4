"""References in configs, and conditions."""

from __future__ import annotations

import pytest

from morphml.errors import WorkflowError
from morphml.optimizers.events import JSON
from morphml.workflow.conditions import parse_condition
from morphml.workflow.references import Reference, filled, references_in

VALUES: dict[str, JSON] = {
    "a": {"n": 3, "list": ["x", {"y": 1}], "text": "hi", "none": None, "accuracy": 0.93},
}


def look_up(reference: Reference) -> JSON:
    return reference.within(VALUES.get(reference.source))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${a.n}", 3),
        ("${a.list.1.y}", 1),
        ("${a.list.9}", None),
        ("${a.text.0}", None),
        ("${b.n}", None),
        ("n is ${a.n}, list ${a.list}", 'n is 3, list ["x", {"y": 1}]'),
        ("say ${a.text}", "say hi"),
        ("$${a.n}", "${a.n}"),
        ("plain", "plain"),
    ],
)
def test_a_text_is_filled(text: str, value: JSON) -> None:
    assert filled(text, look_up) == value


def test_texts_at_any_depth_are_filled_and_keys_are_not() -> None:
    config: JSON = {"${a.n}": [{"deep": "${a.n}"}, 7, None, True]}
    assert filled(config, look_up) == {"${a.n}": [{"deep": 3}, 7, None, True]}
    assert [str(each) for each in references_in(config)] == ["${a.n}"]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("${a.accuracy} >= 0.9", True),
        ("0.5 < ${a.accuracy} < 0.9", False),
        ("not ${a.none}", True),
        ("${a.none} < 3 or ${a.none} > 3", False),
        ("${a.none} == None", True),
        ("${a.text} in ['hi', 'ho'] and ${a.n} == 3", True),
        ("'x' not in ${a.list}", False),
        ("-${a.n} == -3", True),
        ("${b.anything} == 1", False),
    ],
)
def test_a_condition_is_judged(text: str, holds: bool) -> None:
    assert parse_condition(text).holds(look_up) is holds


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "invalid syntax"),
        ("${a.n} >", "invalid syntax"),
        ("${a.n", "'{' was never closed|invalid syntax"),
        ("accuracy > 1", "'accuracy' is no value; an output is written"),
        ("${a.n}.__class__", "is not allowed in a condition"),
        ("[x for x in ${a.list}]", "is not allowed in a condition"),
        ("2 ** 99999999", "is not allowed in a condition"),
        ("f'{1}'", "is not allowed in a condition"),
        ("1 is 1", "is not allowed in a condition"),
        ("__reference_0", "not yours to use"),
        ("not " * 200 + "1", "nest deeper than 20 levels"),
        ("(" * 400 + "1" + ")" * 400, "cannot be read|too many nested|nest deeper"),
        ("x" * 1_001, "at most 1,000 characters"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, what: str) -> None:
    with pytest.raises(WorkflowError, match=what):
        parse_condition(text)


def test_values_that_cannot_be_compared_are_named() -> None:
    with pytest.raises(WorkflowError, match="not supported between"):
        parse_condition("${a.text} > 1").holds(look_up)
