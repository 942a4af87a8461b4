"""The process of a search that was sent to a Ray cluster as a job; it runs on the head."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from morphml.errors import ExperimentError, MorphError
from morphml.master import evaluators
from morphml.master.experiment import Experiment
from morphml.master.ray_job import CARRIED
from morphml.version import __version__


def main() -> None:
    """Run the experiment that came along until it is over.

    Raises:
        SystemExit: with what went wrong, for whoever sent it.
    """
    found = find_spec(CARRIED)
    if found is None or found.origin is None:
        raise SystemExit(f"{CARRIED} is not there: this runs as a job that was sent with it")
    try:
        go_on(Path(found.origin).parent)
    except MorphError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error


def go_on(package: Path) -> None:
    """Run an experiment on the cluster of this machine.

    Args:
        package: holds the order, space and evaluator.

    Raises:
        ExperimentError: when another version of MorphML sent it.
        MorphError: as ``Experiment.run``.
    """
    order = json.loads((package / "order.json").read_text())
    if order["version"] != __version__:
        raise ExperimentError(
            f"the cluster has morphml {__version__}, and {order['version']} sent the search; "
            "install the same version on both sides"
        )
    space, found = evaluators.recall(package)
    source = replace(found, digest=order["digest"])  # code by value has no file here to name it by
    with Experiment.open(
        order["storage"], order["experiment"], evaluate=source, space=space
    ) as experiment:
        experiment.run(order["workers"], lambda _: None, "ray:auto")


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
