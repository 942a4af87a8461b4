"""Where an evaluator's code comes from, and how it reaches the process that runs it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Self, cast

from morphml.errors import EvaluatorError
from morphml.evaluation.contract import Evaluator
from morphml.evaluation.source_digest import digest_of
from morphml.hints import did_you_mean
from morphml.optimizers.events import JSON


@dataclass(frozen=True, slots=True)
class ByValue:
    """An evaluator that may go to other machines as a pickle; see ``by_value``."""

    evaluator: Evaluator


def by_value(evaluator: object) -> ByValue:
    """The evaluator, marked to go to other machines as a pickle: lambdas, closures, notebooks.

    Only masters and workers that were started with ``--allow-pickle`` take such an experiment: a
    pickle can do on the worker's machine whatever the worker's user can.

    Raises:
        EvaluatorError: when it is no evaluator.
    """
    return ByValue(_ready(evaluator, "evaluator"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorSource:
    """An evaluator, by import path or as the live object.

    A live object travels by value, as a pickle of the user's own making over a private pipe to the
    user's own child processes, and nowhere else.
    """

    #: Name that people see, such as ``pkg.module:evaluate`` or ``__main__:evaluate``.
    name: str
    #: ``package.module:attribute``, or None for a live object.
    path: str | None
    #: The object itself, or None when it is to be imported.
    live: Evaluator | None = field(default=None, compare=False, repr=False)
    #: Identifies code and settings for the result cache; None shares no result.
    digest: str | None = None
    #: Keyword arguments for the class that ``path`` leads to.
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    #: Whether a live object may go to other machines as a pickle.
    pickled: bool = False

    @classmethod
    def of(cls, evaluator: object) -> Self:
        """The source of an evaluator.

        Args:
            evaluator: a callable ``(arch, trial)``, a class of such objects, an import path
                ``package.module:attribute`` as text, or a source already.

        Raises:
            EvaluatorError: when it is none of them; a path is checked when it is loaded.
        """
        if isinstance(evaluator, cls):
            return evaluator
        if isinstance(evaluator, ByValue):
            return replace(cls.of(evaluator.evaluator), pickled=True)
        if isinstance(evaluator, str):
            module, _, attribute = evaluator.partition(":")
            if not module or not attribute:
                raise EvaluatorError(
                    f"evaluator: an import path has the form 'package.module:name', "
                    f"got {evaluator!r}"
                )
            source = cls(name=evaluator, path=evaluator)
            if module == "__main__":  # a child has another one
                return replace(source, path=None, live=source.load())
            return source
        live = _ready(evaluator, "evaluator")
        return cls(name=_name(evaluator), path=None, live=live, digest=digest_of(live))

    def load(self) -> Evaluator:
        """The evaluator itself.

        Raises:
            EvaluatorError: when the import path leads nowhere, the module cannot be imported (the
                cause says why), or what is there is no evaluator.
        """
        if self.live is not None:
            return self.live
        assert self.path is not None
        module, _, attribute = self.path.partition(":")
        found: object = self._imported(module)
        for part in attribute.split("."):
            if not hasattr(found, part):
                there = [name for name in dir(found) if not name.startswith("_")]
                raise EvaluatorError(
                    f"evaluator {self.path!r}: no {part!r} in {module!r}{did_you_mean(part, there)}"
                )
            found = getattr(found, part)
        if self.arguments:
            found = _made_with(found, self.arguments, f"evaluator {self.path!r}")
        return _ready(found, f"evaluator {self.path!r}")

    def _imported(self, module: str) -> ModuleType:
        try:
            return importlib.import_module(module)
        except (Exception, SystemExit) as error:
            absent = error.name if isinstance(error, ModuleNotFoundError) else None
            if absent is None or not f"{module}.".startswith(f"{absent}."):
                # Found, but it fails itself, or something that it imports is missing.
                raise EvaluatorError(
                    f"evaluator {self.path!r}: the import of {module!r} failed with "
                    f"{type(error).__name__}: {error}; try it with: python -c 'import {module}'"
                ) from error
            raise EvaluatorError(
                f"evaluator {self.path!r}: there is no module {absent!r}; check its name, and "
                "that its folder is on the import path (PYTHONPATH, or an installed package)"
            ) from None

    def resolved(self) -> Self:
        """The same source with the digest of an import path filled in; imports the module."""
        if self.digest is not None or self.path is None:
            return self
        return replace(self, digest=digest_of(self.load()))


def _made_with(kind: object, arguments: Mapping[str, JSON], what: str) -> object:
    """An object of a class, made with these arguments."""
    if not inspect.isclass(kind):
        raise EvaluatorError(f"{what}: only a class takes arguments, got {type(kind).__name__}")
    try:
        return kind(**arguments)
    except TypeError as error:
        raise EvaluatorError(
            f"{what}: its arguments {sorted(arguments)} do not fit: {error}"
        ) from None


def _made(kind: type, what: str) -> object:
    """An object of the class ``kind``, which is to need no arguments."""
    try:
        inspect.signature(kind).bind()
    except TypeError as error:
        name = kind.__qualname__
        raise EvaluatorError(
            f"{what}: {name} is a class that needs arguments ({error}); give an object of it, such "
            f"as {name}(...)"
        ) from None
    except ValueError:
        pass  # a class without a signature; the call itself will tell
    return kind()


def _ready(found: object, what: str) -> Evaluator:
    """``found`` as an evaluator; a class is called without arguments to make one."""
    if inspect.isclass(found):
        found = _made(found, what)
    if not callable(found):
        raise EvaluatorError(
            f"{what}: expected a function (arch, trial) or an object with __call__, "
            f"got {type(found).__name__}"
        )
    try:
        inspect.signature(found).bind(None, None)
    except TypeError as error:
        raise EvaluatorError(
            f"{what}: it is called with two arguments, (arch, trial): {error}"
        ) from None
    except ValueError:
        pass  # a built-in without a signature; the call itself will tell
    return cast("Evaluator", found)


def _name(evaluator: object) -> str:
    owner = evaluator if hasattr(evaluator, "__qualname__") else type(evaluator)
    module = getattr(owner, "__module__", None) or "?"
    return f"{module}:{getattr(owner, '__qualname__', type(evaluator).__name__)}"
