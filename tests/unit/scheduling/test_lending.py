from hypothesis import given
from hypothesis import strategies as st

from morphml.scheduling.fair_share import Demand
from morphml.scheduling.lending import Pool, lend

MANY = 1_000

POOLS = st.dictionaries(
    st.sampled_from("ABCD"),
    st.tuples(
        st.integers(min_value=0, max_value=30),
        st.dictionaries(
            st.sampled_from("uvwxyz"),
            st.tuples(st.sampled_from([1.0, 5.0, 10.0]), st.integers(min_value=0, max_value=60)),
            max_size=3,
        ),
        st.dictionaries(st.sampled_from("uvwxyz"), st.integers(min_value=0, max_value=10)),
    ),
    max_size=4,
)


def pool(slots: int, able: dict[str, int] | None = None, **wanted: tuple[float, int]) -> Pool[str]:
    demands = {key: Demand(weight=weight, wanted=most) for key, (weight, most) in wanted.items()}
    return Pool(slots=slots, demands=demands, able=able or {})


def test_experiment_of_a_master_with_few_workers_gets_its_share_of_those_of_another() -> None:
    pools = {"A": pool(1, x=(5.0, MANY)), "B": pool(9, y=(5.0, MANY))}
    assert lend(pools) == {"A": {}, "B": {"x": 4}}


def test_weight_counts_across_masters() -> None:
    pools = {"A": pool(0, x=(9.0, MANY)), "B": pool(20, y=(1.0, MANY))}
    assert lend(pools) == {"A": {}, "B": {"x": 18}}


def test_slots_that_nobody_at_home_wants_are_lent_up_to_what_is_wanted() -> None:
    pools = {"A": pool(2, x=(1.0, 7)), "B": pool(8, y=(1.0, 2)), "C": pool(8)}
    lent = lend(pools)
    assert sum(part.get("x", 0) for part in lent.values()) == 5
    assert lent["A"] == {}


def test_nothing_is_lent_where_everybody_has_enough_at_home() -> None:
    pools = {"A": pool(4, x=(5.0, MANY)), "B": pool(4, y=(5.0, MANY))}
    assert lend(pools) == {"A": {}, "B": {}}


def test_slots_are_lent_only_where_the_experiment_could_run() -> None:
    pools = {
        "A": pool(4, {"x": 0}, x=(5.0, MANY)),
        "B": pool(4, {"x": 0}),
        "C": pool(4, {"x": 2}, y=(5.0, MANY)),
    }
    assert lend(pools) == {"A": {"y": 4}, "B": {"y": 4}, "C": {"x": 2}}


@given(drawn=POOLS)
def test_no_more_is_lent_than_there_is_and_than_is_wanted(
    drawn: dict[str, tuple[int, dict[str, tuple[float, int]], dict[str, int]]],
) -> None:
    pools = {owner: pool(slots, able, **wanted) for owner, (slots, wanted, able) in drawn.items()}
    lent = lend(pools)
    assert lent.keys() == pools.keys()
    for owner, parts in lent.items():
        assert sum(parts.values()) <= pools[owner].slots
        assert not parts.keys() & pools[owner].demands.keys()
        assert all(0 < part <= pools[owner].fit(key) for key, part in parts.items())
    for key in {key for parts in lent.values() for key in parts}:
        wanted = max(each.demands[key].wanted for each in pools.values() if key in each.demands)
        assert sum(parts.get(key, 0) for parts in lent.values()) <= wanted


@given(drawn=POOLS)
def test_all_masters_work_out_the_same(
    drawn: dict[str, tuple[int, dict[str, tuple[float, int]], dict[str, int]]],
) -> None:
    pools = {owner: pool(slots, able, **wanted) for owner, (slots, wanted, able) in drawn.items()}
    assert lend(pools) == lend(dict(reversed(pools.items())))
