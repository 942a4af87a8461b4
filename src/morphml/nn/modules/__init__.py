"""Layers that PyTorch has not in one class.

Each class stands alone on torch, since `to_python` writes its source into exported files.
"""
