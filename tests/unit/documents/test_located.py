"""YAML with places."""

from __future__ import annotations

import pytest

from morphml.documents.located import MAX_BYTES, MAX_DEPTH, Place, read_document
from morphml.errors import DocumentError


def test_document_knows_where_keys_and_values_begin() -> None:
    document = read_document("a: 1\nb:\n  - x\n  - {c: |\n     }\n".replace("|\n     ", "2"), "f")
    assert document.data == {"a": 1, "b": ["x", {"c": 2}]}
    assert document.values[("a",)] == Place(line=1, column=4)
    assert document.keys[("b",)] == Place(line=2, column=1)
    assert document.values[("b", 1, "c")] == Place(line=4, column=9)


def test_document_reads_numbers_dates_and_keys_as_people_mean_them() -> None:
    data = read_document(
        "lr: 1e-3\nbig: 2E5\ntext: '1e-3'\nday: 2024-01-02\non: 1\n5: 2\n", "f"
    ).data
    assert data == {"lr": 0.001, "big": 2e5, "text": "1e-3", "day": "2024-01-02", "on": 1, "5": 2}


BROKEN = {
    "an open bracket": ("a: [1, 2\nb: 3\n", 2, "expected ',' or ']'"),
    "a tab": ("a:\n\t- 1\n", 2, "cannot start any token"),
    "two values": ("a: b: c\n", 1, "mapping values are not allowed"),
    "a key twice": ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice"),
    "an alias": ("a: &x [1]\nb: *x\n", 2, "aliases are not read"),
    "a Python object": ("a: !!python/object/apply:os.system [ls]\n", 1, "could not determine"),
    "an unknown tag": ("a: !secret x\n", 1, "could not determine a constructor"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "expected a single document"),
    "a list as key": ("[1, 2]: 3\n", 1, "a key must be a plain word"),
    "nothing": ("# only a comment\n", 1, "the file is empty"),
    "a control character": ("a: \x01\n", 1, "special characters are not allowed"),
    "a bomb": ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", 2, "aliases are not read"),
    "ten megabytes of nesting": ("[" * 10_000_000, 1, f"larger than {MAX_BYTES:,} bytes"),
    "a megabyte of nesting": ("[" * (MAX_BYTES - 1), 1, f"deeper than {MAX_DEPTH} levels"),
    "a megabyte of mappings": ("{a: " * (MAX_BYTES // 4 - 1), 1, f"deeper than {MAX_DEPTH}"),
    "a megabyte of dashes": ("- " * (MAX_BYTES // 2 - 1), 1, f"deeper than {MAX_DEPTH} levels"),
    "too many values": ("[" + "1," * 30_000 + "]", 1, "more than 20,000 keys and values"),
}


@pytest.mark.parametrize(("text", "line", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_file_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(text, "my.yaml")
    assert words in str(caught.value)
    assert caught.value.line == line
    assert caught.value.source == "my.yaml"
    assert str(caught.value).startswith(f"my.yaml, line {line}, column {caught.value.column}: ")
