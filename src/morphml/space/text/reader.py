"""Reading a text: Python's own grammar, a table of allowed calls, nothing else executed."""

from __future__ import annotations

import ast
import inspect
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from morphml.errors import MorphError, TextFormError
from morphml.hints import nearest
from morphml.space.text.expansion import excess
from morphml.space.text.limits import check_limits

#: What constructors raise when an argument does not suit them; shown with the place of the call.
_REFUSALS = (MorphError, TypeError, ValueError, ArithmeticError, AttributeError)
#: Whole numbers of a text lie between minus this and this: products of names grow without end.
_LARGEST = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words that a text may use.

    Attributes:
        calls: constructors by full name, such as ``choice``, ``layers.conv2d``, ``spaces.darts``.
        prefixes: what a person may write before a name, and what it stands for: ``L.`` for
            ``layers.``; the empty string says where names without a prefix are looked for, too.
        values: names that stand for values.
        unknown: what any other name means, such as the decision of that name; None refuses it.
    """

    calls: Mapping[str, Callable[..., object]]
    prefixes: tuple[tuple[str, str], ...]
    values: Mapping[str, object] = field(default_factory=dict)
    unknown: Callable[[str], object] | None = None

    def find(self, name: str) -> Callable[..., object] | None:
        """The constructor that a person means by ``name``, or None."""
        for written, meant in self.prefixes:
            if name.startswith(written):
                found = self.calls.get(meant + name[len(written) :])
                if found is not None:
                    return found
        return None

    def nearest(self, name: str) -> str | None:
        """The allowed name closest to ``name``, written as its author writes; None if none is."""
        prefix, _, last = name.rpartition(".")
        known = {call.rpartition(".")[2] for call in self.calls} | set(self.values)
        near = nearest(last, sorted(known))
        if near is None:
            return None
        with_prefix = f"{prefix}.{near}"
        return with_prefix if prefix and self.find(with_prefix) is not None else near


def read(text: str, vocabulary: Vocabulary) -> object:
    """The value that ``text`` describes.

    A text is one expression, or lines of ``name = expression`` before it whose names the later
    lines may use. Allowed are literals (numbers, strings, True, False, None), lists, tuples,
    dicts, ``+ - * / // %``, one comparison at a time, ``& | ~`` between comparisons, and calls of
    the vocabulary.

    Raises:
        TextFormError: with line, column and the nearest allowed name.

    Cost: O(length of the text) plus that of the constructors called.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    check_limits(text)
    body = text.lstrip()
    if not body:
        raise TextFormError("the text is empty", line=1, column=1)
    head = text[: len(text) - len(body)]
    walker = _Walker(vocabulary, body, head.count("\n"), len(head) - (head.rfind("\n") + 1))
    try:
        return walker.program()
    except RecursionError as error:
        raise TextFormError("the text nests too deep", line=1, column=1) from error


