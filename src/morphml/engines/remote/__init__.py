"""Attempts on other machines: workers dial a master and keep one gRPC stream to it."""
