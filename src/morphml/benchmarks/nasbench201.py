"""NAS-Bench-201: 15,625 published cells with what was measured of each.

The results are those of Dong and Yang, 2020, and NATS-Bench (Dong et al., 2021); latencies those of
HW-NAS-Bench (Li et al., 2021) and HELP (Lee et al., 2021). The file holds them as plain arrays and
is not part of the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from morphml.benchmarks.nats_bench import is_nats_bench, read_nats_bench
from morphml.benchmarks.problem import Problem
from morphml.benchmarks.rows import Rows
from morphml.benchmarks.table import measure, with_front
from morphml.errors import CallerError
from morphml.hints import meant_or_known
from morphml.search.objectives import Direction, Objective
from morphml.settings import read_settings
from morphml.space import SearchSpace, choice
from morphml.space.ready import nasbench201 as networks_space

FILE = Path("nas-bench-201") / "nb201.npz"
#: Name of a data set to its columns' ending.
DATA_SETS = {"cifar10": "c10", "cifar100": "c100", "imagenet16": "in16"}
EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")
#: The published operations as the ready-made space calls them.
_OPERATIONS = {
    "none": "zero",
    "skip_connect": "identity",
    "nor_conv_1x1": "conv1x1",
    "nor_conv_3x3": "conv3x3",
    "avg_pool_3x3": "pool3x3",
}
#: Columns of accuracies in %, and of sizes in millions.
_ACCURACIES = ("test_200", "test_12", "val_12", "val_200")
_SIZES = ("params_m", "macs_m")
#: The accuracy in % below which a cell bounds no hypervolume: an error of 20 %.
_LEAST_ACCURACY = 80.0
_SOURCE = "Dong and Yang, 2020; Dong et al., 2021"


class Protocol(StrEnum):
    """What a search sees, and what it is judged by."""

    #: The test accuracy after 200 epochs, for both.
    DIRECT = "direct"
    #: Sees the validation accuracy after 12 epochs, judged by the test accuracy after 200.
    CHEAP = "cheap"
    #: Test accuracy after 200 epochs and latency on one device; judged by hypervolume.
    LATENCY = "latency"


def find_nasbench201(path: str | Path | None = None) -> Path | None:
    """The file, or None when it is not on this machine.

    Args:
        path: the file, a folder of data sets, or what NATS-Bench published; otherwise
            ``MORPHML_DATA`` and ``../shared/data`` from the working directory are looked through.
    """
    if path is not None:
        given = Path(path)
        if is_nats_bench(given):
            return given
        places = [given, given / FILE.name, given / FILE]
    else:
        folder = read_settings().data.folder
        folders = [*([folder] if folder else []), Path("..") / "shared" / "data"]
        places = [each / FILE for each in folders]
    return next((place for place in places if place.is_file()), None)


def nasbench201(
    data_set: str = "cifar100",
    protocol: str = "direct",
    *,
    path: str | Path | None = None,
    space: str = "decisions",
    device: str = "gold_6226",
    objectives: Sequence[str] = (),
) -> Problem:
    """NAS-Bench-201 as a problem.

    Args:
        data_set: ``cifar10``, ``cifar100`` or ``imagenet16``.
        protocol: ``direct``, ``cheap`` or ``latency``, see ``Protocol``.
        path: the file ``nb201.npz`` or a folder that holds it, see ``find_nasbench201``; or the
            published ``NATS-tss-....pickle.pbz2`` or its folder ``-simple``, without latencies.
        space: ``decisions``: six plain decisions, so that two cells that build the same network
            are two members. ``networks``: the ready-made space, in which they are one.
        device: whose latency the protocol ``latency`` minimises, in ms.
        objectives: columns by name in the place of a protocol, the first is the fitness: accuracies
            (``test_200``, ``test_12``, ``val_12``, ``val_200``), ``params_m`` and ``macs_m`` in
            millions, and devices, whose latency in ms is to be small. Only in ``nb201.npz``.

    Raises:
        CallerError: an unknown word, or the file is not found.

    Two objectives are judged by their hypervolume: up to the 95th percentile of what is to be small
    and down to the 5th of an accuracy, but on CIFAR-10 to one of 80 %.
    """
    ending = _one_of("data set", data_set, DATA_SETS)
    chosen = Protocol(_one_of("protocol", protocol, {each.value: each.value for each in Protocol}))
    _one_of("space", space, {"decisions": "", "networks": ""})
    file = find_nasbench201(path)
    if file is None:
        raise CallerError(
            f"NAS-Bench-201: {FILE.name} is not {f'at {path}' if path else 'found'}; give its path "
            f"or set MORPHML_DATA to a folder that holds {FILE}. It is made of the published "
            "NATS-Bench results; digits-cells needs no file"
        )
    if objectives:
        names, cells, values = _read_columns(file, ending, objectives)
    else:
        names, cells, values = _read(file, chosen, ending, device)
    searched, rows = _searched(names, cells, values, space)
    parsed = [_objective(name) for name in values]
    measures = tuple(measure(o, values[o.name], _unit(o)) for o in parsed)
    cheap = chosen is Protocol.CHEAP and not objectives
    seen = "+".join(objectives) if objectives else str(chosen)
    problem = Problem(
        name=f"nasbench201/{data_set}/{seen}" + ("/networks" if space == "networks" else ""),
        space=searched,
        measures=measures[:1] if cheap else measures,
        answer=measures[1] if cheap else None,
        look_up=rows,
        cost=f"one training of {'12' if cheap else '200'} epochs",
        source=_SOURCE,
    )
    if len(problem.measures) != 2:
        return problem
    first, second = (_reference(name, values[name], data_set) for name in values)
    return with_front(problem, values, (first, second))


def _reference(name: str, values: npt.NDArray[np.float64], data_set: str) -> float:
    """The value of an objective that bounds the hypervolume."""
    if name not in _ACCURACIES:
        return float(np.nanpercentile(values, 95))
    return _LEAST_ACCURACY if data_set == "cifar10" else float(np.nanpercentile(values, 5))


def _read(
    file: Path, protocol: Protocol, ending: str, device: str
) -> tuple[list[str], npt.NDArray[np.uint8], dict[str, npt.NDArray[np.float64]]]:
    """Names of operations, their places in each cell, and the columns that are needed."""
    if not is_nats_bench(file):
        with np.load(file, allow_pickle=False) as arrays:
            names = [str(name) for name in arrays["op_names"]]
            return names, arrays["ops"], _values(arrays, protocol, ending, device)
    if protocol is Protocol.LATENCY:
        raise CallerError(f"{file}: the published files hold no latencies of devices")
    wanted = ("val_12", "test_200") if protocol is Protocol.CHEAP else ("test_200",)
    cells, values = read_nats_bench(file, ending, wanted)
    places = {name: place for place, name in enumerate(_OPERATIONS)}
    unknown = {op for cell in cells for op in cell} - set(places)
    if unknown or any(len(cell) != len(EDGES) for cell in cells):
        raise CallerError(f"{file}: its cells are not those of the topology space: {cells[0]}")
    codes = [[places[op] for op in cell] for cell in cells]
    return list(places), np.array(codes, dtype=np.uint8), values


def _read_columns(
    file: Path, ending: str, wanted: Sequence[str]
) -> tuple[list[str], npt.NDArray[np.uint8], dict[str, npt.NDArray[np.float64]]]:
    """As ``_read``, columns by name."""
    if is_nats_bench(file):
        raise CallerError(f"{file}: objectives by name are read from {FILE.name} only")
    if len(set(wanted)) < len(wanted):
        raise CallerError(f"NAS-Bench-201: objectives, each once, got {', '.join(wanted)}")
    with np.load(file, allow_pickle=False) as arrays:
        devices = [str(each) for each in arrays["latency_devices"]]
        names = [name for name in (*_ACCURACIES, *_SIZES) if f"{name}_{ending}" in arrays.files]
        known = dict.fromkeys([*names, *devices], "")
        values = {}
        for name in wanted:
            _one_of("objective", name, known)
            column = (
                arrays["latency_ms"][:, devices.index(name)]
                if name in devices
                else arrays[f"{name}_{ending}"]
            )
            values[name] = column.astype(np.float64)
        return [str(name) for name in arrays["op_names"]], arrays["ops"], values


def _values(
    arrays: np.lib.npyio.NpzFile, protocol: Protocol, ending: str, device: str
) -> dict[str, npt.NDArray[np.float64]]:
    """Metric name to column; what the search sees stands first."""
    truth = arrays[f"test_200_{ending}"].astype(np.float64)
    match protocol:
        case Protocol.DIRECT:
            return {"test_200": truth}
        case Protocol.CHEAP:
            return {"val_12": arrays[f"val_12_{ending}"].astype(np.float64), "test_200": truth}
        case Protocol.LATENCY:
            devices = [str(each) for each in arrays["latency_devices"]]
            _one_of("device", device, dict.fromkeys(devices, ""))
            latency = arrays["latency_ms"][:, devices.index(device)].astype(np.float64)
            return {"test_200": truth, "latency": latency}


def _searched(
    names: list[str],
    cells: npt.NDArray[np.uint8],
    values: dict[str, npt.NDArray[np.float64]],
    space: str,
) -> tuple[SearchSpace, Rows]:
    """The space and the rows by its vectors."""
    # One small cell tells networks apart as well as fifteen do, at a twentieth of the time.
    small = networks_space(cells=1, widths=(16,))
    searched = networks_space() if space == "networks" else None
    options = [str(option) for option in small.decisions[0].options]
    if searched is not None:
        codes = [options.index(_OPERATIONS[name]) for name in names]
        vectors = [tuple(codes[op] for op in cell) for cell in cells.tolist()]
        return searched, Rows(vectors, values)
    order = sorted(range(len(names)), key=lambda op: options.index(_OPERATIONS[names[op]]))
    plain = SearchSpace(
        decisions={edge: choice(*(names[op] for op in order)) for edge in EDGES}, name="nb201"
    )
    places = {op: place for place, op in enumerate(order)}
    vectors = [tuple(places[op] for op in cell) for cell in cells.tolist()]
    return plain, Rows(vectors, values, networks=small)


def _objective(name: str) -> Objective:
    direction = Direction.MAX if name in _ACCURACIES else Direction.MIN
    return Objective(name=name, direction=direction)


def _unit(objective: Objective) -> str:
    if objective.name in _SIZES:
        return "millions"
    return "points" if objective.name in _ACCURACIES else "ms"


def _one_of(what: str, word: str, known: dict[str, str]) -> str:
    if word not in known:
        raise CallerError(f"NAS-Bench-201 has no {what} {word!r}{meant_or_known(word, known)}")
    return known[word]
