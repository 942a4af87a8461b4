"""The function that `pipeline.yaml` names: splits the digits into what is searched on, and a test.

A job's function gets the job's config as keyword arguments. What it returns are the outputs that
later jobs refer to; a `Path` among them is kept as a file and handed to whichever worker needs it.
"""

from pathlib import Path

import numpy as np

from morphml.evaluation.data.digits import digits


def prepare(test_share: float, seed: int) -> dict[str, object]:
    part = digits().train
    order = np.random.default_rng(seed).permutation(len(part))
    count = round(test_share * len(part))
    folder = Path("digits")
    folder.mkdir(exist_ok=True)
    searched, test = folder / "searched.npz", folder / "test.npz"
    np.savez(searched, x=part.x[order[count:]], y=part.y[order[count:]])
    np.savez(test, x=part.x[order[:count]], y=part.y[order[:count]])
    print(f"{len(part) - count} images to search on, {count} to test with")
    return {"path": str(searched.resolve()), "test": test, "count": count}
