from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from operation_cases import random_graph

import morphml as mm
from morphml import layers as L
from morphml import spaces
from morphml.errors import CallerError
from morphml.graph import ModelGraph, canonical
from morphml.nn.export.example import example_inputs
from morphml.nn.export.python_file import Facts, python_file
from morphml.nn.export.weights import renamed, save_weights, state_of
from morphml.nn.network import Network
from morphml.nn.plan import plan
from morphml.space import Architecture, SearchSpace

#: Runs in a process that cannot import MorphML; loads each exported file and compares.
JUDGE = """
import importlib.util, json, sys
from pathlib import Path

import torch

torch.set_num_threads(1)
sys.modules["morphml"] = None  # any import of it fails
results = {}
for file in sorted(Path(sys.argv[1]).glob("*.py")):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    case = torch.load(file.with_suffix(".case"), weights_only=True)
    with torch.no_grad():
        made = module.load()(*case["inputs"])
    made = made if isinstance(made, dict) else {"": made}
    assert made.keys() == case["outputs"].keys(), (file, list(made))
    results[file.stem] = max(
        float((made[name] - wanted).abs().max()) for name, wanted in case["outputs"].items()
    )
print(json.dumps(results))
"""


def two_sided() -> SearchSpace:
    """Two inputs, two outputs, a shared module, a tap."""
    return SearchSpace(
        inputs={"image": mm.Input((3, 8, 8)), "tokens": mm.Input((6,), dtype="int64")},
        layers=[
            mm.repeat(L.conv2d(mm.choice(4, 8)), L.relu(), times=mm.integer(1, 3), name="stem"),
            L.global_avg_pool(),
            L.dense(8),
            mm.tap("seen"),
            mm.join("tokens", how="replace"),
            L.embedding(30, 8),
            mm.choice(L.attention(2), L.gru(8), L.lstm(4, bidirectional=True)),
            L.pool_sequence(),
            L.shared(L.dense(8), name="again"),
            L.tanh(),
            L.shared(L.dense(8), name="again"),
            mm.join("seen", how=mm.choice("add", "concat")),
        ],
        outputs={"kind": L.dense(5), "size": mm.sequence(L.dense(4), L.relu(), L.dense(1))},
    )


def branching() -> SearchSpace:
    """Repeated blocks with branches, in stages of rising width."""

    def block(width: int) -> object:
        return mm.residual(
            mm.parallel(
                [
                    mm.sequence(L.conv2d(width), L.batch_norm(), L.relu()),
                    mm.sequence(
                        L.conv2d(width, kernel_size=mm.choice(1, 3)), L.batch_norm(), L.gelu()
                    ),
                    L.avg_pool2d(3, stride=1, padding="same"),
                ]
            )
        )

    return SearchSpace(
        input=(3, 8, 8),
        layers=[
            L.conv2d(4),
            mm.repeat(block(4), times=mm.integer(2, 4), name="narrow"),
            L.conv2d(8, stride=2),
            mm.repeat(block(8), times=3, tie=True, name="wide"),
            L.flatten(),
            L.output(7),
        ],
    )


SPACES = {
    "two_sided": two_sided,
    "branching": branching,
    "nasbench101": lambda: spaces.nasbench101(input=(3, 8, 8), width=8),
    "nasbench201": lambda: spaces.nasbench201(input=(3, 8, 8), cells=2, widths=(4, 8)),
    "darts": lambda: spaces.darts(input=(3, 8, 8), cells=4, width=4),
    "free_graph": lambda: mm.GraphSpace(
        input=(3, 6, 6),
        max_nodes=5,
        ops=[L.conv2d(4), L.conv2d(8, kernel_size=2), L.max_pool2d(3, 1, "same"), L.gelu()],
        head=[L.global_avg_pool(), L.output(3)],
    ),
    "cnn": lambda: spaces.cnn(input=(1, 12, 12)),
    "mlp": spaces.mlp,
    "unet": lambda: spaces.unet(input=(2, 16, 16), widths=(4, 8), depth=2),
    "mobilenet": lambda: spaces.mobilenet(input=(3, 32, 32), classes=10),
    "transformer": lambda: spaces.transformer(
        vocabulary=40, length=9, widths=(16, 32, 48), depth=3
    ),
}
MEMBERS = 4
GRAPHS = 30


