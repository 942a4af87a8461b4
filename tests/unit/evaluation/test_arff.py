from __future__ import annotations

import pytest

from morphml.errors import CallerError
from morphml.evaluation.data.openml.arff import parse_arff

WEATHER = """\
% a comment
@RELATION weather
@attribute outlook {sunny, overcast, 'very rainy'}
@attribute 'air temperature' REAL
@ATTRIBUTE note string
@attribute wind\tnumeric
@data
sunny, 20.5, 'it''s' , 3
"""


def test_heads_and_cells_are_read() -> None:
    text = WEATHER.replace("'it''s' , 3\n", '"a, \\"b\\"", ?\n\n% more\n\'very rainy\',?,?,1e3\n')
    table = parse_arff(text, "weather.arff")
    assert [each.name for each in table.attributes] == [
        "outlook",
        "air temperature",
        "note",
        "wind",
    ]
    assert table.attributes[0].words == ("sunny", "overcast", "very rainy")
    assert [each.numeric for each in table.attributes] == [False, True, False, True]
    assert table.rows == [("sunny", 20.5, 'a, "b"', None), ("very rainy", None, None, 1000.0)]
    assert table.column("wind") == [None, 1000.0]


def test_sparse_rows_are_filled_with_zeros_and_first_words() -> None:
    text = "@relation s\n@attribute a numeric\n@attribute b {no,yes}\n@attribute c integer\n@data\n"
    table = parse_arff(text + "{0 2, 2 3}\n{}\n{1 yes}\n", "s.arff")
    assert table.rows == [(2.0, "no", 3.0), (0.0, "no", 0.0), (0.0, "yes", 0.0)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sunny, 1, x", "line 8: 3 values for 4 attributes"),
        ("snowy, 1, x, 2", "'snowy' is none of the words of 'outlook'"),
        ("sunny, warm, x, 2", "could not convert string to float: 'warm'"),
        ("sunny, 1, 'x, 2", "a quote that does not end"),
        ("{7 1}", "there is no attribute '7'"),
        ("sunny, 1, x, ", "could not convert string to float: ''"),
    ],
)
def test_line_that_breaks_the_format_is_named(line: str, message: str) -> None:
    text = WEATHER.replace("sunny, 20.5, 'it''s' , 3", line)
    with pytest.raises(CallerError, match=r"weather\.arff, line 8") as caught:
        parse_arff(text, "weather.arff")
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "@relation x\n", "<html>Not found</html>", "@attribute a\n"])
def test_other_text_is_no_arff(text: str) -> None:
    with pytest.raises(CallerError, match=r"x\.arff"):
        parse_arff(text, "x.arff")
