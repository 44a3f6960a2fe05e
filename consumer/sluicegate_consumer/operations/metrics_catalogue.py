"""Every metric of both services, by name: all that `/metrics` shows, and all that rules and dashboards may use.

`docs/metrics.md` is written from here, and `metrics.py` says when each one moves. Labels have few values, which the
installation determines: never an upload, a tenant or a URI. None has a name that Prometheus' operator puts on targets,
such as `service` or `pod`: it would be renamed.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from sluicegate_schemas.events import Decision, Reason, Stage

Step = Literal["queue", "fetch", "decode", "render", "batch_wait", "inference", "total", "publish"]
CloseReason = Literal["size", "free", "deadline"]
OpinionResult = Literal["approve", "reject", "unsure", "invalid", "away"]
OutcomeKind = Literal["verdict", "dead_letter"]
CommitResult = Literal["accepted", "refused"]
ServiceState = Literal["starting", "ready", "draining", "stuck"]
BreakerState = Literal["closed", "open", "half_open"]

Kind = Literal["counter", "gauge", "histogram", "info"]
Service = Literal["both", "consume", "escalate"]

STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
OPINION_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
AGE_SECONDS = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BATCH_FRAMES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class Label:
    """A label: what it says, and its values where they are known beforehand."""

    name: str
    meaning: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """What one metric is called, means, and is told apart by."""

    kind: Kind
    name: str
    """Without the suffix that Prometheus' own names have for its kind."""
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    service: Service = "both"
    """Which of the services shows it."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Its names on `/metrics`."""
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",)}
        return tuple(self.name + suffix for suffix in suffixes.get(self.kind, ("",)))

    @property
    def closed(self) -> bool:
        """Whether every value of every label is known beforehand: such series are there from the start, at zero."""
        return all(label.values for label in self.labels)


def _one_of(name: str, meaning: str, values: Any) -> Label:
    return Label(name, meaning, get_args(values))


_STAGE = Label("stage", "the tier that decided", (Stage.CLASSIFIER, Stage.VLM))
_SERVER = Label("server", "host and port of an Ollama server")
_RESULT_STEP = _one_of(
    "step",
    "queue (written by the platform or the first tier, to received), fetch, decode, render (for the language model), "
    "batch_wait, inference (of its whole batch), total (received to decided), publish (decided to acknowledged)",
    Step,
)

BUILD = Metric(
    "info",
    "sluicegate_build",
    "Always 1; what runs.",
    (
        Label("command", "consume or escalate"),
        Label("version", "of sluicegate"),
        Label("python", "its version"),
        Label("policy", "version of the policy in force; empty until it is read"),
    ),
)
STATE = Metric(
    "gauge",
    "sluicegate_service_state",
    "1 for the state that the service is in.",
    (_one_of("state", "", ServiceState),),
)
LOOP_LAG = Metric(
    "histogram",
    "sluicegate_event_loop_lag_seconds",
    "By how much the event loop was late for a call twice a second.",
    buckets=LAG_SECONDS,
)
LOOP_SILENT = Metric(
    "gauge",
    "sluicegate_event_loop_silent_seconds",
    "Since the event loop last turned; the service ends itself at observability.stall_timeout_s.",
)

