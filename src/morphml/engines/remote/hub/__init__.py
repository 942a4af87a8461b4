"""The master's side of workers: listens, places attempts, and tells drivers what happens."""

from morphml.engines.remote.hub.hub import Hub, identify
from morphml.engines.remote.hub.lane import Lane
from morphml.engines.remote.hub.reception import Identity
from morphml.engines.remote.hub.records import Records
from morphml.engines.remote.hub.settings import HubSettings, HubSettingsError
from morphml.engines.remote.hub.views import Glance, WaitingView, WorkerView

__all__ = [
    "Glance",
    "Hub",
    "HubSettings",
    "HubSettingsError",
    "Identity",
    "Lane",
    "Records",
    "WaitingView",
    "WorkerView",
    "identify",
]
