"""Ray Tune on the work of `bench_ray`; a program of its own, since it keeps its process for itself.

python -m benchmarks.ray_tune ADDRESS SLOTS TRIALS
"""

from __future__ import annotations

import json
import sys
import time

import ray
from ray import tune


def nap(config: dict[str, int]) -> dict[str, float]:
    """One second on a slot; the result says when."""
    began = time.time()
    time.sleep(1.0)
    return {"a": config["a"], "began": began, "ended": time.time()}


def doze() -> None:
    """Hold a slot until the others are held."""
    time.sleep(0.5)


def main() -> None:
    """Print when the search was asked for, and spans, as JSON."""
    address, slots, trials = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    warm = ray.remote(doze)
    ray.get([warm.remote() for _ in range(slots)])  # processes are there
    asked = time.time()
    found = tune.Tuner(
        nap,
        param_space={"a": tune.randint(0, 1000)},
        tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=slots),
        run_config=tune.RunConfig(verbose=0),
    ).fit()
    spans = [(each.metrics["began"], each.metrics["ended"]) for each in found]
    print(f"\n{json.dumps({'asked': asked, 'spans': spans})}")


if __name__ == "__main__":
    main()
