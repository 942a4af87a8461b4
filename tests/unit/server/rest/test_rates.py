"""How many requests a client may make."""

from __future__ import annotations

from morphml.server.rest.rates import MOST_CLIENTS, Rates
from morphml.testing.clock import FakeClock


def test_bucket_lets_a_burst_through_then_the_rate_of_each_client_alone() -> None:
    clock = FakeClock()
    rates = Rates(10.0, clock)
    assert sum(rates.wait_s("a") == 0.0 for _ in range(100)) == 20
    assert rates.wait_s("a") == 0.1
    assert rates.wait_s("b") == 0.0
    clock.advance(1.0)
    assert sum(rates.wait_s("a") == 0.0 for _ in range(100)) == 10


def test_bucket_of_whom_nobody_heard_for_longest_is_forgotten() -> None:
    rates = Rates(1.0, FakeClock())
    for client in range(MOST_CLIENTS + 10):
        rates.wait_s(str(client))
    assert len(rates._buckets) == MOST_CLIENTS
    assert "0" not in rates._buckets
