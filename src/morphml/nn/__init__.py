"""Model graphs as PyTorch modules, and their export. Import from the modules here by name.

- `morphml.nn.framework`: `TorchFramework`, which `arch.build()` finds by entry point
- `morphml.nn.network`: `Network`, the module that is built

This file imports nothing, so that naming the room costs nothing; torch comes with the modules.
"""
