from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import morphml as mm
from morphml import layers as L
from morphml import spaces
from morphml.errors import CallerError
from morphml.nn.export.example import example_inputs
from morphml.nn.export.files import EXPORTER_LOG
from morphml.nn.framework import TorchFramework
from morphml.nn.network import Network
from morphml.space import Architecture, Block, SearchSpace


def image_to_two_heads() -> SearchSpace:
    return SearchSpace(
        inputs={"image": mm.Input((3, 8, 8)), "row": mm.Input((5,))},
        layers=[
            L.conv2d(6, kernel_size=mm.choice(2, 3), stride=2),
            L.batch_norm(),
            L.relu(),
            mm.residual(mm.sequence(L.depthwise_conv2d(), L.squeeze_excite())),
            L.global_avg_pool(),
            mm.join("row", how="concat"),
        ],
        outputs={"kind": L.dense(4), "size": L.dense(1)},
    )


def sequences(last: Block) -> SearchSpace:
    return SearchSpace(
        input=mm.Input((7,), dtype="int64"),
        layers=[
            L.embedding(20, 8),
            L.positional_embedding(),
            L.transformer_block(heads=2),
            last,
            L.flatten(),
            L.output(3),
        ],
    )


SPACES = {
    "image_to_two_heads": image_to_two_heads,
    "attention": lambda: sequences(L.attention(2)),
    "gru": lambda: sequences(L.gru(6, layers=2, bidirectional=True)),
    "lstm": lambda: sequences(L.lstm(6, sequences=False)),
    "cnn": lambda: spaces.cnn(input=(1, 12, 12)),
}
#: The export to ONNX takes seconds for each.
ONNX = ("image_to_two_heads", "attention", "lstm")


def member_and_model(name: str) -> tuple[Architecture, Network]:
    member = SPACES[name]().sample(np.random.default_rng(4))
    torch.manual_seed(0)
    model = member.build()
    assert isinstance(model, Network)
    return member, model.eval()


def answers(model: Network, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    with torch.no_grad():
        made = model(*inputs)
    return list(made.values()) if isinstance(made, dict) else [made]


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("name", ONNX)
def test_onnx_runtime_gives_the_same_outputs_for_any_batch(
    name: str, batch: int, onnx_files: dict[str, Path]
) -> None:
    _, model = member_and_model(name)
    inputs = example_inputs(model.plan, batch, seed=3)
    session = onnxruntime.InferenceSession(onnx_files[name], providers=["CPUExecutionProvider"])
    names = [slot.name for slot in model.plan.inputs]
    assert [i.name for i in session.get_inputs()] == names
    assert [o.name for o in session.get_outputs()] == [name for name, _ in model.plan.outputs]
    feed = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
    for made, wanted in zip(session.run(None, feed), answers(model, inputs), strict=True):
        assert made.shape == tuple(wanted.shape)
        np.testing.assert_allclose(made, wanted.numpy(), atol=1e-5)


@pytest.fixture(scope="module")
def onnx_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    files = {}
    for name in ONNX:
        member, model = member_and_model(name)
        files[name] = folder / f"{name}.onnx"
        member.to_onnx(files[name], weights=model)
    return files


def test_onnx_export_says_nothing_of_libraries_that_are_not_installed(tmp_path: Path) -> None:
    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    heard: list[str] = []
    log = logging.getLogger(EXPORTER_LOG)
    log.addHandler(listening := Listening())
    try:
        member, _ = member_and_model("lstm")
        member.to_onnx(tmp_path / "model.onnx")
        assert heard == []
        log.warning("the level is what it was")
        assert heard == ["the level is what it was"]
    finally:
        log.removeHandler(listening)


@pytest.mark.parametrize("name", SPACES)
def test_torch_export_program_gives_the_same_outputs_for_another_batch(
    name: str, tmp_path: Path
) -> None:
    member, model = member_and_model(name)
    TorchFramework().to_program(member, tmp_path / "model.pt2", weights=model)
    again = torch.export.load(tmp_path / "model.pt2").module()
    inputs = example_inputs(model.plan, 5, seed=3)
    for made, wanted in zip(answers(again, inputs), answers(model, inputs), strict=True):
        torch.testing.assert_close(made, wanted, atol=1e-6, rtol=0)


@pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", SPACES)
def test_torchscript_gives_the_same_outputs(name: str, tmp_path: Path) -> None:
    member, model = member_and_model(name)
    TorchFramework().to_torchscript(member, tmp_path / "model.ts", weights=model.state_dict())
    again = torch.jit.load(tmp_path / "model.ts")
    inputs = example_inputs(model.plan, 5, seed=3)
    for made, wanted in zip(answers(again, inputs), answers(model, inputs), strict=True):
        torch.testing.assert_close(made, wanted, atol=1e-6, rtol=0)


def test_space_without_a_graph_is_refused_with_what_to_do(tmp_path: Path) -> None:
    space = SearchSpace(decisions={"width": mm.choice(4, 8)}, build=torch.nn.Identity)
    with pytest.raises(CallerError, match="call its own function"):
        space.default().to_onnx(tmp_path / "model.onnx")


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    member, _ = member_and_model("cnn")
    _, other = member_and_model("lstm")
    with pytest.raises(CallerError, match="another architecture"):
        member.to_onnx(tmp_path / "model.onnx", weights=other)
