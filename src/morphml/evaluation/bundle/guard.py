"""Whether importing a script would start its search again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from morphml.errors import EvaluatorError

#: Names of MorphML that begin or read a search.
_STARTERS = frozenset({"search", "resume", "replay", "Experiment"})
_PACKAGE = "morphml"


def check_guarded(file: Path, attribute: str) -> None:
    """Let a script pass that starts no search when it is imported.

    Only calls at its top level that name MorphML are seen; a function that is called there and
    searches is not.

    Raises:
        EvaluatorError: when it calls ``search`` and the like outside
            ``if __name__ == "__main__":``, or cannot be read.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        raise EvaluatorError(f"evaluator {attribute}: {file} cannot be read ({error})") from error
    packages, names = _imported(tree)
    for call in _calls_at_import(tree.body):
        called = call.func
        if isinstance(called, ast.Name):
            starts = names.get(called.id) in _STARTERS
        else:
            starts = (
                isinstance(called, ast.Attribute)
                and called.attr in _STARTERS
                and isinstance(called.value, ast.Name)
                and called.value.id in packages
            )
        if starts:
            raise EvaluatorError(
                f"evaluator {attribute}: {file.name}, line {call.lineno} calls "
                f"{ast.unparse(called)}() whenever the file is imported, and workers import it; "
                'put the call under: if __name__ == "__main__":'
            )


def _imported(tree: ast.Module) -> tuple[set[str], dict[str, str]]:
    """Names that stand for the package, and names that stand for something in it."""
    packages: set[str] = set()
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages |= {
                one.asname or _PACKAGE
                for one in node.names
                if one.name == _PACKAGE or (one.asname is None and one.name.startswith("morphml."))
            }
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PACKAGE):
            names |= {one.asname or one.name: one.name for one in node.names}
    return packages, names


def _calls_at_import(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """Calls that run when the module is imported: not those in functions, nor under the guard."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and _is_guard(node.test):
            waiting.extend(reversed(node.orelse))
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _is_guard(test: ast.expr) -> bool:
    """``__name__ == "__main__"``, either way round, alone or with more."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_guard(value) for value in test.values)
    if not (isinstance(test, ast.Compare) and [type(op) for op in test.ops] == [ast.Eq]):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )
