"""Long calls over several lines: the layout of a space's text."""

from __future__ import annotations

_OPEN, _CLOSE = "([{", ")]}"


def laid_out(text: str, width: int = 88, indent: int = 0) -> str:
    """``text`` with calls and lists broken at their commas where they are longer than ``width``.

    Only blanks and line ends between tokens change; strings stay as they are.

    >>> print(laid_out("f(one, [2, 3])", width=12))
    f(
        one,
        [2, 3],
    )
    """
    if len(text) + indent <= width:
        return text
    start = next((i for i, _ in _brackets(text)), None)
    if start is None or (text[-1] not in _CLOSE and ")" not in text[start:]):
        return text
    end = _closing(text, start)
    items = _items(text[start + 1 : end])
    if not items:
        return text
    inner = " " * (indent + 4)
    lines = [f"{inner}{laid_out(item, width - 1, indent + 4)}," for item in items]
    rest = text[end + 1 :]
    return "\n".join([text[: start + 1], *lines, f"{' ' * indent}{text[end]}"]) + rest


def _brackets(text: str) -> list[tuple[int, str]]:
    """Positions of brackets outside strings."""
    found = []
    quote = ""
    skip = False
    for position, letter in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = letter == "\\"
            if letter == quote:
                quote = ""
        elif letter in "'\"":
            quote = letter
        elif letter in _OPEN or letter in _CLOSE or letter == ",":
            found.append((position, letter))
    return found


def _closing(text: str, start: int) -> int:
    depth = 0
    for position, letter in _brackets(text):
        if position < start:
            continue
        depth += (letter in _OPEN) - (letter in _CLOSE)
        if depth == 0 and letter in _CLOSE:
            return position
    return len(text) - 1


def _items(text: str) -> list[str]:
    """The parts of ``text`` between commas outside brackets and strings."""
    parts = []
    depth = begin = 0
    for position, letter in _brackets(text):
        if letter == "," and depth == 0:
            parts.append(text[begin:position].strip())
            begin = position + 1
        elif letter != ",":
            depth += 1 if letter in _OPEN else -1
    last = text[begin:].strip()
    return [*parts, last] if last else parts
