"""From an evaluator to the folder that is to be sent, and the path to import it by there."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from morphml.errors import EvaluatorError
from morphml.evaluation.bundle.guard import check_guarded

_OWN_FILE = (
    "write it at the top level of a .py file and give it from there, or name it as "
    "'package.module:function'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRoot:
    """How to reach an evaluator on another machine."""

    #: Folder to pack and to import from; None for what is installed, which does not travel.
    folder: Path | None
    #: ``package.module:attribute``, to be imported with the folder on the import path.
    path: str


def bundle_root(evaluator: object) -> BundleRoot:
    """Where an evaluator's code lies, and the path to import it by.

    A function of a script that is run (``__main__``) is imported by the name of its file. So the
    script must start its search under ``if __name__ == "__main__":``, or each worker would start
    it again: that is checked.

    Args:
        evaluator: a function or class at the top level of a module, or ``"package.module:name"``.

    Raises:
        EvaluatorError: when it cannot be imported anywhere else: a lambda, a function within a
            function, a method, an object, a notebook's function, or one in an unguarded script.
    """
    if isinstance(evaluator, str):
        return _of_path(evaluator)
    module_name, attribute = _place(evaluator)
    module = sys.modules.get(module_name)
    if module is None or _found(module, attribute) is not evaluator:
        raise EvaluatorError(
            f"evaluator {module_name}:{attribute}: that name leads to something else by now, so "
            f"no other machine could import it; {_OWN_FILE}"
        )
    if module_name == "__main__":
        return _of_main(module, attribute)
    return _of_module(module_name, _file_of(module, attribute), attribute)


def _of_path(text: str) -> BundleRoot:
    module_name, _, attribute = text.partition(":")
    if not module_name or not attribute:
        raise EvaluatorError(
            f"evaluator: an import path has the form 'package.module:name', got {text!r}"
        )
    if module_name == "__main__":
        return _of_main(sys.modules["__main__"], attribute)
    try:
        spec = importlib.util.find_spec(module_name)
    except (Exception, SystemExit) as error:
        raise EvaluatorError(
            f"evaluator {text!r}: {module_name!r} cannot be found ({error}); check its name, and "
            "that its folder is on the import path"
        ) from error
    if spec is None:
        raise EvaluatorError(
            f"evaluator {text!r}: there is no module {module_name!r}; check its name, and that its "
            "folder is on the import path (PYTHONPATH, or an installed package)"
        )
    file = Path(spec.origin) if spec.has_location and spec.origin else None
    return _of_module(module_name, file, attribute)


def _place(evaluator: object) -> tuple[str, str]:
    """Module and qualified name of a function or class that others can import."""
    if not (inspect.isroutine(evaluator) or inspect.isclass(evaluator)):
        raise EvaluatorError(
            f"evaluator: an object of {type(evaluator).__qualname__} cannot be imported by other "
            "machines; make it a variable at the top level of a module and name it as "
            "'package.module:variable', or give a function"
        )
    module = getattr(evaluator, "__module__", None) or "?"
    attribute: str = getattr(evaluator, "__qualname__", "?")
    if inspect.ismethod(evaluator):
        what = "a method of an object"
    elif attribute.rpartition(".")[2] == "<lambda>":
        what = "a lambda"
    elif "<locals>" in attribute:
        what = "a function within a function"
    else:
        return module, attribute
    raise EvaluatorError(
        f"evaluator {module}:{attribute}: is {what}, which other machines cannot import; "
        f"{_OWN_FILE}"
    )


def _found(module: ModuleType, attribute: str) -> object:
    found: object = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
    return found


def _file_of(module: ModuleType, attribute: str) -> Path | None:
    """The file of a module that is really one: the cells of a notebook have none."""
    name = getattr(module, "__file__", None)
    if name is None:
        return None
    try:
        source = inspect.getsourcefile(_code_owner(module, attribute))
    except TypeError:
        source = None  # compiled: the module's own file is all there is
    if source is not None and not Path(source).exists():
        return None
    return Path(name)


def _code_owner(module: ModuleType, attribute: str) -> type | ModuleType:
    found = _found(module, attribute)
    return inspect.unwrap(found) if inspect.isfunction(found) else module


def _of_main(module: ModuleType, attribute: str) -> BundleRoot:
    """A function of the program that was started."""
    spec = getattr(module, "__spec__", None)
    file = _file_of(module, attribute)
    if file is None or not file.is_file():
        raise EvaluatorError(
            f"evaluator {attribute}: was defined in a notebook or at a prompt, which other "
            f"machines cannot import; {_OWN_FILE}"
        )
    check_guarded(file, attribute)
    if spec is not None:  # python -m package.module
        return _of_module(spec.name, file, attribute)
    if not file.stem.isidentifier() or file.suffix != ".py":
        raise EvaluatorError(
            f"evaluator {attribute}: {file.name} cannot be imported by its name; rename it to "
            "letters, digits and underscores with the ending .py"
        )
    return _of_module(file.stem, file, attribute)


def _of_module(name: str, file: Path | None, attribute: str) -> BundleRoot:
    path = f"{name}:{attribute}"
    if file is None or name.partition(".")[0] == "morphml" or _is_installed(file):
        if file is None and name not in sys.builtin_module_names:
            raise EvaluatorError(
                f"evaluator {path}: its module has no source file that could be sent; {_OWN_FILE}"
            )
        return BundleRoot(folder=None, path=path)
    file = file.resolve()
    parts = name.split(".")
    own = file.parent if file.name == "__init__.py" else file.with_suffix("")
    if list(own.parts[-len(parts) :]) != parts:
        raise EvaluatorError(
            f"evaluator {path}: its file {file} does not lie where its name says; {_OWN_FILE}"
        )
    folder = own.parents[len(parts) - 1]
    if folder in (Path(folder.anchor), Path.home()):
        raise EvaluatorError(
            f"evaluator {path}: its folder {folder} holds everything else too; move the code into "
            "a folder of its own"
        )
    return BundleRoot(folder=folder, path=path)


def _is_installed(file: Path) -> bool:
    """Whether it came with Python or with pip: then workers have it, or it is to be installed."""
    if {"site-packages", "dist-packages"} & set(file.parts):
        return True
    library = Path(sysconfig.get_paths()["stdlib"]).resolve()
    return library in file.resolve().parents
