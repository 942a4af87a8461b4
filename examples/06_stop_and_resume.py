"""Stop a search at any moment and go on later, also after kill -9 or a power cut.

Everything that was finished is in the store. Going on gives the same proposals as if nothing had
happened.

python examples/06_stop_and_resume.py [TRIALS]
"""

import sys

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 30

space = mm.SearchSpace(
    input=(8,),
    layers=[
        mm.repeat(
            L.dense(units=mm.integer(1, 32)),
            mm.choice(L.relu(), L.tanh()),
            times=mm.integer(1, 4),
        ),
        L.output(1),
    ],
)


def evaluate(arch, trial):
    return abs(arch.params - 500)


common = {"objectives": {"loss": "min"}, "workers": 1, "seed": 2}

# Part of the budget first, as if the search had been stopped there ...
first = mm.search(space, evaluate, trials=TRIALS // 2, storage="stopped.db", **common)
# ... and the rest later, from the store alone: space and evaluator are in it.
second = mm.resume("stopped.db", trials=TRIALS)
print(first)
print(second)

# A search that was never interrupted has the same history.
whole = mm.search(space, evaluate, trials=TRIALS, storage="whole.db", **common)
same = [a.point_id == b.point_id for a, b in zip(whole.records, second.records, strict=True)]
print(f"{sum(same)} of {len(same)} trials are the same as without the stop")
assert all(same)
