"""``morphml optimizers``: what there is to choose from."""

from __future__ import annotations

import typer

from morphml.cli.guard import guard
from morphml.cli.options import AsJson
from morphml.cli.screen import results, table_of, write_json

HEADS = {"name": False, "use it": False, "a proposal costs": False, "source": False}


def optimizers(context: typer.Context, as_json: AsJson = False) -> None:
    """List the optimizers: when to use each, what a proposal costs, its settings and source."""
    with guard(context, as_json=as_json):
        # numpy takes a fifth of a second to import, and help and completion read this module.
        from morphml.optimizers import OPTIMIZERS, create_optimizer  # noqa: PLC0415
        from morphml.space import SearchSpace, real  # noqa: PLC0415

        if not as_json:
            rows = [(name, each.use, each.cost, each.source) for name, each in OPTIMIZERS.items()]
            table = table_of("", HEADS, rows)
            table.columns[0].no_wrap = True
            results().print(table)
            return
        anywhere = SearchSpace(decisions={"x": real(0.0, 1.0)})
        write_json(
            [
                {
                    "name": name,
                    "use": each.use,
                    "cost": each.cost,
                    "source": each.source,
                    "settings": dict(create_optimizer(name, anywhere).settings),
                }
                for name, each in OPTIMIZERS.items()
            ]
        )
