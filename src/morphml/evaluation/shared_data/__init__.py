"""Data sets that all processes of a machine read from the same memory.

What a loader returns is written once, as NumPy files in a folder of the machine, and mapped by
every process that asks for it: the system keeps one copy of its pages, whichever engine runs the
trials.
"""

from morphml.evaluation.shared_data.keeper import SharedData

__all__ = ["SharedData"]
