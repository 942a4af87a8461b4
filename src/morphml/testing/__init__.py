"""Fakes, stand-ins and public contract suites for stores, engines, optimizers and policies."""
