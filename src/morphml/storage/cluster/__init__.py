"""What several masters on one store do for each other."""

from morphml.storage.cluster.bundles import Bundles
from morphml.storage.cluster.face import Cluster
from morphml.storage.cluster.mail import Mail, MailBox, StoredMail
from morphml.storage.cluster.masters import MasterRow
from morphml.storage.cluster.orders import AttemptOrder, Orders, StoredOrder
from morphml.storage.cluster.rest_workers import RestWorker, RestWorkers
from morphml.storage.cluster.workers import WorkerRow, Workers
from morphml.storage.states import MailKind

__all__ = [
    "AttemptOrder",
    "Bundles",
    "Cluster",
    "Mail",
    "MailBox",
    "MailKind",
    "MasterRow",
    "Orders",
    "RestWorker",
    "RestWorkers",
    "StoredMail",
    "StoredOrder",
    "WorkerRow",
    "Workers",
]
