"""All commands: where each is written, and what `morphml --help` says of it.

The modules are imported when their command is called or completed, so that help, version and the
names of commands need nothing but this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import typer

_SEARCH = "Search on this machine"
_RESULTS = "See what was found"
_CLUSTER = "Many machines"
_CARE = "Care"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command."""

    name: str
    #: Import path of its function or of its `Typer`, within ``morphml.cli``.
    path: str
    #: The first line of its docstring.
    help: str
    #: Heading that it stands under.
    panel: str
    #: Arguments of ``morphml`` that show how it is used.
    examples: tuple[str, ...]

    @property
    def epilog(self) -> str:
        """The examples as the last part of the command's help."""
        return "\n\n".join(["Examples", *(f"$ morphml {example}" for example in self.examples)])

    def load(self) -> Callable[..., None] | typer.Typer:
        """The function, or the `Typer` of a command with commands of its own."""
        module, _, attribute = self.path.partition(":")
        found: Callable[..., None] | typer.Typer
        found = getattr(import_module(f"morphml.cli.{module}"), attribute)
        return found


#: In the order of the help.
COMMANDS: tuple[Entry, ...] = (
    Entry(
        name="search",
        path="search:search",
        help="Run the search that a file describes; the options go before what the file says.",
        panel=_SEARCH,
        examples=("search experiment.yaml", "search experiment.yaml --workers 4 --trials 200"),
    ),
    Entry(
        name="resume",
        path="resume:resume",
        help="Go on with a search that was stopped, killed, or is to get more trials.",
        panel=_SEARCH,
        examples=(
            "resume experiment.db",
            "resume experiment.db digits --trials 400",
            "resume postgresql://morphml@db/search digits --masters",
        ),
    ),
    Entry(
        name="optimizers",
        path="optimizers:optimizers",
        help="List the optimizers and the rules of fidelity: when to use each, its cost and "
        "source.",
        panel=_SEARCH,
        examples=("optimizers", "optimizers --json"),
    ),
    Entry(
        name="bench",
        path="bench:bench",
        help="Compare optimizers on problems whose answers are known.",
        panel=_SEARCH,
        examples=(
            "bench list",
            "bench compare --optimizers all --benchmark nasbench201 --data-set cifar100 --seeds 50",
            "bench compare --benchmark runs.csv --decision width --objective error=min",
        ),
    ),
    Entry(
        name="list",
        path="listing:list_",
        help="List the experiments in a store, newest first.",
        panel=_RESULTS,
        examples=("list experiment.db", "list experiment.db --json"),
    ),
    Entry(
        name="show",
        path="show:show",
        help="Show where an experiment stands, its best trials, or one trial.",
        panel=_RESULTS,
        examples=("show experiment.db", "show experiment.db digits --trial 17"),
    ),
    Entry(
        name="export",
        path="export:export",
        help="Write the best architecture, all trials, or the report to a file.",
        panel=_RESULTS,
        examples=(
            "export experiment.db --to model.py",
            "export experiment.db digits --trial 17 --to model.onnx",
            "export experiment.db --to report.html",
        ),
    ),
    Entry(
        name="compare",
        path="compare:compare",
        help="Compare searches that have the same first objective.",
        panel=_RESULTS,
        examples=("compare a.db b.db", "compare a.db#random a.db#evolution --plot race.png"),
    ),
    Entry(
        name="master",
        path="master:master",
        help="Drive the experiments of a store, with workers on this and other machines.",
        panel=_CLUSTER,
        examples=(
            "master --storage search.db",
            "master --storage postgresql://morphml@db/search --listen 0.0.0.0:50051 "
            "--tls-cert server.pem --tls-key server.key",
        ),
    ),
    Entry(
        name="worker",
        path="worker:worker",
        help="Run trials that masters send, until SIGTERM or Ctrl-C.",
        panel=_CLUSTER,
        examples=(
            "worker --master 10.0.0.5",
            "worker --master a:50051,b:50051 --slots 4 --label site-a --token-file worker.json "
            "--tls-ca ca.pem",
        ),
    ),
    Entry(
        name="submit",
        path="submit:submit",
        help="Leave the search that a file describes to the masters of a store.",
        panel=_CLUSTER,
        examples=(
            "submit experiment.yaml --storage postgresql://morphml@db/search",
            "submit experiment.yaml --storage search.db --priority 8 --watch",
        ),
    ),
    Entry(
        name="status",
        path="status:status",
        help="Show the masters, workers and experiments of a store, and who drives what.",
        panel=_CLUSTER,
        examples=(
            "status postgresql://morphml@db/search",
            "status search.db --watch",
        ),
    ),
    Entry(
        name="stop",
        path="stop:stop",
        help="Ask whoever drives an experiment to stop; what was finished stays.",
        panel=_CLUSTER,
        examples=("stop search.db", "stop postgresql://morphml@db/search digits"),
    ),
    Entry(
        name="drain",
        path="drain:drain",
        help="Let workers finish what they run, take nothing more, and leave.",
        panel=_CLUSTER,
        examples=(
            "drain gpu-box-3 --storage postgresql://morphml@db/search",
            "drain gpu-box-3 gpu-box-4 --storage search.db --grace 600 --wait",
        ),
    ),
    Entry(
        name="tokens",
        path="tokens:tokens",
        help="Show where this machine's tokens are, or write a copy for another machine.",
        panel=_CLUSTER,
        examples=("tokens", "tokens worker.json --scope worker"),
    ),
    Entry(
        name="certs",
        path="certs:certs",
        help="Make a test authority with a server's and a client's certificate.",
        panel=_CLUSTER,
        examples=("certs certs", "certs certs --host master.example --host 10.0.0.5 --days 30"),
    ),
    Entry(
        name="simulate",
        path="simulate:simulate",
        help="Say how long work would take on a cluster, and how well each policy would use it.",
        panel=_CLUSTER,
        examples=(
            "simulate --workers 8 --slots 4 --tasks 1000 --duration 600",
            "simulate --workers 16 --from search.db#digits",
            "simulate --workers 100 --scenario heterogeneous,churn --policy all --plot out.html",
            "simulate --workers 10000 --policy all --plot out.html",
        ),
    ),
    Entry(
        name="workflow",
        path="workflow:workflow",
        help="Check and run pipelines of jobs.",
        panel=_CLUSTER,
        examples=(
            "workflow check pipeline.yaml",
            "workflow run pipeline.yaml",
            "workflow status pipeline.db",
        ),
    ),
    Entry(
        name="storage",
        path="storage:storage",
        help="Migrate a store, copy it into another one, or look it over.",
        panel=_CARE,
        examples=(
            "storage migrate postgresql://morphml@db/search",
            "storage copy search.db postgresql://morphml@db/search",
            "storage check search.db",
        ),
    ),
    Entry(
        name="replay",
        path="replay:replay",
        help="Ask every proposal of a stored log again, from its own prefix, and compare.",
        panel=_CARE,
        examples=("replay experiment.db --check",),
    ),
    Entry(
        name="doctor",
        path="doctor:doctor",
        help="Check Python, torch, GPU, disk and optional parts.",
        panel=_CARE,
        examples=("doctor", "doctor --json"),
    ),
)
