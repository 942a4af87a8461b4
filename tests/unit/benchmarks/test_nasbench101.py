"""Small files in the form of the published NAS-Bench-101 one."""

from __future__ import annotations

import base64
import itertools
import json
import struct
from pathlib import Path

import pytest

from morphml.benchmarks import Problem, key_of, nasbench101, play
from morphml.benchmarks.nasbench101 import cell_of, key_of_cell
from morphml.benchmarks.wire import doubles, fields
from morphml.errors import CallerError
from morphml.space import Architecture

NAMES = {"3": "conv3x3-bn-relu", "1": "conv1x1-bn-relu", "m": "maxpool3x3"}
#: Input -> 3x3 -> output and input -> 1x1 -> 3x3; and input -> max pooling -> output.
CELLS = {
    "a": ("0110000101000000", "31"),
    "b": ("010001000", "m"),
}


def field(number: int, kind: int, content: bytes) -> bytes:
    head = bytes([number << 3 | kind])
    if kind == 2:
        size, length = len(content), b""
        while size >= 0x80:
            length += bytes([size & 0x7F | 0x80])
            size >>= 7
        return head + length + bytes([size]) + content
    return head + content


def metrics(validation: float, test: float) -> bytes:
    """A message of three evaluations; only the last counts."""
    parts = []
    for share in (0.0, 0.5, 1.0):
        accuracies = [(1, 9.0), (4, share * validation), (5, share * test)]
        body = b"".join(field(n, 1, struct.pack("<d", v)) for n, v in accuracies)
        parts.append(field(1, 2, body + field(6, 2, b"p" * 200)))
    return b"".join(parts) + field(2, 0, b"\x80\x01") + field(3, 1, struct.pack("<d", 3.0))


def line(cell: str, epochs: int, validation: float, test: float) -> bytes:
    adjacency, inner = CELLS[cell]
    operations = ",".join(["input", *(NAMES[op] for op in inner), "output"])
    packed = base64.b64encode(metrics(validation, test)).decode()
    return json.dumps([cell * 32, epochs, adjacency, operations, packed]).encode()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    lines = [
        *(line("a", 108, 0.93, test) for test in (0.90, 0.92, 0.94)),
        *(line("b", 108, 0.83, test) for test in (0.80, 0.81, 0.82)),
        line("a", 12, 0.60, 0.5),
        line("b", 12, 0.70, 0.5),
    ]
    file = tmp_path / "nasbench.tfrecord"
    file.write_bytes(b"".join(struct.pack("<QI", len(each), 0) + each + bytes(4) for each in lines))
    return file


def member(problem: Problem, ops: dict[int, str], edges: set[str]) -> Architecture:
    """The member with these operations and no other edges, whichever of them are built."""
    values: dict[str, object] = {f"cell/node_{n}/op": op for n, op in ops.items()}
    codes = []
    for decision in problem.space.decisions:
        wanted: object = decision.path.removeprefix("cell/edge_") in edges
        if "node" in decision.path:
            wanted = values.get(decision.path, "conv3x3")
        codes.append(decision.code(wanted))
    return problem.space.architecture(problem.space.compiled.table.settled(codes))


def test_cells_are_found_whatever_the_numbers_of_their_nodes(published: Path) -> None:
    problem = nasbench101(published)
    assert len(problem.look_up) == 2
    assert problem.measures[0].best == pytest.approx(92.0)
    for one, two in itertools.combinations(range(1, 6), 2):
        ops = {one: "conv1x1", two: "conv3x3"}
        edges = {f"0_{one}", f"0_{two}", f"{one}_{two}", f"{two}_output"}
        found = problem.look_up(member(problem, ops, edges))
        assert found == {"test_108": pytest.approx(92.0)}


def test_nodes_that_lead_nowhere_do_not_count(published: Path) -> None:
    problem = nasbench101(published)
    loose = member(problem, {2: "maxpool3x3", 3: "conv3x3"}, {"0_2", "2_output", "0_3", "1_4"})
    assert problem.look_up(loose) == {"test_108": pytest.approx(81.0)}
    other = member(problem, {2: "conv3x3"}, {"0_2", "2_output"})
    assert problem.look_up(other) is None
    assert problem.look_up.network(other) is not None


def test_cell_without_a_way_through_has_no_key() -> None:
    assert key_of_cell((["input", "conv3x3", "output"], [(0, 1)])) is None


def test_cheap_protocol_sees_one_and_answers_with_the_other(published: Path) -> None:
    problem = nasbench101(published, "cheap")
    assert problem.objectives == {"val_12": "max"}
    pooled = member(problem, {1: "maxpool3x3"}, {"0_1", "1_output"})
    assert problem.look_up(pooled) == {"val_12": pytest.approx(70.0), "test_108": pytest.approx(81)}
    judges = problem.judges()
    metrics = problem.look_up(pooled)
    assert [round(judge.add(metrics), 6) for judge in judges.values()] == [0.0, 11.0]


def test_search_goes_on_where_cells_are_not_in_the_file(published: Path) -> None:
    problem = nasbench101(published)
    run = play(problem, key_of(problem, "evolution", 0, 30))
    assert run.evaluations == 30
    assert run.failed >= 28


def test_member_is_the_cell_that_its_decisions_say(published: Path) -> None:
    made = member(nasbench101(published), {1: "conv1x1"}, {"0_1", "1_output", "0_output"})
    names, edges = cell_of(made)
    assert (names[0], names[1], names[-1]) == ("input", "conv1x1", "output")
    assert edges == [(0, 1), (0, 6), (1, 6)]


def test_wire_reads_every_type_and_refuses_what_is_cut_off() -> None:
    message = metrics(0.5, 0.25)
    assert len(list(fields(message, 1))) == 3
    assert doubles(list(fields(message, 1))[2]) == {1: 9.0, 4: 0.5, 5: 0.25}
    assert doubles(message) == {3: 3.0}
    assert doubles(field(7, 5, bytes(4)) + field(8, 1, struct.pack("<d", 1.5))) == {8: 1.5}
    with pytest.raises(ValueError, match="ends within a field"):
        doubles(message[:-1])
    with pytest.raises(ValueError, match="ends within a number"):
        doubles(b"\x80")


def test_other_files_are_refused(tmp_path: Path, published: Path) -> None:
    with pytest.raises(CallerError, match="no such file"):
        nasbench101(tmp_path / "none.tfrecord")
    cut = tmp_path / "cut.tfrecord"
    cut.write_bytes(published.read_bytes()[:-3])
    with pytest.raises(CallerError, match="ends within a record"):
        nasbench101(cut)
    with pytest.raises(CallerError, match="no cell with val_36"):
        nasbench101(published, "cheap", epochs=36)