RECEIVED = Metric("counter", "sluicegate_records_received", "Records taken from Kafka; those that come again too.")
LAG = Metric(
    "gauge",
    "sluicegate_lag_records",
    "Records of a partition that this member holds which are not handled: not read yet, or in flight. Not shown while "
    "no broker says where the partition ends.",
    (Label("topic", "that the service reads"), Label("partition", "its number")),
)
IN_FLIGHT = Metric("gauge", "sluicegate_in_flight", "Records taken from Kafka and not yet handled.")
IN_FLIGHT_AGE = Metric(
    "gauge",
    "sluicegate_in_flight_oldest_seconds",
    "How long the oldest record in flight is here; 0: there is none.",
)
STEP_TIME = Metric(
    "histogram", "sluicegate_step_seconds", "Time of one image in one step.", (_RESULT_STEP,), STEP_SECONDS
)
VERDICTS = Metric(
    "counter",
    "sluicegate_verdicts",
    "Verdicts decided, each counted as it is handed to the publisher; work that is done again counts again.",
    (
        _STAGE,
        Label("decision", "", tuple(Decision)),
        Label("category", "of the policy; empty where the decision rests on none"),
    ),
)
REASONS = Metric(
    "counter",
    "sluicegate_verdict_reasons",
    "The same verdicts by the first of their reasons.",
    (_STAGE, Label("reason", "a code of the verdict event", tuple(Reason))),
)
ACKNOWLEDGED = Metric(
    "counter",
    "sluicegate_outcomes_acknowledged",
    "Records of which the broker has everything that was owed: their offsets may move.",
    (_one_of("kind", "what was owed", OutcomeKind),),
)
DEAD_LETTERS = Metric(
    "counter",
    "sluicegate_dead_letters",
    "Records that became dead letters.",
    (Label("stage", "the step that failed"), Label("reason", "the kind of failure")),
)
PUBLISH_FAILURES = Metric(
    "counter",
    "sluicegate_publish_failures",
    "Outcomes that the broker did not acknowledge; the service ends after one.",
)
COMMITS = Metric("counter", "sluicegate_commits", "Commits of offsets.", (_one_of("result", "", CommitResult),))
REVOKED = Metric("counter", "sluicegate_partitions_revoked", "Partitions taken away by a rebalance.")
BLOCKED = Metric(
    "gauge", "sluicegate_blocked_partitions", "Partitions that stand still behind a record that cannot be written."
)
HALTED = Metric("gauge", "sluicegate_consumption_halted", "1: halted, as too many outcomes were dead letters.")
EGRESS_REFUSED = Metric(
    "counter", "sluicegate_egress_refused", "Connections to addresses outside the configured set that were refused."
)

BATCH = Metric(
    "histogram",
    "sluicegate_batch_frames",
    "Frames in a batch.",
    (_one_of("reason", "what closed it", CloseReason),),
    BATCH_FRAMES,
    "consume",
)
SECOND_LOOKS = Metric(
    "counter",
    "sluicegate_second_looks",
    "Frames that were scored again in float32, as in bfloat16 they lay near an edge of a policy; also in the warm-up.",
    service="consume",
)
MODEL = Metric(
    "info",
    "sluicegate_model",
    "Always 1; the model that this process asks.",
    (
        Label("name", "of the checkpoint, or of the language model"),
        Label("digest", "of the first tier's model; the pinned one of the second tier's, or empty"),
        Label("device", "cpu, cuda:0, ...; `server` for the second tier's: Ollama chooses"),
        Label("runtime", "torch, onnxruntime, openvino, ollama"),
        Label("precision", "of the first tier's: float32, bfloat16, float16; empty for the second tier's"),
    ),
)
GPU_FALLBACK = Metric(
    "gauge",
    "sluicegate_gpu_fallback",
    "1: model.device is auto and no GPU could be used. Set cpu where none is meant to be.",
    service="consume",
)

OPINION = Metric(
    "histogram",
    "sluicegate_opinion_seconds",
    "Time of one question to the second tier, all attempts included.",
    (_one_of("result", "what came of it", OpinionResult),),
    OPINION_SECONDS,
    "escalate",
)
OLLAMA = Metric(
    "histogram",
    "sluicegate_ollama_seconds",
    "Time of one valid answer of one Ollama server.",
    (_SERVER,),
    OPINION_SECONDS,
    "escalate",
)
OLLAMA_FAILURES = Metric(
    "counter",
    "sluicegate_ollama_failures",
    "Attempts that brought no valid answer.",
    (_SERVER, Label("reason", "a code: refused, timeout, busy, model_missing, empty, ...")),
    service="escalate",
)
BREAKER = Metric(
    "gauge",
    "sluicegate_ollama_breaker_state",
    "1 for the state of a server's breaker; only while it is closed is the server asked.",
    (_SERVER, _one_of("state", "", BreakerState)),
    service="escalate",
)
AVAILABLE = Metric(
    "gauge",
    "sluicegate_second_tier_available",
    "1: at least one server can be asked.",
    service="escalate",
)
ESCALATION_AGE = Metric(
    "histogram",
    "sluicegate_escalation_seconds",
    "From the first tier's verdict to the second's.",
    buckets=AGE_SECONDS,
    service="escalate",
)
WAITING = Metric(
    "gauge",
    "sluicegate_escalations_waiting",
    "Escalations received and not asked about yet.",
    service="escalate",
)
WAITING_AGE = Metric(
    "gauge",
    "sluicegate_escalations_oldest_seconds",
    "Since the first tier's verdict on the one that has waited longest here; 0: none waits.",
    service="escalate",
)

CATALOGUE: tuple[Metric, ...] = tuple(value for value in globals().values() if isinstance(value, Metric))
"""All of them, in the order of this file."""
