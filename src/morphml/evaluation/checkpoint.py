"""Checkpoints on disk: written whole or not at all, read without running code.

The only format is ``torch.save`` of tensors and plain values, read back with ``weights_only=True``:
a checkpoint comes from a worker, and nothing that a worker sends is unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol, runtime_checkable

from morphml.errors import EvaluatorError, MissingExtraError, WorkerError

_BLOCK = 1 << 20


@runtime_checkable
class Stateful(Protocol):
    """A model, optimizer or scheduler of torch, or anything of the same form."""

    def state_dict(self) -> Mapping[str, object]:
        """Its state: tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, object], /) -> object:
        """Take over a state."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What was read back."""

    #: Epochs done when it was saved.
    step: int
    #: Name to state, as given to ``save``; a ``Stateful`` comes back as its state.
    state: Mapping[str, object]
    #: State of torch's random generators, for ``restore_generators``.
    generators: Mapping[str, object]
    #: What the training is of, as given to ``save``.
    label: str = ""


def file_name(number: int, step: int, attempt_id: str) -> str:
    """Name of a checkpoint's file.

    Args:
        number: the trial's.
        step: epochs done.
        attempt_id: the public name of the attempt, never its token.
    """
    return f"{number:06d}-{step:05d}-{attempt_id[:8]}.pt"


def step_of(path: Path) -> int:
    """Epochs done, as the name of a checkpoint's file says.

    >>> step_of(Path(file_name(3, 12, "0123456789abcdef")))
    12
    """
    return int(path.name.split("-")[1])


def save(path: Path, step: int, state: Mapping[str, object], label: str = "") -> str:
    """Write a checkpoint and return the digest of the file, 32 hexadecimal digits.

    The file appears under its name only when it is complete and flushed to disk. The state of
    torch's random generators is saved with it, so that training goes on as if never interrupted.

    Args:
        path: the file; its folder is made.
        step: epochs done.
        state: name to ``Stateful``, tensor or plain value.
        label: what the training is of, for who is to tell trainings apart.

    Raises:
        EvaluatorError: when a state cannot be read back without running code.
        WorkerError: when the disk refuses.
    """
    torch = _torch()
    plain = {name: _plain(value) for name, value in state.items()}
    generators = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        generators["cuda"] = torch.cuda.get_rng_state()
    document = {"step": step, "state": plain, "generators": generators, "label": label}
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            torch.save(document, file)
            file.flush()
            os.fsync(file.fileno())
        _check_readable(torch, unfinished, path.name)
        found = file_digest(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise WorkerError(f"checkpoint {path} could not be written: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return found


def load(path: Path, device: str) -> Checkpoint:
    """Read a checkpoint; nothing else changes.

    Args:
        path: the file.
        device: where tensors go, such as ``cpu`` or ``cuda``.

    Raises:
        WorkerError: when the file is missing, cut off, or not a checkpoint.
    """
    torch = _torch()
    try:
        document = torch.load(path, map_location=device, weights_only=True)
        return Checkpoint(
            step=int(document["step"]),
            state=document["state"],
            generators=document["generators"],
            label=str(document.get("label", "")),
        )
    except Exception as error:
        raise WorkerError(f"checkpoint {path} could not be read: {error}") from error


def restore(checkpoint: Checkpoint, targets: Mapping[str, object]) -> None:
    """Give each target its state back.

    Raises:
        EvaluatorError: when a target has no state in the checkpoint, or refuses it.
    """
    for name, target in targets.items():
        if name not in checkpoint.state:
            known = ", ".join(sorted(checkpoint.state)) or "nothing"
            raise EvaluatorError(f"the checkpoint holds no state of {name!r}; it holds {known}")
        if isinstance(target, Stateful):
            state = checkpoint.state[name]
            assert isinstance(state, Mapping)
            target.load_state_dict(state)


def restore_generators(checkpoint: Checkpoint) -> None:
    """Put torch's random generators back to where they were when it was saved."""
    torch = _torch()
    for device, state in checkpoint.generators.items():
        assert isinstance(state, torch.Tensor)
        if device == "cpu":
            torch.set_rng_state(state.cpu())
        elif torch.cuda.is_available():
            torch.cuda.set_rng_state(state.cpu())


def file_digest(path: Path) -> str:
    """What ``morphml.ids.digest`` makes of a file's bytes, without loading it whole."""
    found = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _plain(value: object) -> object:
    return value.state_dict() if isinstance(value, Stateful) else value


def _check_readable(torch: ModuleType, path: Path, name: str) -> None:
    """Refuse now what ``load`` would refuse later, when the work is already lost."""
    try:
        torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        raise EvaluatorError(
            f"checkpoint {name}: a state holds something other than tensors and plain values, "
            f"which cannot be read back without running code: {error}"
        ) from error


def _torch() -> ModuleType:
    module = sys.modules.get("torch")
    if module is not None:
        return module
    try:
        import torch  # noqa: PLC0415  # heavy: only who saves a checkpoint pays for it
    except ImportError:
        raise MissingExtraError("saving checkpoints", extra="torch") from None
    return torch
