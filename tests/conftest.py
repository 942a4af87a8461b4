"""What every test process needs first."""

from __future__ import annotations

import signal

# A shell starts its background jobs with Ctrl-C ignored, and children inherit that through exec:
# tests that interrupt a search would then wait for nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)
