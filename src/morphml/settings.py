"""Settings, one value per part, read from the environment here and nowhere else."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from morphml.errors import CallerError

_USUAL_POLICY = "fair_share"


class Durability(StrEnum):
    """What an acknowledged commit survives."""

    #: The process's death (kill -9), not a power loss.
    NORMAL = "normal"
    #: A power loss too; one flush to the disk for each commit.
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """How the store keeps things."""

    #: ``MORPHML_DURABILITY``: what an acknowledged commit survives: ``normal`` the death of the
    #: process, ``full`` a power loss too.
    durability: Durability = Durability.NORMAL
    #: ``MORPHML_ARTIFACTS``: folder of the files of experiments whose store is a database server;
    #: by default ``morphml/artifacts`` in ``XDG_DATA_HOME``, which is ``~/.local/share`` where it
    #: is not set.
    artifacts: Path = Path("~/.local/share/morphml/artifacts")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSettings:
    """Where data sets are looked for."""

    #: ``MORPHML_DATA``: folder of data sets, or None.
    folder: Path | None = None
    #: ``MORPHML_DATA_CACHE``: where ``trial.dataset`` keeps data for the processes of this machine;
    #: by default ``morphml/data`` in ``XDG_CACHE_HOME``, which is ``~/.cache`` where it is not set.
    cache: Path = Path("~/.cache/morphml/data")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How a search ends."""

    #: ``MORPHML_STOP_GRACE``: seconds that trials have to obey an order to stop, once the time
    #: budget is spent, before they are cancelled; >= 0.
    stop_grace_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Who is let in."""

    #: ``MORPHML_TOKEN_FILE``: secrets by scope; by default ``morphml/tokens.json`` in
    #: ``XDG_CONFIG_HOME``, which is ``~/.config`` where it is not set.
    token_file: Path = Path("~/.config/morphml/tokens.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterDefaults:
    """What a master process takes where its operator says nothing."""

    #: ``MORPHML_POLICY``: who gets which task, and when; a name that ``morphml simulate`` knows.
    policy: str = _USUAL_POLICY


@dataclass(frozen=True, slots=True, kw_only=True)
class RestDefaults:
    """How a master serves REST where its operator says nothing."""

    #: ``MORPHML_REST``: host and port, or ``off``.
    address: str = "127.0.0.1:3000"
    #: ``MORPHML_REST_NAMES``: names with commas between, under which others may call it, beside
    #: addresses and this machine's own names.
    names: tuple[str, ...] = ()
    #: ``MORPHML_REST_RATE``: requests a second of one client, > 0; workers have no such limit.
    rate: float = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDefaults:
    """What a worker process takes where its operator says nothing."""

    #: ``MORPHML_WORKER_FOLDER``: files of attempts and bundles of code; by default
    #: ``morphml/worker`` in ``XDG_CACHE_HOME``, which is ``~/.cache`` where it is not set.
    folder: Path = Path("~/.cache/morphml/worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings."""

    store: StoreSettings = field(default_factory=StoreSettings)
    data: DataSettings = field(default_factory=DataSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    master: MasterDefaults = field(default_factory=MasterDefaults)
    rest: RestDefaults = field(default_factory=RestDefaults)
    worker: WorkerDefaults = field(default_factory=WorkerDefaults)
    search: SearchSettings = field(default_factory=SearchSettings)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment gives; defaults where it is silent.

    Args:
        environment: variables to read; the process's own by default.

    Raises:
        CallerError: when a variable has a value that is not allowed.
    """
    variables = os.environ if environment is None else environment
    word = variables.get("MORPHML_DURABILITY", Durability.NORMAL.value)
    try:
        durability = Durability(word)
    except ValueError:
        raise CallerError(
            f"MORPHML_DURABILITY: expected 'normal' or 'full', got {word!r}"
        ) from None
    folder = variables.get("MORPHML_DATA")
    return Settings(
        store=StoreSettings(durability=durability, artifacts=_artifacts(variables)),
        data=DataSettings(
            folder=Path(folder) if folder else None,
            cache=_cache(variables, "MORPHML_DATA_CACHE", "data"),
        ),
        access=AccessSettings(token_file=_token_file(variables)),
        master=MasterDefaults(policy=variables.get("MORPHML_POLICY") or _USUAL_POLICY),
        rest=_rest(variables),
        worker=WorkerDefaults(folder=_cache(variables, "MORPHML_WORKER_FOLDER", "worker")),
        search=SearchSettings(stop_grace_s=_seconds(variables, "MORPHML_STOP_GRACE", 30.0)),
    )


def _artifacts(variables: Mapping[str, str]) -> Path:
    given = variables.get("MORPHML_ARTIFACTS")
    if given:
        return Path(given).expanduser().resolve()
    data = Path(variables.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    return data / "morphml" / "artifacts"


def _token_file(variables: Mapping[str, str]) -> Path:
    named = variables.get("MORPHML_TOKEN_FILE")
    if named:
        return Path(named).expanduser()
    configuration = Path(variables.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return configuration / "morphml" / "tokens.json"


def _cache(variables: Mapping[str, str], name: str, part: str) -> Path:
    """The folder that a variable names, or that part of the user's cache."""
    named = variables.get(name)
    if named:
        return Path(named).expanduser().resolve()
    cache = Path(variables.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "morphml" / part


def _rest(variables: Mapping[str, str]) -> RestDefaults:
    usual = RestDefaults()
    word = variables.get("MORPHML_REST_RATE", str(usual.rate))
    try:
        rate = float(word)
    except ValueError:
        rate = math.nan
    if not 0.0 < rate < math.inf:
        raise CallerError(f"MORPHML_REST_RATE: expected a number above 0, got {word!r}")
    names = variables.get("MORPHML_REST_NAMES", "").split(",")
    return RestDefaults(
        address=variables.get("MORPHML_REST") or usual.address,
        names=tuple(name.strip() for name in names if name.strip()),
        rate=rate,
    )


def _seconds(variables: Mapping[str, str], name: str, default: float) -> float:
    word = variables.get(name)
    if word is None:
        return default
    try:
        seconds = float(word)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise CallerError(f"{name}: expected a number of seconds, 0 or more, got {word!r}")
    return seconds


def quieten_grpc() -> None:
    """Let gRPC write no lines of its own for every handshake that fails, unless asked to.

    ``GRPC_VERBOSITY`` is its only switch, read when its first channel or server is made.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
