"""Experiment files: what is read, and how mistakes are told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from morphml.errors import CallerError, DocumentError
from morphml.search.experiment_file import experiment_schema, parse_experiment
from morphml.space.text import parse_space

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "experiment-file.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SPACE = "SearchSpace(input=(4,), layers=[L.dense(units=choice(8, 16)), L.output(2)])"
SMALL = f"""\
space: {SPACE}
evaluator: pkg.module:evaluate
objectives: {{accuracy: max}}
trials: 5
"""


def refusal(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_experiment(text, "e.yaml")
    return caught.value


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


# --- what is read ----------------------------------------------------------------------------


def test_page_shows_a_full_and_a_short_example() -> None:
    assert len(EXAMPLES) == 2


def test_full_example_of_the_page_is_read() -> None:
    file = parse_experiment(EXAMPLES[0], "experiment.yaml")
    space = parse_space(file.space)
    assert file.name == "fashion"
    assert [decision.path for decision in space.decisions][-1] == "hyper/lr"
    assert (file.evaluator.name, file.evaluator.settings) == ("my_package.training:evaluate", {})
    assert list((file.objectives or {}).items()) == [("accuracy", "max"), ("params", "min")]
    assert file.constraints == {"params": "<= 500_000"}
    assert file.optimizer.name == "evolution"
    assert file.optimizer.settings == {"population_size": 50}
    assert (file.trials, file.timeout, file.max_epochs, file.workers) == (200, 5400.0, 9, 4)
    assert (file.engine, file.storage, file.seed) == ("local", "fashion.db", 7)
    assert file.resources == {"cpu": 1}
    assert (file.time_limit, file.memory_limit) == (600.0, 4 * 1024**3)


def test_short_example_of_the_page_is_read() -> None:
    file = parse_experiment(EXAMPLES[1], "experiment.yaml")
    assert file.evaluator.name == "classification"
    assert file.evaluator.settings == {"data": "digits"}
    assert file.optimizer.name == "auto"
    assert file.workers is None
    assert file.options() == {"trials": 20}


def test_options_are_those_of_mm_search() -> None:
    from morphml.master.options import SearchOptions

    file = parse_experiment(EXAMPLES[0] + "target: 1\nepochs: 9\nrepeats: 1\n"
                            "deterministic: true\nreuse: true\npriority: 7\n"
                            "start: [{width: 32}]\n", "e.yaml")  # fmt: skip
    options = file.options()
    assert options.keys() == SearchOptions.__annotations__.keys()
    assert options["optimizer_settings"] == {"population_size": 50}
    assert options["fidelity"] == "asha"
    assert options["fidelity_settings"] == {"min_epochs": 1, "eta": 3}
    assert options["time_limit"] == 600.0


def test_page_names_every_field_and_shows_real_messages() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page[page.index("| field |") : page.index("Durations are")]
    fields = set(json.loads(experiment_schema())["properties"])
    assert fields == set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"\n\|([^|]+)\|", table))))
    shown = re.search(r"```text\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    text = changed("trials: 5", "trails: 5").replace("space:", "name: x\ntimeout: 1h\nspace:")
    text = text.replace("objectives: {", "objectives: {params: min, ")
    order = text.splitlines()
    order.insert(3, order.pop(5))
    with pytest.raises(DocumentError) as caught:
        parse_experiment("\n".join([*order, "workers: four"]), "experiment.yaml")
    assert str(caught.value).splitlines()[0] == shown[1].splitlines()[0]
    assert str(caught.value).splitlines()[1] == shown[1].splitlines()[1]


def test_json_is_read_like_yaml() -> None:
    as_json = json.dumps(yaml.safe_load(SMALL), indent=1)
    assert parse_experiment(as_json, "e.json") == parse_experiment(SMALL, "e.yaml")


def test_space_may_be_an_import_path() -> None:
    assert parse_experiment(changed(SPACE, "my.spaces:small"), "e").space == "my.spaces:small"


# --- mistakes --------------------------------------------------------------------------------

MISTAKES = {
    "unknown key": ("trials: 5", "trails: 5\ntimeout: 1h", 4, 1, "did you mean 'trials'?"),
    "missing key": ("evaluator: pkg.module:evaluate\n", "", 1, 1, "the key 'evaluator' is missing"),
    "unknown optimizer": ("trials: 5", "optimizer: evolutoin", 4, 12, "did you mean 'evolution'?"),
    "unknown setting": (
        "trials: 5",
        "optimizer: {evolution: {size: 5}}",
        4,
        12,
        "no setting 'size'",
    ),
    "text for a number": ("trials: 5", "trials: many", 4, 9, "valid integer, got 'many'"),
    "quoted number": ("trials: 5", "trials: '5'", 4, 9, "valid integer, got '5'"),
    "bool for a number": ("trials: 5", "trials: yes", 4, 9, "valid integer, got True"),
    "no trials": ("trials: 5", "trials: 0", 4, 9, "greater than or equal to 1, got 0"),
    "half a trial": ("trials: 5", "trials: 1.5", 4, 9, "valid integer, got 1.5"),
    "wrong direction": ("max}", "up}", 3, 24, "accuracy: expected 'min' or 'max'"),
    "no objective": ("{accuracy: max}", "{}", 3, 13, "at least 1 item"),
    "wrong constraint": ("trials: 5", "trials: 5\nconstraints: {params: small}", 5, 23, "'<= 500"),
    "wrong duration": ("trials: 5", "timeout: 5 weeks", 4, 10, "such as '90s' or '1h 30m'"),
    "negative duration": ("trials: 5", "timeout: -1", 4, 10, "greater than 0, got -1"),
    "wrong size": ("trials: 5", "trials: 5\nmemory_limit: big", 5, 15, "such as '500 MB'"),
    "unknown limit": ("trials: 5", "trials: 5\ntim_limit: 5", 5, 1, "mean 'time_limit'?"),
    "wrong engine": ("trials: 5", "trials: 5\nengine: locl", 5, 9, "'local', 'remote' or 'ray'"),
    "wrong evaluator": ("pkg.module:evaluate", "evaluate", 2, 12, "`package.module:function`"),
    "two evaluators": ("pkg.module:evaluate", "{a: 1, b: 2}", 2, 12, "expected a name, or one"),
    "evaluator without data": ("pkg.module:evaluate", "classification", 2, 12, "needs data"),
    "settings for a path": ("pkg.module:evaluate", "{'p:f': {a: 1}}", 2, 12, "only built-in"),
    "negative resource": ("trials: 5", "trials: 5\nresources: {gpu: -1}", 5, 18, "to 0, got -1"),
    "start that is no list": ("trials: 5", "trials: 5\nstart: {a: 1}", 5, 8, "valid list"),
    "start outside the space": (
        "trials: 5",
        "trials: 5\nstart:\n  - {dense/units: 8}\n  - {dense/units: 9}",
        7,
        5,
        "start.1: dense/units",
    ),
    "start with another path": ("trials: 5", "trials: 5\nstart: [{units: 8}]", 5, 9, "units"),
    "infinite target": ("trials: 5", "target: .inf", 4, 9, "finite number, got inf"),
    "list for a file": (SMALL, "[1, 2]", 1, 1, "expected keys such as `space:`"),
}


@pytest.mark.parametrize(("old", "new", "line", "column", "words"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_told_with_its_place(
    old: str, new: str, line: int, column: int, words: str
) -> None:
    error = refusal(changed(old, new))
    assert words in str(error)
    assert (error.line, error.column) == (line, column)
    assert isinstance(error, CallerError)


def test_all_mistakes_are_told_in_the_file_s_order() -> None:
    error = refusal(changed("trials: 5", "workers: -1\ntrails: 5\nseed: x\ntimeout: 5 weeks"))
    lines = str(error).splitlines()
    assert lines[0] == "e.yaml has 4 mistakes:"
    assert [line.split(",")[0].strip() for line in lines[1:]] == [f"line {n}" for n in (4, 5, 6, 7)]
    assert error.suggestion is None
    assert refusal(changed("trials: 5", "trials: 5\nsede: 1")).suggestion == "seed"


@pytest.mark.parametrize(
    ("field", "line", "column"),
    [
        ("space: SearchSpace(input=(4,), layers=[L.dens(8)])", 1, 40),
        ("space: 'SearchSpace(input=(4,), layers=[L.dens(8)])'", 1, 41),
        ("space: |\n  SearchSpace(\n    input=(4,),\n    layers=[L.dens(8)])", 4, 13),
        ("space: |\n\n    SearchSpace(input=(4,),\n      layers=[L.dens(8)])", 4, 15),
        ("space: >\n  SearchSpace(\n  input=(4,), layers=[L.dens(8)])", 1, 8),
    ],
)
def test_mistake_in_the_space_is_told_at_its_place_in_the_file(
    field: str, line: int, column: int
) -> None:
    error = refusal(changed(f"space: {SPACE}", field))
    assert "'L.dens' is not allowed; did you mean 'L.dense'?" in str(error)
    assert (error.line, error.column) == (line, column)
    assert error.suggestion == "L.dense"


# --- the schema ------------------------------------------------------------------------------


def test_published_schema_is_the_code_s() -> None:
    published = ROOT / "docs" / "schema" / "experiment.schema.json"
    assert published.read_text(encoding="utf-8") == experiment_schema(), "run `make docs`"


@pytest.mark.parametrize("text", [SMALL, *EXAMPLES])
def test_schema_accepts_what_the_parser_accepts(text: str) -> None:
    schema = json.loads(experiment_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(text), schema)


@pytest.mark.parametrize("name", ["unknown key", "missing key", "text for a number", "no trials",
                                  "wrong direction", "no objective", "wrong engine",
                                  "unknown limit", "negative resource"])  # fmt: skip
def test_schema_refuses_what_the_parser_refuses(name: str) -> None:
    old, new = MISTAKES[name][:2]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(changed(old, new)), json.loads(experiment_schema()))
