"""Reading an optimizer's settings from JSON, with errors that name the nearest right word."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from morphml.errors import OptimizerError
from morphml.hints import meant_or_known
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    SettingsT = TypeVar("SettingsT", bound=DataclassInstance)
else:
    SettingsT = TypeVar("SettingsT")


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoSettings:
    """For optimizers that have nothing to set."""


def read_settings(cls: type[SettingsT], optimizer: str, given: Mapping[str, JSON]) -> SettingsT:
    """The settings ``cls(**given)``, every name and type checked.

    The fields of ``cls`` are bool, int, float or str and say so by their default; an int is taken
    where a float is expected.

    Raises:
        OptimizerError: a name that ``cls`` does not have, or a value of the wrong type.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    values: dict[str, JSON] = {}
    for name, value in given.items():
        if name not in fields:
            raise OptimizerError(
                f"no setting {name!r}{meant_or_known(name, fields)}", optimizer=optimizer
            )
        values[name] = _checked(type(fields[name].default), value, optimizer, name)
    return cls(**values)


def write_settings(settings: DataclassInstance) -> Mapping[str, JSON]:
    """Every setting with its value; the inverse of ``read_settings``."""
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


def require_least(optimizer: str, setting: str, value: float, least: float) -> None:
    """Nothing when ``value >= least``.

    Raises:
        OptimizerError: otherwise; the message states the rule and the value got.
    """
    if not value >= least:
        raise OptimizerError(
            f"must be >= {least}, got {value}", optimizer=optimizer, setting=setting
        )


def require_share(optimizer: str, setting: str, value: float) -> None:
    """Nothing when ``0 <= value <= 1``.

    Raises:
        OptimizerError: otherwise; the message states the rule and the value got.
    """
    if not 0 <= value <= 1:
        raise OptimizerError(
            f"must be from 0 to 1, got {value}", optimizer=optimizer, setting=setting
        )


def require_one_of(optimizer: str, setting: str, value: str, words: Iterable[str]) -> None:
    """Nothing when ``value`` is one of ``words``.

    Raises:
        OptimizerError: otherwise; the message names the nearest word.
    """
    known = tuple(words)
    if value not in known:
        raise OptimizerError(
            f"no such choice {value!r}{meant_or_known(value, known)}",
            optimizer=optimizer,
            setting=setting,
        )


def _checked(kind: type, value: JSON, optimizer: str, name: str) -> JSON:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise OptimizerError(
            f"must be of type {kind.__name__}, got {value!r}", optimizer=optimizer, setting=name
        )
    return value