def trained_a_little(architecture: Architecture, seed: int) -> Network:
    """The network with weights and running statistics that no fresh one has."""
    torch.manual_seed(seed)
    model = architecture.build()
    assert isinstance(model, Network)
    return changed(model, seed)


def changed(model: Network, seed: int) -> Network:
    torch.manual_seed(seed)
    model.train()
    for step in range(2):
        model(*example_inputs(model.plan, 4, seed=step))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.eval()


def export(architecture: Architecture, file: Path, seed: int) -> str:
    """Write a file with weights, and beside it what its outputs have to be."""
    model = trained_a_little(architecture, seed)
    architecture.to_python(file, weights=model)
    save_case(model, file)
    return file.read_text(encoding="utf-8")


def save_case(model: Network, file: Path) -> None:
    inputs = example_inputs(model.plan, 3, seed=99)
    with torch.no_grad():
        made = model(*inputs)
    outputs = made if isinstance(made, dict) else {"": made}
    torch.save({"inputs": inputs, "outputs": outputs}, file.with_suffix(".case"))


def export_graph(graph: ModelGraph, file: Path, seed: int) -> None:
    """The same for a graph that is in no space."""
    form = canonical(graph)
    facts = Facts(title="A random graph.", decisions={}, hyper={}, trained=True)
    exported = python_file(plan(form), facts, {})
    file.write_text(exported.source, encoding="utf-8")
    model = changed(Network(plan(form)), seed)
    save_weights(renamed(state_of(model), exported.names), file.with_suffix(".pt"))
    save_case(model, file)


def judged(folder: Path) -> dict[str, float]:
    """The largest difference of each file's outputs, found where MorphML cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-c", JUDGE, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Random members of every space, and random graphs, judged in one other process."""
    folder = tmp_path_factory.mktemp("exported")
    for seed in range(GRAPHS):
        export_graph(random_graph(seed), folder / f"graph_{seed}.py", seed)
    for name, make in SPACES.items():
        space, rng = make(), np.random.default_rng(5)
        for number in range(MEMBERS):
            source = export(space.sample(rng), folder / f"{name}_{number}.py", number)
            assert "morphml" not in source
    return judged(folder)


@pytest.mark.parametrize("name", SPACES)
def test_exported_file_gives_the_same_outputs_where_morphml_cannot_be_imported(
    name: str, differences: dict[str, float]
) -> None:
    found = [value for file, value in differences.items() if file.rpartition("_")[0] == name]
    assert len(found) == MEMBERS
    assert max(found) <= 1e-6


@pytest.mark.parametrize("name", SPACES)
def test_exported_file_is_short_lines_of_plain_code(name: str, tmp_path: Path) -> None:
    member = SPACES[name]().sample(np.random.default_rng(8))
    file = tmp_path / "model.py"
    member.to_python(file)
    source = file.read_text(encoding="utf-8")
    assert max(len(line) for line in source.splitlines()) <= 100
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= {"__future__", "pathlib", "torch", "torch.nn.functional"}
    assert not file.with_suffix(".pt").exists()
    assert "No weights were kept" in source


def test_exported_file_says_whether_weights_lie_beside_it(tmp_path: Path) -> None:
    member = branching().default()
    file = tmp_path / "model.py"
    member.to_python(file, weights=member.build())
    assert "lie beside this file" in file.read_text(encoding="utf-8")
    assert file.with_suffix(".pt").exists()


def test_repeated_blocks_become_one_class_and_a_sequence_of_it(tmp_path: Path) -> None:
    space = branching()
    member = space.member({"narrow/times": 3})
    file = tmp_path / "model.py"
    member.to_python(file)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.ClassDef)}
    assert len(classes) <= 5
    model = classes["Model"]
    assert model.count("nn.Conv2d") == 2, model  # the stem and the reduction; the rest is in blocks
    assert "for _ in range(3)" in model


def test_demonstration_runs_and_counts_the_parameters(tmp_path: Path) -> None:
    member = two_sided().sample(np.random.default_rng(2))
    file = tmp_path / "model.py"
    export(member, file, seed=1)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert f"{member.params:,} parameters" in done.stdout
    assert "kind: (1, 5)" in done.stdout
    assert "size: (1, 1)" in done.stdout


