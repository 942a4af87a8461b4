"""For processes that stay for days: the collector of garbage leaves alone what stays with them."""

from __future__ import annotations

import gc


def keep_what_is_there() -> None:
    """Call it once, when all is imported and set up, about 50 ms.

    What is there now is not looked through again: that would hold everything up for as long, in
    the middle of the work.
    """
    gc.collect()
    gc.freeze()
