"""``morphml optimizers``: what there is to choose from."""

from __future__ import annotations

import typer

from morphml.cli.guard import guard
from morphml.cli.options import AsJson
from morphml.cli.screen import results, table_of, write_json

HEADS = {"name": False, "use it": False, "a proposal costs": False, "source": False}
BOTH_HEADS = {"name": False, "is": False, "use it": False, "source": False}
RULE_HEADS = {"fidelity": False, "use it": False, "source": False}


def optimizers(context: typer.Context, as_json: AsJson = False) -> None:
    """List the optimizers and the rules of fidelity: when to use each, its cost and source."""
    with guard(context, as_json=as_json):
        # numpy takes a fifth of a second to import, and help and completion read this module.
        from morphml.optimizers import OPTIMIZERS  # noqa: PLC0415
        from morphml.search.catalogue import catalogue  # noqa: PLC0415
        from morphml.search.fidelity import COMBINATIONS, FIDELITIES  # noqa: PLC0415

        if not as_json:
            rows = [(name, each.use, each.cost, each.source) for name, each in OPTIMIZERS.items()]
            table = table_of("", HEADS, rows)
            table.columns[0].no_wrap = True
            results().print(table)
            rows = [
                (n, f"{c.optimizer} + {c.fidelity}", c.use, c.source)
                for n, c in COMBINATIONS.items()
            ]
            results().print(table_of("Optimizers with a rule of fidelity", BOTH_HEADS, rows))
            rules = [(name, each.use, each.source) for name, each in FIDELITIES.items()]
            results().print(table_of("Rules of fidelity, beside any optimizer", RULE_HEADS, rules))
            return
        write_json(list(catalogue()))
