from hypothesis import given
from hypothesis import strategies as st

from morphml.scheduling.fair_share import Demand, fair_shares

DEMANDS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.builds(
        Demand,
        weight=st.sampled_from([0.5, 1.0, 2.0, 10.0]),
        wanted=st.integers(min_value=0, max_value=40),
    ),
    max_size=6,
)


@given(slots=st.integers(min_value=0, max_value=60), demands=DEMANDS)
def test_no_slot_idles_while_somebody_wants_it(slots: int, demands: dict[str, Demand]) -> None:
    shares = fair_shares(slots, demands)
    assert sum(shares.values()) == min(slots, sum(each.wanted for each in demands.values()))
    assert all(0 <= shares[key] <= demands[key].wanted for key in demands)


@given(slots=st.integers(min_value=0, max_value=60), demands=DEMANDS)
def test_who_wants_more_has_no_less_per_weight_than_others(
    slots: int, demands: dict[str, Demand]
) -> None:
    shares = fair_shares(slots, demands)
    for key, demand in demands.items():
        if shares[key] == demand.wanted:
            continue
        for other, rival in demands.items():
            # A slot cannot be cut: each round may give anybody one more or one less.
            n = len(demands)
            assert (shares[other] - n) / rival.weight <= (shares[key] + n) / demand.weight


def test_weights_share_what_both_want() -> None:
    demands = {"a": Demand(weight=2, wanted=100), "b": Demand(weight=1, wanted=100)}
    assert fair_shares(30, demands) == {"a": 20, "b": 10}


def test_what_one_leaves_the_other_gets() -> None:
    demands = {"a": Demand(weight=2, wanted=3), "b": Demand(weight=1, wanted=100)}
    assert fair_shares(30, demands) == {"a": 3, "b": 27}


def test_same_demands_give_the_same_shares_in_any_order() -> None:
    demands = {"a": Demand(wanted=5), "b": Demand(wanted=5), "c": Demand(wanted=5)}
    backwards = dict(reversed(demands.items()))
    assert fair_shares(10, demands) == fair_shares(10, backwards) == {"a": 4, "b": 3, "c": 3}
