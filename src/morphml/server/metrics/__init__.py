"""Figures of a master for Prometheus."""

from morphml.server.metrics.collector import MasterCollector
from morphml.server.metrics.serving import MetricsServer

__all__ = ["MasterCollector", "MetricsServer"]
