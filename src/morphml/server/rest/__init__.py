"""The REST face of a store: routes parse, call and render; everything else stands below.

Needs the extra ``server``.
"""

from __future__ import annotations