def test_exported_random_graphs_give_the_same_outputs(differences: dict[str, float]) -> None:
    found = {file: value for file, value in differences.items() if file.startswith("graph_")}
    assert len(found) == GRAPHS
    assert {file: value for file, value in found.items() if value > 1e-6} == {}


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    space = spaces.mlp()
    rng = np.random.default_rng(0)
    one, other = space.sample(rng), branching().sample(rng)
    with pytest.raises(CallerError, match="another architecture"):
        one.to_python(tmp_path / "model.py", weights=other.build())


def test_weights_can_be_given_as_a_state(tmp_path: Path) -> None:
    member = spaces.mlp().sample(np.random.default_rng(0))
    model = trained_a_little(member, 0)
    member.to_python(tmp_path / "model.py", weights=model.state_dict())
    saved = torch.load(tmp_path / "model.pt", weights_only=True)
    trained = [tensor for name, tensor in saved.items() if name.endswith(("weight", "bias"))]
    assert sum(tensor.numel() for tensor in trained) == member.params


class Scaled(torch.nn.Module):
    """A layer of this test's own."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(factor))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


OWN_LAYER = """
import torch
from torch import nn


class Doubled(nn.Module):
    def __init__(self, units, bias=True):
        super().__init__()
        self.dense = nn.LazyLinear(units, bias=bias)
        self.units = units

    def forward(self, x):
        return torch.cat([self.dense(x), self.dense(x)], dim=-1)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x):
        return x * self.factor


def doubled_shape(shape, units, bias=True):
    return (*shape[:-1], 2 * units)
"""


def test_layer_of_the_user_is_built_and_imported_by_the_exported_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_layers.py").write_text(OWN_LAYER, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    space = SearchSpace(
        input=(6,),
        layers=[
            L.dense(4),
            L.custom("own_layers:Scale", params=1, factor=mm.choice(2, 3)),
            L.output(3),
        ],
    )
    member = space.sample(np.random.default_rng(0))
    folder = tmp_path / "files"
    folder.mkdir()
    source = export(member, folder / "model.py", seed=0)
    assert "from own_layers import Scale" in source
    assert member.params == sum(p.numel() for p in trained_a_little(member, 0).parameters())
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert max(judged(folder).values()) <= 1e-6


def test_layer_given_as_a_class_is_built(tmp_path: Path) -> None:
    space = SearchSpace(input=(6,), layers=[L.custom(Scaled, params=1, factor=2.0), L.output(3)])
    model = space.default().build()
    assert isinstance(model, Network)
    assert sum(isinstance(module, Scaled) for module in model.modules()) == 1


def test_layer_that_no_import_reaches_is_refused_by_name(tmp_path: Path) -> None:
    class Local(Scaled):
        pass

    space = SearchSpace(input=(6,), layers=[L.custom(Local, params=1, factor=2.0), L.output(3)])
    with pytest.raises(CallerError, match=r"Local.*cannot be imported"):
        space.default().to_python(tmp_path / "model.py")
    assert not (tmp_path / "model.py").exists()


def built_by_hand(width: int, depth: int) -> torch.nn.Module:
    layers = [torch.nn.Linear(width, width) for _ in range(depth)]
    return torch.nn.Sequential(*layers)


def test_space_with_its_own_build_exports_decisions_and_weights_and_says_so(
    tmp_path: Path,
) -> None:
    space = SearchSpace(
        decisions={"width": mm.choice(4, 8), "depth": mm.integer(1, 3)}, build=built_by_hand
    )
    member = space.sample(np.random.default_rng(1))
    model = member.build()
    assert isinstance(model, torch.nn.Module)
    file = tmp_path / "model.py"
    member.to_python(file, weights=model)
    source = file.read_text(encoding="utf-8")
    assert "decisions and weights only" in source
    namespace: dict[str, object] = {"__file__": str(file), "__name__": "model"}
    exec(compile(source, file, "exec"), namespace)
    assert namespace["DECISIONS"] == member.decisions
    again = built_by_hand(**member.decisions)  # type: ignore[arg-type]
    again.load_state_dict(namespace["load_weights"]())  # type: ignore[operator]
    x = torch.randn(2, member.decisions["width"])  # type: ignore[call-overload]
    assert torch.equal(again(x), model(x))
