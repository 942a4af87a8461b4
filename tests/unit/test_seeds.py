"""Randomness from (seed, number, purpose) alone."""

from __future__ import annotations

import numpy as np

from morphml.seeds import generator, training_seed


def test_generator_gives_the_stored_stream_for_ever() -> None:
    # A stored experiment is replayed with these very numbers; they may never change.
    drawn = generator(7, 3, "ask/0").random(3)
    assert [f"{value:.12f}" for value in drawn] == EXPECTED


def test_generator_is_independent_for_each_part_of_its_name() -> None:
    streams = [
        tuple(generator(*name).integers(0, 2**62, 4))
        for name in [(1, 2, "a"), (1, 2, "b"), (1, 3, "a"), (2, 2, "a"), (12, 2, "a"), (1, 22, "a")]
    ]
    assert len(set(streams)) == len(streams)


def test_generator_is_uniform_over_neighbouring_numbers() -> None:
    draws = np.array([generator(0, number, "ask/0").random() for number in range(4000)])
    counts, _ = np.histogram(draws, bins=10, range=(0, 1))
    # 400 expected in each; five standard deviations are 95.
    assert abs(counts - 400).max() < 95
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.08


def test_training_seed_depends_on_number_and_fits_32_bits() -> None:
    seeds = {training_seed(0, number) for number in range(1000)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)


EXPECTED = ["0.717576233413", "0.256381598674", "0.545717569143"]
