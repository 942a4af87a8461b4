"""Figures of the benchmarks mean what they say, and what is promised is compared with them."""

from __future__ import annotations

from benchmarks import bench_length
from benchmarks.bars import verdict
from benchmarks.bench_resume import measure_fold, measure_import
from benchmarks.searching import Case, in_fresh_process, measure


def test_memory_of_the_import_is_not_that_of_whoever_measures_it() -> None:
    ballast = bytearray(b"x" * (150 << 20))
    row = measure_import(repeats=1)
    del ballast
    assert 5 < float(str(row["mb"])) < 60
    assert "mb <= 60: met" in verdict(row)


def test_search_in_a_fresh_process_is_counted_and_its_memory_grows() -> None:
    row = in_fresh_process(
        measure, Case(storage="SQLite", optimizer="random", in_flight=64, trials=300)
    )
    assert row["trials"] == 300
    assert float(str(row["rss_mb"])) > 0.0


def test_fold_takes_in_every_trial() -> None:
    assert measure_fold(200)["case"] == "fold of 200 trials, evolution"


def test_length_is_judged_by_rate_and_on_a_file_by_memory_too() -> None:
    figures = {"slower_percent": 25.0, "rss_mb_more": 31.0}
    names = {}
    for storage in ("SQLite", "memory"):
        case = Case(storage=storage, optimizer="random", in_flight=64, trials=1)
        names[storage] = f"100,000 against 10,000 trials, {case}"
    assert verdict({"case": names["SQLite"], **figures}) == (
        "slower_percent <= 20: MISSED, rss_mb_more <= 30: MISSED"
    )
    assert verdict({"case": names["memory"], **figures}) == "slower_percent <= 20: MISSED"
    assert (bench_length.SHORT, bench_length.LONG) == (10_000, 100_000)
