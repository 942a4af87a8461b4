from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[WorkerEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[WorkerEvent, _Mapping]]] = ...) -> None: ...

class WorkerEvent(_message.Message):
    __slots__ = ("registration", "beat", "accepted", "started", "report", "log", "saved", "result", "returned", "leaving", "draining", "prepared")
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    BEAT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    PREPARED_FIELD_NUMBER: _ClassVar[int]
    registration: Registration
    beat: Beat
    accepted: Accepted
    started: Started
    report: Report
    log: Log
    saved: Saved
    result: Result
    returned: Returned
    leaving: Leaving
    draining: Draining
    prepared: Prepared
    def __init__(self, registration: _Optional[_Union[Registration, _Mapping]] = ..., beat: _Optional[_Union[Beat, _Mapping]] = ..., accepted: _Optional[_Union[Accepted, _Mapping]] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., report: _Optional[_Union[Report, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., saved: _Optional[_Union[Saved, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., returned: _Optional[_Union[Returned, _Mapping]] = ..., leaving: _Optional[_Union[Leaving, _Mapping]] = ..., draining: _Optional[_Union[Draining, _Mapping]] = ..., prepared: _Optional[_Union[Prepared, _Mapping]] = ...) -> None: ...

class WorkResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[MasterEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[MasterEvent, _Mapping]]] = ...) -> None: ...

class MasterEvent(_message.Message):
    __slots__ = ("welcome", "context", "task", "order", "acknowledged", "beat_seen", "drain", "verdict", "masters")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    BEAT_SEEN_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    MASTERS_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    context: Context
    task: Task
    order: Order
    acknowledged: Acknowledged
    beat_seen: BeatSeen
    drain: Drain
    verdict: Verdict
    masters: Masters
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., context: _Optional[_Union[Context, _Mapping]] = ..., task: _Optional[_Union[Task, _Mapping]] = ..., order: _Optional[_Union[Order, _Mapping]] = ..., acknowledged: _Optional[_Union[Acknowledged, _Mapping]] = ..., beat_seen: _Optional[_Union[BeatSeen, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., masters: _Optional[_Union[Masters, _Mapping]] = ...) -> None: ...

class Registration(_message.Message):
    __slots__ = ("worker_id", "name", "morphml_version", "python_version", "protocol", "slots", "capabilities", "attempts", "results", "bundles", "prepares")
    class CapabilitiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MORPHML_VERSION_FIELD_NUMBER: _ClassVar[int]
    PYTHON_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    BUNDLES_FIELD_NUMBER: _ClassVar[int]
    PREPARES_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    name: str
    morphml_version: str
    python_version: str
    protocol: int
    slots: int
    capabilities: _containers.ScalarMap[str, float]
    attempts: _containers.RepeatedCompositeFieldContainer[AttemptName]
    results: _containers.RepeatedCompositeFieldContainer[AttemptName]
    bundles: _containers.RepeatedScalarFieldContainer[str]
    prepares: bool
    def __init__(self, worker_id: _Optional[str] = ..., name: _Optional[str] = ..., morphml_version: _Optional[str] = ..., python_version: _Optional[str] = ..., protocol: _Optional[int] = ..., slots: _Optional[int] = ..., capabilities: _Optional[_Mapping[str, float]] = ..., attempts: _Optional[_Iterable[_Union[AttemptName, _Mapping]]] = ..., results: _Optional[_Iterable[_Union[AttemptName, _Mapping]]] = ..., bundles: _Optional[_Iterable[str]] = ..., prepares: _Optional[bool] = ...) -> None: ...

class AttemptName(_message.Message):
    __slots__ = ("token", "owner", "number", "segment")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    token: str
    owner: str
    number: int
    segment: int
    def __init__(self, token: _Optional[str] = ..., owner: _Optional[str] = ..., number: _Optional[int] = ..., segment: _Optional[int] = ...) -> None: ...

class Beat(_message.Message):
    __slots__ = ("index", "figures", "running", "queued", "unacknowledged", "shut_gpus", "shut_slots")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    UNACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    SHUT_GPUS_FIELD_NUMBER: _ClassVar[int]
    SHUT_SLOTS_FIELD_NUMBER: _ClassVar[int]
    index: int
    figures: Figures
    running: _containers.RepeatedScalarFieldContainer[str]
    queued: _containers.RepeatedScalarFieldContainer[str]
    unacknowledged: _containers.RepeatedScalarFieldContainer[str]
    shut_gpus: _containers.RepeatedCompositeFieldContainer[ShutGpu]
    shut_slots: int
    def __init__(self, index: _Optional[int] = ..., figures: _Optional[_Union[Figures, _Mapping]] = ..., running: _Optional[_Iterable[str]] = ..., queued: _Optional[_Iterable[str]] = ..., unacknowledged: _Optional[_Iterable[str]] = ..., shut_gpus: _Optional[_Iterable[_Union[ShutGpu, _Mapping]]] = ..., shut_slots: _Optional[int] = ...) -> None: ...

class ShutGpu(_message.Message):
    __slots__ = ("index", "why")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    index: int
    why: str
    def __init__(self, index: _Optional[int] = ..., why: _Optional[str] = ...) -> None: ...

class Figures(_message.Message):
    __slots__ = ("cpu_percent", "memory_percent", "disk_percent", "gpus", "disk_free", "disk_rate", "network_rate")
    CPU_PERCENT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_PERCENT_FIELD_NUMBER: _ClassVar[int]
    DISK_PERCENT_FIELD_NUMBER: _ClassVar[int]
    GPUS_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_FIELD_NUMBER: _ClassVar[int]
    DISK_RATE_FIELD_NUMBER: _ClassVar[int]
    NETWORK_RATE_FIELD_NUMBER: _ClassVar[int]
    cpu_percent: float
    memory_percent: float
    disk_percent: float
    gpus: _containers.RepeatedCompositeFieldContainer[Gpu]
    disk_free: float
    disk_rate: float
    network_rate: float
    def __init__(self, cpu_percent: _Optional[float] = ..., memory_percent: _Optional[float] = ..., disk_percent: _Optional[float] = ..., gpus: _Optional[_Iterable[_Union[Gpu, _Mapping]]] = ..., disk_free: _Optional[float] = ..., disk_rate: _Optional[float] = ..., network_rate: _Optional[float] = ...) -> None: ...

class Gpu(_message.Message):
    __slots__ = ("index", "model", "percent", "memory_percent", "temperature_c", "errors")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_PERCENT_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_C_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    index: int
    model: str
    percent: float
    memory_percent: float
    temperature_c: float
    errors: int
    def __init__(self, index: _Optional[int] = ..., model: _Optional[str] = ..., percent: _Optional[float] = ..., memory_percent: _Optional[float] = ..., temperature_c: _Optional[float] = ..., errors: _Optional[int] = ...) -> None: ...

class Accepted(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("token", "slot", "at")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    token: str
    slot: str
    at: float
    def __init__(self, token: _Optional[str] = ..., slot: _Optional[str] = ..., at: _Optional[float] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("token", "step", "metrics")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    token: str
    step: int
    metrics: _containers.ScalarMap[str, float]
    def __init__(self, token: _Optional[str] = ..., step: _Optional[int] = ..., metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("token", "stream", "text")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    token: str
    stream: str
    text: str
    def __init__(self, token: _Optional[str] = ..., stream: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Saved(_message.Message):
    __slots__ = ("token", "step", "digest", "size")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    token: str
    step: int
    digest: str
    size: int
    def __init__(self, token: _Optional[str] = ..., step: _Optional[int] = ..., digest: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("attempt", "slot", "started_at", "duration_s", "succeeded", "failed", "stopped", "paused", "cancelled")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    attempt: AttemptName
    slot: str
    started_at: float
    duration_s: float
    succeeded: Succeeded
    failed: Failed
    stopped: Stopped
    paused: Paused
    cancelled: Cancelled
    def __init__(self, attempt: _Optional[_Union[AttemptName, _Mapping]] = ..., slot: _Optional[str] = ..., started_at: _Optional[float] = ..., duration_s: _Optional[float] = ..., succeeded: _Optional[_Union[Succeeded, _Mapping]] = ..., failed: _Optional[_Union[Failed, _Mapping]] = ..., stopped: _Optional[_Union[Stopped, _Mapping]] = ..., paused: _Optional[_Union[Paused, _Mapping]] = ..., cancelled: _Optional[_Union[Cancelled, _Mapping]] = ...) -> None: ...

class Succeeded(_message.Message):
    __slots__ = ("metrics", "outputs")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    METRICS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.ScalarMap[str, float]
    outputs: bytes
    def __init__(self, metrics: _Optional[_Mapping[str, float]] = ..., outputs: _Optional[bytes] = ...) -> None: ...

class Failed(_message.Message):
    __slots__ = ("kind", "error_type", "message", "traceback", "digest", "gpus")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    GPUS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    error_type: str
    message: str
    traceback: str
    digest: str
    gpus: str
    def __init__(self, kind: _Optional[str] = ..., error_type: _Optional[str] = ..., message: _Optional[str] = ..., traceback: _Optional[str] = ..., digest: _Optional[str] = ..., gpus: _Optional[str] = ...) -> None: ...

class Stopped(_message.Message):
    __slots__ = ("metrics",)
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    METRICS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.ScalarMap[str, float]
    def __init__(self, metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Paused(_message.Message):
    __slots__ = ("step", "metrics")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    STEP_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    step: int
    metrics: _containers.ScalarMap[str, float]
    def __init__(self, step: _Optional[int] = ..., metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Cancelled(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Returned(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class Draining(_message.Message):
    __slots__ = ("reason", "grace_s")
    REASON_FIELD_NUMBER: _ClassVar[int]
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    reason: str
    grace_s: float
    def __init__(self, reason: _Optional[str] = ..., grace_s: _Optional[float] = ...) -> None: ...

class Prepared(_message.Message):
    __slots__ = ("experiment",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    def __init__(self, experiment: _Optional[str] = ...) -> None: ...

class Leaving(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("master", "protocol", "beat_s", "patience_s", "store", "masters", "refusal", "warning")
    MASTER_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    BEAT_S_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_S_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    MASTERS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    master: str
    protocol: int
    beat_s: float
    patience_s: float
    store: str
    masters: _containers.RepeatedScalarFieldContainer[str]
    refusal: str
    warning: str
    def __init__(self, master: _Optional[str] = ..., protocol: _Optional[int] = ..., beat_s: _Optional[float] = ..., patience_s: _Optional[float] = ..., store: _Optional[str] = ..., masters: _Optional[_Iterable[str]] = ..., refusal: _Optional[str] = ..., warning: _Optional[str] = ...) -> None: ...

class Context(_message.Message):
    __slots__ = ("experiment", "space", "evaluator", "bundle", "pickle", "required", "settings", "digest")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    PICKLE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    space: str
    evaluator: str
    bundle: str
    pickle: bytes
    required: _containers.RepeatedScalarFieldContainer[str]
    settings: bytes
    digest: str
    def __init__(self, experiment: _Optional[str] = ..., space: _Optional[str] = ..., evaluator: _Optional[str] = ..., bundle: _Optional[str] = ..., pickle: _Optional[bytes] = ..., required: _Optional[_Iterable[str]] = ..., settings: _Optional[bytes] = ..., digest: _Optional[str] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("attempt", "vector", "seed", "from_epoch", "to_epoch", "reported", "checkpoint", "checkpoint_at_end", "repeats", "time_limit_s", "memory_limit_bytes", "requirements", "device", "place", "max_epochs", "avoid", "job")
    class RequirementsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    FROM_EPOCH_FIELD_NUMBER: _ClassVar[int]
    TO_EPOCH_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_AT_END_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    TIME_LIMIT_S_FIELD_NUMBER: _ClassVar[int]
    MEMORY_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    MAX_EPOCHS_FIELD_NUMBER: _ClassVar[int]
    AVOID_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    attempt: AttemptName
    vector: bytes
    seed: int
    from_epoch: int
    to_epoch: int
    reported: int
    checkpoint: Saved
    checkpoint_at_end: bool
    repeats: int
    time_limit_s: float
    memory_limit_bytes: int
    requirements: _containers.ScalarMap[str, float]
    device: str
    place: Place
    max_epochs: int
    avoid: _containers.RepeatedScalarFieldContainer[str]
    job: Job
    def __init__(self, attempt: _Optional[_Union[AttemptName, _Mapping]] = ..., vector: _Optional[bytes] = ..., seed: _Optional[int] = ..., from_epoch: _Optional[int] = ..., to_epoch: _Optional[int] = ..., reported: _Optional[int] = ..., checkpoint: _Optional[_Union[Saved, _Mapping]] = ..., checkpoint_at_end: _Optional[bool] = ..., repeats: _Optional[int] = ..., time_limit_s: _Optional[float] = ..., memory_limit_bytes: _Optional[int] = ..., requirements: _Optional[_Mapping[str, float]] = ..., device: _Optional[str] = ..., place: _Optional[_Union[Place, _Mapping]] = ..., max_epochs: _Optional[int] = ..., avoid: _Optional[_Iterable[str]] = ..., job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("job", "type", "config")
    JOB_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    job: str
    type: str
    config: bytes
    def __init__(self, job: _Optional[str] = ..., type: _Optional[str] = ..., config: _Optional[bytes] = ...) -> None: ...

class Place(_message.Message):
    __slots__ = ("rank", "world_size", "rendezvous")
    RANK_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    RENDEZVOUS_FIELD_NUMBER: _ClassVar[int]
    rank: int
    world_size: int
    rendezvous: str
    def __init__(self, rank: _Optional[int] = ..., world_size: _Optional[int] = ..., rendezvous: _Optional[str] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("token", "order")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    token: str
    order: str
    def __init__(self, token: _Optional[str] = ..., order: _Optional[str] = ...) -> None: ...

class Acknowledged(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class BeatSeen(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: int
    def __init__(self, index: _Optional[int] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("reason", "grace_s")
    REASON_FIELD_NUMBER: _ClassVar[int]
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    reason: str
    grace_s: float
    def __init__(self, reason: _Optional[str] = ..., grace_s: _Optional[float] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("keep", "kill")
    KEEP_FIELD_NUMBER: _ClassVar[int]
    KILL_FIELD_NUMBER: _ClassVar[int]
    keep: _containers.RepeatedScalarFieldContainer[str]
    kill: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, keep: _Optional[_Iterable[str]] = ..., kill: _Optional[_Iterable[str]] = ...) -> None: ...

class Masters(_message.Message):
    __slots__ = ("addresses",)
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class RegisterWorkerRequest(_message.Message):
    __slots__ = ("registration",)
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    registration: Registration
    def __init__(self, registration: _Optional[_Union[Registration, _Mapping]] = ...) -> None: ...

class RegisterWorkerResponse(_message.Message):
    __slots__ = ("welcome", "verdict")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    verdict: Verdict
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("worker_id", "beat")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    BEAT_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    beat: Beat
    def __init__(self, worker_id: _Optional[str] = ..., beat: _Optional[_Union[Beat, _Mapping]] = ...) -> None: ...

class HeartbeatResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[MasterEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[MasterEvent, _Mapping]]] = ...) -> None: ...

class RequestTaskRequest(_message.Message):
    __slots__ = ("worker_id", "limit", "wait_s")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WAIT_S_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    limit: int
    wait_s: float
    def __init__(self, worker_id: _Optional[str] = ..., limit: _Optional[int] = ..., wait_s: _Optional[float] = ...) -> None: ...

class RequestTaskResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[MasterEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[MasterEvent, _Mapping]]] = ...) -> None: ...

class SubmitResultRequest(_message.Message):
    __slots__ = ("worker_id", "events")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    events: _containers.RepeatedCompositeFieldContainer[WorkerEvent]
    def __init__(self, worker_id: _Optional[str] = ..., events: _Optional[_Iterable[_Union[WorkerEvent, _Mapping]]] = ...) -> None: ...

class SubmitResultResponse(_message.Message):
    __slots__ = ("acknowledged", "verdict")
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    acknowledged: Acknowledged
    verdict: Verdict
    def __init__(self, acknowledged: _Optional[_Union[Acknowledged, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ...) -> None: ...

class UploadFileRequest(_message.Message):
    __slots__ = ("name", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: FileName
    data: bytes
    def __init__(self, name: _Optional[_Union[FileName, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class FileName(_message.Message):
    __slots__ = ("attempt", "step", "digest", "size", "artifact")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    attempt: AttemptName
    step: int
    digest: str
    size: int
    artifact: str
    def __init__(self, attempt: _Optional[_Union[AttemptName, _Mapping]] = ..., step: _Optional[int] = ..., digest: _Optional[str] = ..., size: _Optional[int] = ..., artifact: _Optional[str] = ...) -> None: ...

class UploadFileResponse(_message.Message):
    __slots__ = ("stored", "reason")
    STORED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    stored: bool
    reason: str
    def __init__(self, stored: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class DownloadFileRequest(_message.Message):
    __slots__ = ("checkpoint", "bundle", "artifact")
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    checkpoint: FileName
    bundle: str
    artifact: FileName
    def __init__(self, checkpoint: _Optional[_Union[FileName, _Mapping]] = ..., bundle: _Optional[str] = ..., artifact: _Optional[_Union[FileName, _Mapping]] = ...) -> None: ...

class DownloadFileResponse(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class EvaluateRequest(_message.Message):
    __slots__ = ("context", "task")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    context: Context
    task: Task
    def __init__(self, context: _Optional[_Union[Context, _Mapping]] = ..., task: _Optional[_Union[Task, _Mapping]] = ...) -> None: ...

class EvaluateResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: Result
    def __init__(self, result: _Optional[_Union[Result, _Mapping]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("worker_id", "name", "master", "slots", "beat")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MASTER_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    BEAT_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    name: str
    master: str
    slots: int
    beat: Beat
    def __init__(self, worker_id: _Optional[str] = ..., name: _Optional[str] = ..., master: _Optional[str] = ..., slots: _Optional[int] = ..., beat: _Optional[_Union[Beat, _Mapping]] = ...) -> None: ...

class CancelTaskRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class CancelTaskResponse(_message.Message):
    __slots__ = ("known",)
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    known: bool
    def __init__(self, known: _Optional[bool] = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = ("grace_s",)
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    grace_s: float
    def __init__(self, grace_s: _Optional[float] = ...) -> None: ...

class ShutdownResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
