"""How many failures in a row are more than chance."""

from __future__ import annotations

import math

#: Before anything is known, one in ten of two attempts is taken to have failed.
_PRIOR_FAILED, _PRIOR_ENDED = 0.2, 2.0


def surprising_row(failed: int, ended: int, chance: float) -> int:
    """The length of a row of failures that comes by chance with a probability of ``chance``.

    What usually fails is estimated by ``ended`` attempts of which ``failed`` did. A row so long,
    where as many as ever should fail, is a sign that something else is broken.

    Args:
        failed: failures, 0 to ``ended``.
        ended: attempts that ended.
        chance: above 0 and below 1.
    """
    share = (failed + _PRIOR_FAILED) / (ended + _PRIOR_ENDED)
    return math.ceil(math.log(chance) / math.log(share))
