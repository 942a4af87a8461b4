from __future__ import annotations

import functools
import threading
from types import ModuleType

import pytest

from morphml.errors import EvaluatorError
from morphml.evaluation import EvaluatorSource
from morphml.evaluation.source_digest import digest_of
from morphml.evaluation.source_needs import needs_of

PLACE = "morphml.testing.engine_evaluators"


def plain(arch, trial):
    return 0.5


def make_closure(value):
    def inner(arch, trial):
        return value

    return inner


class WithSettings:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, arch, trial):
        return self.rate


class WithSlots:
    __slots__ = ("rate",)

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, arch, trial):
        return self.rate


class Declared(WithSettings):
    digest = "0" * 32


class Versioned(WithSettings):
    version = "3"


def test_source_of_a_function_is_the_function() -> None:
    source = EvaluatorSource.of(plain)
    assert source.load() is plain
    assert source.path is None
    assert source.name.endswith(":plain")


def test_source_of_a_class_is_an_object_of_it() -> None:
    class Ready:
        def __call__(self, arch, trial):
            return 1.0

    assert isinstance(EvaluatorSource.of(Ready).load(), Ready)


def test_source_of_a_path_is_imported_when_loaded() -> None:
    source = EvaluatorSource.of(f"{PLACE}:score")
    assert source.live is None
    assert source.load().__name__ == "score"
    assert source.digest is None
    assert source.resolved().digest == EvaluatorSource.of(source.load()).digest


@pytest.mark.parametrize(
    ("evaluator", "word"),
    [
        ("module", "package.module:name"),
        (":name", "package.module:name"),
        (3, "got int"),
        (lambda: 1, "two arguments"),
        (lambda arch: 1, "two arguments"),
        (lambda a, b, c: 1, "two arguments"),
    ],
)
def test_what_is_no_evaluator_is_refused_at_once(evaluator: object, word: str) -> None:
    with pytest.raises(EvaluatorError, match=word):
        EvaluatorSource.of(evaluator)


def test_path_to_something_else_is_refused_when_loaded() -> None:
    with pytest.raises(EvaluatorError, match="no 'nothing'"):
        EvaluatorSource.of(f"{PLACE}:nothing").load()
    with pytest.raises(EvaluatorError, match="got tuple"):
        EvaluatorSource.of(f"{PLACE}:WRONG_RESULTS").load()
    with pytest.raises(EvaluatorError, match="there is no module 'no_such_module_here'"):
        EvaluatorSource.of("no_such_module_here:f").load()


def test_digest_is_stable_and_depends_on_the_values_carried() -> None:
    assert digest_of(plain) == digest_of(plain)
    assert digest_of(make_closure(1)) == digest_of(make_closure(1))
    kinds = [plain, make_closure(1), make_closure(2), WithSettings(1), WithSettings(2)]
    found = [digest_of(kind) for kind in kinds]
    assert None not in found
    assert len(set(found)) == len(kinds)


@pytest.mark.parametrize(
    "evaluator",
    [
        make_closure(threading.Lock()),
        WithSettings(object()),
        functools.partial(plain),
        WithSlots(1),
        WithSettings(1).__call__,
        eval("lambda arch, trial: 1.0"),
    ],
)
def test_digest_is_none_where_it_cannot_be_known(evaluator: object) -> None:
    assert digest_of(evaluator) is None


def test_declared_digest_stands_for_everything() -> None:
    assert digest_of(Declared(object())) == "0" * 32


def test_declared_version_stands_for_code_and_for_values_that_are_not_plain() -> None:
    assert digest_of(Versioned(object())) == digest_of(Versioned(threading.Lock()))
    versioned = make_closure(threading.Lock())
    versioned.version = 1
    assert digest_of(versioned) is not None
    assert digest_of(versioned) == digest_of(versioned)


def test_plain_settings_and_the_digest_of_data_count_beside_a_declared_version() -> None:
    first, second, data, other_data = (Versioned(value) for value in (1, 2, object(), object()))
    data.data_digest, other_data.data_digest = "digits", "fashion"
    found = [digest_of(each) for each in (first, second, data, other_data, Versioned(object()))]
    assert None not in found
    assert len(set(found)) == len(found)
    assert digest_of(Versioned(2)) == digest_of(second)


def test_needs_are_read_off_the_code_and_what_it_calls() -> None:
    def builds(arch, trial):
        return arch.build()

    def imports_inside(arch, trial):
        import torch.nn

        return torch.nn

    assert needs_of(plain) == ()
    assert needs_of(builds) == ("torch",)
    assert needs_of(imports_inside) == ("torch",)
    assert needs_of(calls_a_helper) == ("torch",)


def test_needs_follow_a_module_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "renamed", ModuleType("torch.nn.functional"))
    assert needs_of(uses_renamed) == ("torch",)


def test_needs_can_be_declared() -> None:
    class Heavy(WithSettings):
        needs = ("sklearn",)

    assert needs_of(Heavy(1)) == ("sklearn",)


def calls_a_helper(arch, trial):
    return helper(arch)


def helper(arch):
    return arch.build()


def uses_renamed(arch, trial):
    return renamed.relu(arch)  # noqa: F821  # put there by the test
