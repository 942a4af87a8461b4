"""How each operation of the catalogue becomes PyTorch, one family per file; no torch is imported.

A function here takes the `Site` of an operation and returns what to construct or to call there.
"""
