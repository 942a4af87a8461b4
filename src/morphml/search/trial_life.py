"""The life of a trial as the log tells it: all its states and what leads from one to the next.

``docs/states.md`` is drawn from the table. What a retry does is the life of a task; a trial stays
pending through all its attempts.
"""

from __future__ import annotations

from morphml.optimizers.events import Cancelled, Paused, Promoted, Reported, Told
from morphml.scheduling.transitions import Table
from morphml.search.experiment import TrialState

_S = TrialState

TRANSITIONS: Table[TrialState] = {
    (_S.PENDING, Reported): (_S.PENDING,),
    # The segment ended at a rung: no slot is held, and the checkpoint is kept.
    (_S.PENDING, Paused): (_S.PAUSED,),
    (_S.PENDING, Told): (_S.COMPLETED, _S.PRUNED, _S.FAILED, _S.DEAD),
    (_S.PENDING, Cancelled): (_S.CANCELLED,),
    (_S.PAUSED, Promoted): (_S.PENDING,),
    # The search is over, and nothing will promote it.
    (_S.PAUSED, Told): (_S.PRUNED,),
    (_S.PAUSED, Cancelled): (_S.CANCELLED,),
}
