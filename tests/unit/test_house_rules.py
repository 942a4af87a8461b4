"""The house rules that no linter knows: sizes, names, and what must not be in a committed file."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_PUBLIC_METHODS = 15
BANNED_STEMS = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
#: Made by tools, or frozen for ever once released.
GENERATED = re.compile(r"_pb2(_grpc)?\.pyi?$|/migrations/versions/")
#: Spelt in parts, so that this file does not find itself.
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(?:" + "|".join(["wor" + "k", "hom" + "e", "roo" + "t", "User" + "s"]) + r")/[\w.]"
)
SILENCED = re.compile(r"# type: ignore(?P<code>\[[a-z, -]+\])?(?P<reason> +# \S.*)?$")
#: A path inside a container image is the image's own, not a machine's.
CONTAINER_FOLDERS = ("deployment/",)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def committed_files() -> list[Path]:
    """Every file that git tracks or would add, so that a new file is judged before its commit."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


FILES = committed_files()
MODULES = [path for path in FILES if path.suffix == ".py" and not GENERATED.search(path.as_posix())]
PRODUCT = [path for path in MODULES if not path.is_relative_to(ROOT / "tests")]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a module's tree is asked for; the trees of all modules are too much to keep."""

    #: Lines of each function's body, and public methods of each class, by place and name.
    functions: dict[str, int]
    classes: dict[str, int]


@cache
def sizes_of_product() -> list[Sizes]:
    return [sizes_of(path) for path in PRODUCT]


def sizes_of(path: Path) -> Sizes:
    sizes = Sizes({}, {})
    for node in definitions(ast.parse(path.read_bytes())):
        place = f"{name_of(path)}:{node.lineno} {node.name}"
        if isinstance(node, ast.ClassDef):
            sizes.classes[place] = public_methods(node)
        else:
            sizes.functions[place] = body_lines(node)
    return sizes


def definitions(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """All functions and classes, nested ones too; expressions hold none."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, Function | ast.ClassDef):
                yield node
            if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
                waiting.append(node)


def body_lines(function: Function) -> int:
    """Lines of a function without its decorators and its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def public_methods(node: ast.ClassDef) -> int:
    """Methods that a caller can call; properties read as fields and overloads as one method."""
    seen = set()
    for item in node.body:
        if isinstance(item, Function) and not item.name.startswith("_"):
            marks = {ast.unparse(mark).split(".")[-1] for mark in item.decorator_list}
            if not marks & {"property", "cached_property", "setter"}:
                seen.add(item.name)
    return len(seen)


def test_module_has_at_most_400_lines() -> None:
    sizes = {name_of(p): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    assert {name: size for name, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def test_function_has_at_most_50_lines() -> None:
    long = {
        place: lines
        for sizes in sizes_of_product()
        for place, lines in sizes.functions.items()
        if lines > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_class_has_at_most_15_public_methods() -> None:
    large = {
        place: methods
        for sizes in sizes_of_product()
        for place, methods in sizes.classes.items()
        if methods > MAX_PUBLIC_METHODS
    }
    assert large == {}


def test_module_is_named_by_what_it_holds() -> None:
    parts = {name_of(p): {p.stem, *p.relative_to(ROOT).parent.parts} for p in MODULES}
    assert [name for name, words in parts.items() if words & BANNED_STEMS] == []


def test_unit_tests_never_sleep() -> None:
    sleepers = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        if path.is_relative_to(ROOT / "tests" / "unit") and b"sleep" in path.read_bytes()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep"
    ]
    assert sleepers == []


def silenced_without_reason(lines: list[str]) -> list[int]:
    """Lines that silence the type checker without a code, or without a reason there or above."""
    found = []
    for number, line in enumerate(lines, start=1):
        mark = SILENCED.search(line)
        if mark is None:
            continue
        above = lines[number - 2].strip() if number > 1 else ""
        if not mark["code"] or not (mark["reason"] or above.startswith("#")):
            found.append(number)
    return found


def test_silenced_type_checks_have_a_code_and_a_reason() -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path in PRODUCT
        if path.is_relative_to(ROOT / "src")
        for number in silenced_without_reason(path.read_text(encoding="utf-8").splitlines())
    ]
    assert found == []


def test_committed_files_name_no_machine_path() -> None:
    found = []
    for path in FILES:
        if name_of(path).startswith(CONTAINER_FOLDERS):
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        lines = enumerate(text.splitlines(), start=1)
        found += [f"{name_of(path)}:{n}" for n, line in lines if MACHINE_PATH.search(line)]
    assert found == []


def test_pins_are_exact_and_name_no_registry() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert "torch==2.13.0" in pins
    exact = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+( ; .+)?$")
    assert [pin for pin in pins if not exact.match(pin)] == []


def test_house_rules_notice_what_they_forbid() -> None:
    """The rules above can fail: each detector is shown a sample that breaks its rule."""
    long = ast.parse("def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES).body[0]
    assert isinstance(long, ast.FunctionDef)
    assert body_lines(long) == MAX_FUNCTION_LINES + 1
    large = ast.parse("class A:\n" + "".join(f"    def m{i}(self): ...\n" for i in range(16)))
    assert isinstance(large.body[0], ast.ClassDef)
    assert public_methods(large.body[0]) == 16
    nested = ast.parse("if x:\n    class A:\n        async def f(self):\n            def g(): ...")
    assert [node.name for node in definitions(nested)] == ["A", "f", "g"]
    assert silenced_without_reason(["a  # type: ignore", "b  # type: ignore[misc]"]) == [1, 2]
    assert silenced_without_reason(["# why", "a  # type: ignore[misc]"]) == []
    assert MACHINE_PATH.search("see /wor" + "k/main/file.py")
    assert not MACHINE_PATH.search("https://host/wor" + "k/main")