class _Walker:
    """Turns the syntax tree of one text into a value."""

    def __init__(self, vocabulary: Vocabulary, body: str, lines: int, indent: int) -> None:
        self._vocabulary = vocabulary
        self._body = body
        self._lines = lines
        self._indent = indent
        self._names: dict[str, object] = dict(vocabulary.values)

    # --- statements ------------------------------------------------------------------------------

    def program(self) -> object:
        statements = self._parse().body
        if not statements:
            raise self._fault_at(1, 0, "the text holds no expression")
        if (found := excess(statements)) is not None:
            raise self._fault(*found)
        value: object = None
        for statement in statements:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=node):
                    value = self._names[name] = self._value(node)
                case ast.Expr(value=node) if statement is statements[-1]:
                    value = self._value(node)
                case ast.Expr():
                    raise self._fault(statement, "only the last line may be a bare expression")
                case _:
                    raise self._fault(statement, "only `name = expression` lines may stand here")
        return value

    def _parse(self) -> ast.Module:
        try:
            return ast.parse(self._body)
        except SyntaxError as error:
            line, column = error.lineno or 1, (error.offset or 1) - 1
            message = "the text ends too early" if "EOF" in error.msg else error.msg
            raise self._fault_at(line, max(column, 0), message) from error
        except (ValueError, MemoryError) as error:
            raise self._fault_at(1, 0, str(error) or "the text is too complex") from error

    # --- expressions -----------------------------------------------------------------------------

    def _value(self, node: ast.expr) -> object:
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.Call():
                return self._call(node)
            case ast.List():
                return self._items(node.elts)
            case ast.Tuple():
                return tuple(self._items(node.elts))
            case ast.Dict():
                return self._dict(node)
            case ast.UnaryOp() | ast.BinOp() | ast.Compare():
                return self._operation(node)
            case ast.Attribute():
                name = _dotted(node) or node.attr
                raise self._fault(
                    node, f"{name!r} is not a value", near=self._vocabulary.nearest(name)
                )
            case _:
                raise self._fault(
                    node, f"{_KINDS.get(type(node), 'this form')} is not allowed here"
                )

    def _constant(self, node: ast.Constant) -> object:
        if node.value is None or isinstance(node.value, bool | int | float | str):
            return self._finite(node, node.value)
        raise self._fault(node, f"the literal {node.value!r} is not allowed here")

    def _name(self, node: ast.Name) -> object:
        if node.id in self._names:
            return self._names[node.id]
        if self._vocabulary.find(node.id) is not None:
            raise self._fault(node, f"{node.id!r} must be called: write {node.id}(...)")
        if self._vocabulary.unknown is not None:
            return self._vocabulary.unknown(node.id)
        raise self._fault(
            node,
            f"unknown name {node.id!r}",
            near=nearest(node.id, self._names) or self._vocabulary.nearest(node.id),
        )

    def _items(self, nodes: Iterable[ast.expr]) -> list[object]:
        values: list[object] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                values.extend(self._spread(node))
            else:
                values.append(self._value(node))
        return values

    def _spread(self, node: ast.Starred) -> list[object]:
        value = self._value(node.value)
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise self._fault(node, f"only lists can follow a star, and this is {value!r}")
        return list(value)

    def _dict(self, node: ast.Dict) -> dict[object, object]:
        result: dict[object, object] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            if key_node is None:
                raise self._fault(value_node, "** is not allowed here")
            key = self._value(key_node)
            if not isinstance(key, bool | int | float | str):
                raise self._fault(key_node, "a key must be a literal")
            if key in result:
                raise self._fault(key_node, f"the key {key!r} stands twice")
            result[key] = self._value(value_node)
        return result

    def _operation(self, node: ast.UnaryOp | ast.BinOp | ast.Compare) -> object:
        kind: type[ast.AST]
        match node:
            case ast.UnaryOp(op=op):
                kind, operands = type(op), [node.operand]
            case ast.BinOp(op=op):
                kind, operands = type(op), [node.left, node.right]
            case ast.Compare(ops=[op], comparators=[right]):
                kind, operands = type(op), [node.left, right]
            case _:
                raise self._fault(node, "write one comparison at a time")
        values = [self._value(operand) for operand in operands]
        apply = _OPERATORS.get(kind)
        if apply is None:
            raise self._fault(
                node, "this operator is not allowed; there are + - * / // %, comparisons, & | ~"
            )
        for operand, value in zip(operands, values, strict=True):
            if isinstance(value, list | dict) or (
                isinstance(value, str | tuple) and not isinstance(node, ast.Compare)
            ):
                raise self._fault(operand, f"{value!r} is no number and no decision")
        return self._finite(node, self._guarded(node, "this operation", lambda: apply(*values)))

    def _finite(self, node: ast.expr, value: object) -> object:
        if isinstance(value, float) and not math.isfinite(value):
            raise self._fault(node, f"numbers are finite, and this is {value}")
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise self._fault(node, "a whole number lies beyond 2**64; write a smaller one")
        return value

    # --- calls -----------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> object:
        name = _dotted(node.func)
        if name is None:
            raise self._fault(node.func, "only names can be called")
        function = self._vocabulary.find(name)
        if function is None:
            near = self._vocabulary.nearest(name)
            raise self._fault(node.func, f"the call {name!r} is not allowed", near=near)
        positional = self._items(node.args)
        named = self._keywords(node, name, function)
        return self._guarded(node, name, lambda: function(*positional, **named))

    def _keywords(
        self, node: ast.Call, name: str, function: Callable[..., object]
    ) -> dict[str, object]:
        known = inspect.signature(function).parameters
        open_ended = any(p.kind is p.VAR_KEYWORD for p in known.values())
        named: dict[str, object] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._fault_at(
                    keyword.value.lineno, keyword.value.col_offset, "** is not allowed here"
                )
            if keyword.arg not in known and not open_ended:
                raise self._fault(
                    keyword,
                    f"{name}() takes no argument {keyword.arg!r}",
                    near=nearest(keyword.arg, known),
                )
            if keyword.arg in named:
                raise self._fault(keyword, f"the argument {keyword.arg!r} stands twice")
            named[keyword.arg] = self._value(keyword.value)
        return named

    # --- errors ----------------------------------------------------------------------------------

    def _guarded(self, node: ast.expr, name: str, action: Callable[[], object]) -> object:
        try:
            return action()
        except TextFormError:
            raise
        except _REFUSALS as error:
            message = str(error)
            message = message if name in message else f"{name}: {message}"
            raise self._fault(node, message) from error

    def _fault(
        self, node: ast.expr | ast.stmt | ast.keyword, message: str, near: str | None = None
    ) -> TextFormError:
        # Python counts columns in bytes of UTF-8; people count characters.
        line = self._body.split("\n")[node.lineno - 1].encode(errors="surrogatepass")
        column = len(line[: node.col_offset].decode(errors="replace"))
        return self._fault_at(node.lineno, column, message, near)

    def _fault_at(
        self, line: int, column: int, message: str, near: str | None = None
    ) -> TextFormError:
        shift = self._indent if line == 1 else 0
        return TextFormError(
            message, line=line + self._lines, column=column + shift + 1, suggestion=near
        )


#: Forms of Python that people try, and what they are called.
_KINDS: Mapping[type[ast.expr], str] = {
    ast.Subscript: "indexing",
    ast.JoinedStr: "an f-string",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.Starred: "a star",
    ast.Slice: "a slice",
    ast.Set: "a set",
}
_OPERATORS: Mapping[type[ast.AST], Callable[..., object]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}


def _dotted(node: ast.expr) -> str | None:
    """``a.b.c`` for a chain of attributes that begins with a name, else None."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return ".".join(reversed(parts))
