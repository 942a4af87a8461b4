"""Registrations and beats as messages of the protocol, and back with every field checked."""

from __future__ import annotations

from morphml.engines.remote import checking
from morphml.engines.remote.messages import Beat, Figures, GpuFigures, Registration, ShutGpu
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.wire import attempt_from_proto, attempt_to_proto

_MOST_SLOTS = 10_000


def registration_to_proto(registration: Registration) -> pb.Registration:
    """The registration as a message."""
    return pb.Registration(
        worker_id=registration.worker,
        name=registration.name,
        morphml_version=registration.morphml_version,
        python_version=registration.python_version,
        protocol=registration.protocol,
        slots=registration.slots,
        capabilities=dict(registration.capabilities),
        attempts=map(attempt_to_proto, registration.attempts),
        results=map(attempt_to_proto, registration.results),
        bundles=registration.bundles,
        prepares=registration.prepares,
    )


def registration_from_proto(message: pb.Registration) -> Registration:
    """The registration that a message carries.

    Raises:
        ProtocolError: when a field has another form. The protocol's number is not judged.
    """
    worker = checking.identifier(message.worker_id, "worker_id")
    return Registration(
        worker=worker,
        name=checking.line(message.name, 200) or worker,
        morphml_version=checking.line(message.morphml_version, 64),
        python_version=checking.line(message.python_version, 64),
        protocol=message.protocol,
        slots=checking.whole(message.slots, "slots", 1, _MOST_SLOTS),
        capabilities=checking.numbers(message.capabilities, "capabilities", least=0.0),
        attempts=tuple(map(attempt_from_proto, message.attempts)),
        results=tuple(map(attempt_from_proto, message.results)),
        bundles=tuple(checking.identifier(each, "bundles") for each in message.bundles),
        prepares=message.prepares,
    )


def beat_to_proto(beat: Beat) -> pb.Beat:
    """The beat as a message."""
    figures = pb.Figures(
        cpu_percent=beat.figures.cpu_percent,
        memory_percent=beat.figures.memory_percent,
        disk_percent=beat.figures.disk_percent,
        disk_free=beat.figures.disk_free,
        disk_rate=beat.figures.disk_rate,
        network_rate=beat.figures.network_rate,
        gpus=[
            pb.Gpu(
                index=gpu.index,
                model=gpu.model,
                percent=gpu.percent,
                memory_percent=gpu.memory_percent,
                temperature_c=gpu.temperature_c,
                errors=gpu.errors,
            )
            for gpu in beat.figures.gpus
        ],
    )
    return pb.Beat(
        index=beat.index,
        figures=figures,
        running=beat.running,
        queued=beat.queued,
        unacknowledged=beat.unacknowledged,
        shut_gpus=[pb.ShutGpu(index=gpu.index, why=gpu.why) for gpu in beat.shut_gpus],
        shut_slots=beat.shut_slots,
    )


def beat_from_proto(message: pb.Beat) -> Beat:
    """The beat that a message carries.

    Raises:
        ProtocolError: when a field has another form.
    """
    return Beat(
        index=message.index,
        figures=_figures(message.figures),
        running=checking.tokens(message.running),
        queued=checking.tokens(message.queued),
        unacknowledged=checking.tokens(message.unacknowledged),
        shut_gpus=tuple(
            ShutGpu(index=gpu.index, why=checking.line(gpu.why, 512)) for gpu in message.shut_gpus
        ),
        shut_slots=message.shut_slots,
    )


def _figures(message: pb.Figures) -> Figures:
    has_free = message.HasField("disk_free")
    return Figures(
        cpu_percent=checking.finite(message.cpu_percent, "cpu_percent", least=0.0),
        memory_percent=checking.finite(message.memory_percent, "memory_percent", least=0.0),
        disk_percent=checking.finite(message.disk_percent, "disk_percent", least=0.0),
        disk_free=checking.finite(message.disk_free, "disk_free", least=0.0) if has_free else None,
        disk_rate=checking.finite(message.disk_rate, "disk_rate", least=0.0),
        network_rate=checking.finite(message.network_rate, "network_rate", least=0.0),
        gpus=tuple(
            GpuFigures(
                index=gpu.index,
                model=checking.line(gpu.model, 128),
                percent=checking.finite(gpu.percent, "percent", least=0.0),
                memory_percent=checking.finite(gpu.memory_percent, "memory_percent", least=0.0),
                temperature_c=checking.finite(gpu.temperature_c, "temperature_c"),
                errors=gpu.errors,
            )
            for gpu in message.gpus
        ),
    )
