"""Figures of the benchmarks mean what they say, and what is promised is compared with them."""

from __future__ import annotations

import time

import pytest
from benchmarks import bench_length
from benchmarks.bars import verdict
from benchmarks.bench_length import compare
from benchmarks.bench_resume import measure_fold, measure_import
from benchmarks.halting import Block, halting
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


def test_search_that_halts_tells_every_block_and_stores_every_trial() -> None:
    case = Case(storage="SQLite", optimizer="random", in_flight=8, trials=300)
    with halting(case, 100) as search:
        blocks = [search.block() for _ in range(3)]
    assert all(block.cpu_s > 0.0 for block in blocks)
    assert all(block.wall_s < 60.0 for block in blocks)
    grown = [block.grown_mb for block in blocks]
    assert grown == sorted(grown)


def test_search_that_is_left_before_its_end_is_no_figure() -> None:
    case = Case(storage="memory", optimizer="random", in_flight=8, trials=200)
    with (
        pytest.raises(AssertionError, match="left before its end"),
        halting(case, 100) as search,
    ):
        search.block()


def test_time_that_a_search_stands_still_is_not_counted() -> None:
    case = Case(storage="memory", optimizer="random", in_flight=8, trials=200)
    with halting(case, 100) as search:
        # Much longer than a block takes here, however busy this machine is.
        away = 1.0 + 20 * search.block().wall_s
        time.sleep(away)
        assert search.block().wall_s < away


def test_length_is_the_sum_of_what_was_measured_in_turns() -> None:
    case = Case(storage="SQLite", optimizer="random", in_flight=64, trials=1)
    long = [Block(wall_s=w, cpu_s=1.0, grown_mb=m) for w, m in ((2.0, 10.0), (3.0, 12.0))]
    short = [Block(wall_s=w, cpu_s=0.8, grown_mb=m) for w, m in ((1.0, 5.0), (3.0, 4.0))]
    row = compare(case, long, short)
    # 5 s against 4 s is a rate of four fifths; 1 s against 0.8 s of the processor too.
    assert (row["slower_percent"], row["slower_percent_cpu"]) == (20.0, 20.0)
    assert row["slower_percent_cpu_last"] == 20.0
    assert (row["trials_per_s"], row["trials_per_s_short"]) == (4_000, 5_000)
    assert row["rss_mb_more"] == 8.0
    assert verdict(row) == "slower_percent <= 20: met, rss_mb_more <= 30: met"
