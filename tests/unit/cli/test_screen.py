import pytest
from rich.console import Console

from morphml.cli.screen import table_of

HEADS = {"id": False, "state": False, "trials": True, "created": False, "reason": False}
ROW = ("d02088fd04", "completed", "1000/1000", "2026-11-22 08:49", "budget of trials spent")


@pytest.mark.parametrize("width", [80, 200])
def test_a_table_breaks_no_short_word_on_a_narrow_screen(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table_of("store.db", HEADS, [ROW]))
    words = set(captured.get().split())
    for cell in ROW:
        assert set(cell.split()) <= words, cell


def test_a_table_breaks_a_word_that_is_longer_than_the_screen() -> None:
    console = Console(width=60)
    with console.capture() as captured:
        console.print(table_of("", {"path": False}, [("x" * 100,)]))
    assert captured.get().count("x") == 100


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_table_of_many_short_words_loses_no_letter(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    heads = {f"head {letter}": False for letter in "abcdefg"}
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table_of("", heads, [("x" * 10,) * len(heads)]))
    assert captured.get().count("x") == 10 * len(heads)


def test_a_column_of_several_words_keeps_them_whole_beside_many_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    heads = {"worker": False, **{f"figure {n}": True for n in range(5)}, "has": False}
    row = ("box-1-31234", *("100.0",) * 5, "8 cpu, 2 gpu, high-memory, site-a, ssd")
    console = Console(width=80)
    with console.capture() as captured:
        console.print(table_of("", heads, [row]))
    words = set(captured.get().split())
    for cell in row:
        assert set(cell.split()) <= words, cell
