"""From an evaluator to the folder that is sent; scripts are run as a person runs them."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from morphml.errors import EvaluatorError
from morphml.evaluation.bundle import bundle_root, extract, pack
from morphml.evaluation.training import Classification

#: Prints what ``bundle_root`` says of an evaluator, or its error.
TELL = """
import json
from morphml.errors import EvaluatorError
from morphml.evaluation.bundle import bundle_root
def tell(evaluator):
    try:
        found = bundle_root(evaluator)
        print(json.dumps([found.folder and str(found.folder), found.path]))
    except EvaluatorError as error:
        print(json.dumps(["error", str(error)]))
"""
EVALUATE = "def evaluate(arch, trial):\n    return 1.0\n"


def run(*arguments: str | Path, folder: Path, code: str | None = None) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=folder,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def guarded(body: str) -> str:
    return 'if __name__ == "__main__":\n' + "".join(f"    {line}\n" for line in body.splitlines())


def test_function_of_a_script_is_imported_by_the_name_of_its_file(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": TELL + EVALUATE + guarded("tell(evaluate)")})
    assert run("train.py", folder=tmp_path) == [str(tmp_path), "train:evaluate"]
    assert run(tmp_path / "train.py", folder=tmp_path.parent) == [str(tmp_path), "train:evaluate"]


def test_function_of_a_package_is_imported_from_above_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "src/package/__init__.py": "from package.deep.m import evaluate as shown\n",
            "src/package/deep/__init__.py": EVALUATE,
            "src/package/deep/m.py": EVALUATE + "class Net:\n    @staticmethod\n    "
            "def evaluate(arch, trial): pass\n",
            "src/package/__main__.py": TELL + EVALUATE + guarded("tell(evaluate)"),
            "src/tell.py": TELL + "import sys, importlib\n"
            "module, _, name = sys.argv[1].partition(':')\n"
            "found = importlib.import_module(module)\n"
            "for part in name.split('.'): found = getattr(found, part)\n"
            "tell(found); tell(sys.argv[1])",
        },
    )
    root = tmp_path / "src"
    for path, expected in {
        "package.deep.m:evaluate": "package.deep.m:evaluate",
        "package.deep.m:Net": "package.deep.m:Net",
        "package.deep.m:Net.evaluate": "package.deep.m:Net.evaluate",
        "package.deep:evaluate": "package.deep:evaluate",
    }.items():
        assert run("tell.py", path, folder=root) == [str(root), expected]
    assert run("-m", "package", folder=root) == [str(root), "package.__main__:evaluate"]


def test_reexported_function_goes_by_the_module_that_defines_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "package/__init__.py": "from package.m import evaluate\n",
            "package/m.py": EVALUATE,
            "main.py": TELL + "import package\n" + guarded("tell(package.evaluate)"),
        },
    )
    assert run("main.py", folder=tmp_path) == [str(tmp_path), "package.m:evaluate"]


def test_what_is_installed_does_not_travel() -> None:
    for evaluator in (json.dumps, "json:dumps", "pytest:fail", pytest.approx, Classification):
        assert bundle_root(evaluator).folder is None
    assert bundle_root("json:dumps").path == "json:dumps"


def test_bundle_of_a_root_can_be_imported_elsewhere(tmp_path: Path) -> None:
    """The whole way: script, root, bundle, other folder, import, call."""
    write(
        tmp_path / "project",
        {
            "train.py": "from model import VALUE\nimport morphml as mm\n"
            + TELL
            + "def evaluate(arch, trial):\n    return VALUE\n"
            + guarded("tell(evaluate)\nmm.search"),
            "model.py": "VALUE = 42.5\n",
            ".env": "SECRET=1",
        },
    )
    folder, path = run("train.py", folder=tmp_path / "project")
    packed = pack(Path(folder))
    assert packed.files == ("model.py", "train.py")
    target = extract(packed.data, tmp_path / "worker", packed.digest)
    code = (
        "import json; from morphml.evaluation.source import EvaluatorSource\n"
        f"print(json.dumps(EvaluatorSource.of({path!r}).load()(None, None)))"
    )
    assert run("-c", code, folder=target) == 42.5


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("mm.search(space, evaluate)", 4),
        ("result = mm.search(space, evaluate)", 4),
        ("from morphml import search as begin\nbegin(space, evaluate)", 5),
        ("from morphml.master import resume\nfor _ in range(3):\n    resume('x')", 6),
        ("with mm.Experiment(space) as experiment:\n    pass", 4),
        ("if True:\n    mm.search(space, evaluate)", 5),
        ("if __name__ == '__main__':\n    pass\nelse:\n    mm.search(space, evaluate)", 7),
        ("class A:\n    result = mm.search(space, evaluate)", 5),
    ],
)
def test_script_that_would_search_again_on_each_worker_is_refused(
    tmp_path: Path, call: str, line: int
) -> None:
    # The calls stand below an exit: this run of the script does not get to them.
    first = (
        "import morphml as mm\n"
        "def evaluate(arch, trial): return 1.0\n"
        "from telling import tell; tell(evaluate); raise SystemExit\n"
    )
    write(tmp_path, {"train.py": f"{first}{call}\n", "telling.py": TELL})
    kind, message = run("train.py", folder=tmp_path)
    assert kind == "error"
    assert f"train.py, line {line} calls" in message
    assert 'if __name__ == "__main__":' in message


@pytest.mark.parametrize(
    "harmless",
    [
        "def main():\n    mm.search(space, evaluate)",
        "begin = lambda: mm.search(space, evaluate)",
        "if '__main__' == __name__ and True:\n    other = 1",
        "import re; re.search('a', 'b')",
        "space = mm.choice(1, 2)",
    ],
)
def test_script_that_searches_only_when_it_is_run_is_taken(tmp_path: Path, harmless: str) -> None:
    code = f"import morphml as mm\n{TELL}{EVALUATE}{harmless}\n" + guarded(
        "tell(evaluate)\nraise SystemExit(0)\nmm.search(space, evaluate)"
    )
    write(tmp_path, {"train.py": code})
    assert run("train.py", folder=tmp_path) == [str(tmp_path), "train:evaluate"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("lambda arch, trial: 1.0", "is a lambda"),
        ("made()", "is a function within a function"),
        ("Net().score", "is a method of an object"),
        ("Net()", "an object of Net cannot be imported"),
        ("functools.partial(evaluate, None)", "an object of partial cannot be imported"),
        ("old", "leads to something else by now"),
        ("'train'", "has the form 'package.module:name'"),
        ("'nothing.here:evaluate'", "cannot be found"),
        ("'nothing:evaluate'", "there is no module 'nothing'"),
    ],
)
def test_what_cannot_be_imported_elsewhere_is_refused_with_a_way_out(
    tmp_path: Path, expression: str, reason: str
) -> None:
    code = (
        "import functools\n"
        + TELL
        + EVALUATE
        + "old = evaluate\n"
        + EVALUATE
        + "def made():\n    def inner(arch, trial): pass\n    return inner\n"
        + "class Net:\n    def score(self, arch, trial): pass\n"
        + "    def __call__(self, arch, trial): pass\n"
        + guarded(f"tell({expression})")
    )
    write(tmp_path, {"train.py": code})
    kind, message = run("train.py", folder=tmp_path)
    assert kind == "error"
    assert reason in message
    assert "evaluator" in message


def test_function_from_a_prompt_is_refused(tmp_path: Path) -> None:
    code = TELL + "\n" + EVALUATE + "\ntell(evaluate)\n"
    for arguments in (("-",), ("-c", code)):
        kind, message = run(*arguments, folder=tmp_path, code=code)
        assert kind == "error"
        assert "in a notebook or at a prompt" in message


def test_script_whose_name_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    code = TELL + EVALUATE + guarded("tell(evaluate)")
    write(tmp_path, {"my-train.py": code, "train.txt": code})
    for name in ("my-train.py", "train.txt"):
        kind, message = run(name, folder=tmp_path)
        assert kind == "error"
        assert "rename it" in message


def test_home_folder_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"train_at_home.py": EVALUATE})
    monkeypatch.syspath_prepend(tmp_path)
    assert bundle_root("train_at_home:evaluate").folder == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(EvaluatorError, match="folder of its own"):
        bundle_root("train_at_home:evaluate")


def test_wrapped_function_is_followed_to_its_name(tmp_path: Path) -> None:
    code = (
        "import functools\n"
        + TELL
        + "def twice(f):\n    @functools.wraps(f)\n    def g(arch, trial): return f(arch, trial)\n"
        + "    return g\n@twice\n"
        + EVALUATE
        + guarded("tell(evaluate)")
    )
    write(tmp_path, {"train.py": code})
    assert run("train.py", folder=tmp_path) == [str(tmp_path), "train:evaluate"]
    assert functools.WRAPPER_ASSIGNMENTS
