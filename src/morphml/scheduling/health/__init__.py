"""Sick workers: thresholds for what is measured of them, and their history."""

from morphml.scheduling.health.history import History
from morphml.scheduling.health.monitor import Drain, HealthCommand, HealthMonitor, Recover
from morphml.scheduling.health.thresholds import (
    GPU_THRESHOLDS,
    THRESHOLDS,
    Figure,
    Figures,
    HealthRule,
    Threshold,
)

__all__ = [
    "GPU_THRESHOLDS",
    "THRESHOLDS",
    "Drain",
    "Figure",
    "Figures",
    "HealthCommand",
    "HealthMonitor",
    "HealthRule",
    "History",
    "Recover",
    "Threshold",
]
