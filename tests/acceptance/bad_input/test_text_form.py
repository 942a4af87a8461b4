"""Texts of spaces that are wrong or hostile: refused with the place, quickly, running nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import morphml as mm
from morphml.errors import TextFormError

Run = Callable[..., subprocess.CompletedProcess[str]]


def in_space(layers: str) -> str:
    return f"SearchSpace(input=(4,), layers=[{layers}])"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "the text is empty"),
        (in_space("dense(8)")[:-1], 1, 12, "'(' is never closed"),
        (in_space("dense(8"), 1, 40, "']' does not close the '(' of line 1, column 38"),
        (in_space("dense(8,, 9)"), 1, 41, "invalid syntax"),
        (in_space("dense(8)\n  dense(9)"), 1, 33, "invalid syntax"),
        (in_space("\n  dence(8)"), 2, 3, "the call 'dence' is not allowed; did you mean 'dense'?"),
        (in_space("L.conv3d2(8)"), 1, 33, "'L.conv3d2' is not allowed; did you mean 'L.conv3d'?"),
        (in_space("dense(untis=8)"), 1, 39, "takes no argument 'untis'; did you mean 'units'?"),
        (in_space("dense(units=8, units=9)"), 1, 48, "the argument 'units' stands twice"),
        (in_space("dense"), 1, 33, "'dense' must be called: write dense(...)"),
        (in_space("dense(choice())"), 1, 39, "choice() needs at least one option, got none"),
        (in_space("dense(width)"), 1, 39, "unknown name 'width'"),
        (in_space("\n\n  eval('1')"), 3, 3, "the call 'eval' is not allowed"),
        (in_space("open('/etc/passwd')"), 1, 33, "the call 'open' is not allowed"),
        (in_space("__import__('os').system('true')"), 1, 33, "only names can be called"),
        (in_space("os.system('true')"), 1, 33, "the call 'os.system' is not allowed"),
        (in_space("().__class__.__bases__[0]"), 1, 33, "indexing is not allowed here"),
        (in_space("dense(8).__class__"), 1, 33, "'__class__' is not a value"),
        (in_space("dense(8) for _ in (1, 2)"), 1, 42, "the word 'for' is not allowed here"),
        (in_space("f'{open}'"), 1, 34, "string prefixes and triple quotes are not read"),
        ("import os\nSearchSpace()", 1, 1, "the word 'import' is not allowed here"),
        ("layers = 3; SearchSpace()", 1, 11, "the character ';' is not allowed here"),
        ("dense(8)", 1, 1, "expected a space such as SearchSpace(...), got dense(units=8)"),
        (
            in_space("dense(choice(4, 8, when=ref('b') > 4)), dense(choice(1, 2, name='b'))"),
            1,
            1,
            "dense/units: ref('b') > 4 reads 'b', which is decided later",
        ),
        (in_space("conv2d(8)"), 1, 1, "conv2d needs (channels, height, width), got (4,)"),
    ],
)
def test_wrong_text_is_refused_with_line_and_column(
    text: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(TextFormError, match=re.escape(words)) as caught:
        mm.SearchSpace.from_text(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")


TEN_MEGABYTES = 10_000_000
#: Texts that are small or flat and describe, once read, more than any memory holds.
HOSTILE = {
    "ten megabytes of nesting": ("(" * TEN_MEGABYTES, "10,000,000 bytes, and at most 1,000,000"),
    "a megabyte of nesting": ("[" * 999_999, "more than 90 brackets are open"),
    "a megabyte of signs": ("-" * 999_998 + "1", "nest deeper than 200 levels"),
    "a megabyte of layers": (in_space("relu(), " * 120_000), "more than 100,000 tokens"),
    "doubling by names": (
        "a = relu()\n" + "a = sequence(a, a)\n" * 40 + in_space("a"),
        "holds more than 100,000 values",
    ),
    "doubling by lists": (
        "a = [relu()]\n" + "a = [*a, *a]\n" * 40 + in_space("*a"),
        "holds more than 100,000 values",
    ),
    "deep by names": ("a = relu()\n" + "a = sequence(a)\n" * 5_000 + in_space("a"), "90 levels"),
    "growing numbers": (
        "a = 4294967296\n" + "a = a * a\n" * 12 + in_space("dense(a)"),
        "line 3, column 5: a whole number lies beyond 2**64; write a smaller one",
    ),
    "divisors of a prime": (
        in_space("dense(choice(*divisors(99999999999999999989)))"),
        "beyond 2**64",
    ),
    "divisors of a smaller prime": (
        in_space("dense(choice(*divisors(9999999999971)))"),
        "divisors() needs a whole number from 1 to 1,000,000, got 9999999999971",
    ),
    "nested repeats": (
        in_space("repeat(" * 20 + "dense(choice(4, 8))" + ", times=9)" * 20),
        "this space has more than 20,000 blocks and decisions, copies counted",
    ),
    "nested repeats without a decision": (
        in_space("repeat(" * 20 + "relu()" + ", times=9)" * 20),
        "this space has more than 20,000 blocks and decisions, copies counted",
    ),
    "a long repeat": (in_space("repeat(relu(), times=1000000000)"), "from 0 to 1000"),
    "a repeat that may be long": (
        in_space("repeat(relu(), times=integer(1, 1000000000))"),
        "from 0 to 1000",
    ),
    "nested nests": (
        in_space("nest(" * 20 + "relu()" + ", relu(), relu(), times=9)" * 20),
        "this space has more than 20,000 blocks",
    ),
    "a cell of a hundred thousand nodes": (
        "SearchSpace(input=(3, 8, 8), layers=[cell(on='edges', nodes=100000, ops=[relu()])])",
        "this space has more than 20,000 blocks and decisions",
    ),
    "a free graph of a hundred thousand nodes": (
        "GraphSpace(input=(3, 8, 8), max_nodes=100000, max_edges=9, ops=[relu(), gelu()])",
        "this space has more than 20,000 blocks and decisions",
    ),
    "a number of five thousand digits": (in_space("dense(" + "9" * 5_000 + ")"), "digits"),
    "bounds beyond a float": (in_space("dense(integer(1, 1" + "0" * 4_000 + "))"), "2**64"),
}


@pytest.mark.parametrize(("text", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_within_seconds_and_little_memory(
    text: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "space.txt").write_text(text)
    code = (
        "import json, resource, sys, time\n"
        "import morphml as mm\n"
        "from morphml.errors import TextFormError\n"
        "mm.SearchSpace\n"
        "text = open(sys.argv[1]).read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "begun = time.process_time()\n"
        "try:\n"
        "    mm.SearchSpace.from_text(text)\n"
        "except TextFormError as error:\n"
        "    spent = time.process_time() - begun\n"
        "    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before\n"
        "    print(json.dumps([str(error), spent, grown / 1024]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "space.txt")],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    message, seconds, mebibytes = json.loads(done.stdout)
    assert words in message
    assert len(message) < 1_000
    assert seconds < 5
    assert mebibytes < 200


LARGEST = {
    "a long chain": in_space("relu(), " * 4_000 + "output(2)"),
    "many decisions": in_space("repeat(" * 10 + "dense(choice(4, 8))" + ", times=2)" * 10),
}


@pytest.mark.parametrize("text", LARGEST.values(), ids=LARGEST)
def test_largest_spaces_that_are_read_answer_within_seconds(text: str) -> None:
    begun = time.process_time()
    space = mm.SearchSpace.from_text(text)
    assert space.size.value >= 1
    assert space.default().params >= 0
    assert time.process_time() - begun < 10


# --- the same in a file --------------------------------------------------------------------------

FILE = "space: |\n  {}\nevaluator: scoring:evaluate\ntrials: 3\nworkers: 0\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "SearchSpace(decisions={'x': integr(0, 1)})",
            "line 2 the call 'integr' did you mean 'integer'",
        ),
        ("SearchSpace(decisions={'x': choice()})", "line 2 choice() needs at least one option"),
        ("SearchSpace(input=(4,), layers=[conv2d(8)])", "line 2 conv2d needs got (4,)"),
        ("SearchSpace(decisions={'x': real(0, 1)}", "line 2 is never closed"),
        ("__import__('os').mkdir('pwned')", "line 2 only names can be called"),
        (HOSTILE["ten megabytes of nesting"][0], "line 1 the file is larger than 1,000,000 bytes"),
        (HOSTILE["nested repeats"][0], "line 2 more than 20,000 blocks and decisions"),
    ],
    ids=["call", "choice", "shape", "syntax", "code", "size", "repeats"],
)
def test_wrong_space_in_a_file_is_one_screen_and_starts_nothing(
    typed: Run, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "experiment.yaml").write_text(FILE.format(text))
    done = typed("search", "experiment.yaml")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 30
    shown = " ".join(done.stderr.replace("│", " ").split())
    place = 0
    for word in words.split(" "):
        place = shown.find(word, place)
        assert place >= 0, f"{word!r} of {words!r} not in {shown}"
    assert [path.name for path in tmp_path.iterdir()] == ["experiment.yaml"]


def test_file_nested_ten_megabytes_deep_is_refused(morphml: Run, tmp_path: Path) -> None:
    (tmp_path / "experiment.yaml").write_text("a: " + "[" * TEN_MEGABYTES)
    begun = time.monotonic()
    done = morphml("search", "experiment.yaml")
    assert time.monotonic() - begun < 100
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 5_000
