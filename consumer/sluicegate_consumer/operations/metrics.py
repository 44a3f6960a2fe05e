"""What happened, told to Prometheus: when each metric moves. Their names and meaning: `metrics_catalogue`."""

import platform
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import version
from itertools import product
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from sluicegate_consumer.operations import metrics_catalogue as catalogue
from sluicegate_consumer.operations.health import Health, State
from sluicegate_consumer.operations.metrics_catalogue import CloseReason, Metric, OpinionResult, Service, Step
from sluicegate_schemas.events import Decision, Stage

Family = TypeVar("Family", Counter, Gauge, Histogram)


class Children(dict[tuple[str, ...], Family], Generic[Family]):
    """A metric's series by their label values, each bound once: to have it looked up costs a lock every time."""

    def __init__(self, metric: Metric, family: Family) -> None:
        super().__init__()
        self._family: Family = family
        if metric.labels and metric.closed:
            for values in product(*(label.values for label in metric.labels)):
                self[values] = family.labels(*values)

    def __missing__(self, values: tuple[str, ...]) -> Family:
        child: Family = self._family.labels(*values)
        self[values] = child
        return child

    def forget(self, values: tuple[str, ...]) -> None:
        """Show this series no longer."""
        del self[values]
        self._family.remove(*values)


class Metrics:
    """Methods that never wait, and never fail for what they are told.

    Args:
        registry: Where all series are.
        service: The one that runs; what only the other one moves is not shown, since a zero that nobody ever moves
            would say something wrong.
    """

    def __init__(self, registry: CollectorRegistry, service: Service = "both") -> None:
        # Else each counter and histogram has a second series beside it, which nothing reads.
        disable_created_metrics()  # type: ignore[no-untyped-call] # the package's own
        self.registry = registry
        self._shown = {"both", service} if service != "both" else {"both", "consume", "escalate"}
        self._build: dict[str, str] = {}
        self._bind_service()
        self._bind_delivery()
        self._bind_tiers()
        # Resident memory, CPU seconds, open files, and when the process began: restarts show in it.
        ProcessCollector(namespace="sluicegate", registry=registry)

    def _bind_service(self) -> None:
        self._build_info = self._info(catalogue.BUILD)
        self._state = self._gauges(catalogue.STATE)
        self._loop_lag = self._histogram(catalogue.LOOP_LAG)
        self._loop_silent = self._gauge(catalogue.LOOP_SILENT)
        self._model = self._info(catalogue.MODEL)
        self._gpu_fallback = self._gauge(catalogue.GPU_FALLBACK)
        self._egress_refused = self._counter(catalogue.EGRESS_REFUSED)

    def _bind_delivery(self) -> None:
        self._received = self._counter(catalogue.RECEIVED)
        self._lag = self._gauges(catalogue.LAG)
        self._in_flight = self._gauge(catalogue.IN_FLIGHT)
        self._in_flight_age = self._gauge(catalogue.IN_FLIGHT_AGE)
        self._acknowledged = self._counters(catalogue.ACKNOWLEDGED)
        self._publish_failures = self._counter(catalogue.PUBLISH_FAILURES)
        self._commits = self._counters(catalogue.COMMITS)
        self._revoked = self._counter(catalogue.REVOKED)
        self._blocked = self._gauge(catalogue.BLOCKED)
        self._halted = self._gauge(catalogue.HALTED)

    def _bind_tiers(self) -> None:
        self._steps = self._histograms(catalogue.STEP_TIME)
        self._verdicts = self._counters(catalogue.VERDICTS)
        for stage, decision in product((Stage.CLASSIFIER, Stage.VLM), Decision):
            # Without a category the series is known beforehand, too; the others begin with their first verdict.
            self._verdicts[stage, decision, ""].inc(0)
        self._reasons = self._counters(catalogue.REASONS)
        self._dead_letters = self._counters(catalogue.DEAD_LETTERS)
        self._batches = self._histograms(catalogue.BATCH)
        self._second_looks = self._counter(catalogue.SECOND_LOOKS)
        self._opinions = self._histograms(catalogue.OPINION)
        self._ollama = self._histograms(catalogue.OLLAMA)
        self._ollama_failures = self._counters(catalogue.OLLAMA_FAILURES)
        self._breakers = self._gauges(catalogue.BREAKER)
        self._available = self._gauge(catalogue.AVAILABLE)
        self._escalation_age = self._histogram(catalogue.ESCALATION_AGE)
        self._waiting = self._gauge(catalogue.WAITING)
        self._waiting_age = self._gauge(catalogue.WAITING_AGE)

    # The service.

    def runs(self, service: Service, health: Health) -> None:
        """`service` has begun; its state is read whenever somebody looks, also while its event loop is stuck."""
        self._build |= {"command": service, "version": version("sluicegate"), "python": platform.python_version()}
        self._build_info.info({"policy": ""} | self._build)
        for state in State:
            self._state[state,].set_function(partial(_is, health, state))
        self._loop_silent.set_function(lambda: health.silent_s)

    def policy(self, policy_version: str) -> None:
        """The policy in force."""
        self._build["policy"] = policy_version
        self._build_info.info(self._build)

    def loop_late(self, seconds: float) -> None:
        """The event loop called so late."""
        self._loop_lag.observe(seconds)

    def model(
        self, name: str, digest: str, device: str, runtime: str, precision: str = "", *, wanted: str = ""
    ) -> None:
        """The model that this process asks; `wanted` is the setting that its device was chosen by."""
        facts = {"name": name, "digest": digest, "device": device, "runtime": runtime, "precision": precision}
        self._model.info(facts)
        self._gpu_fallback.set(wanted == "auto" and device == "cpu")

    def egress_refused(self) -> None:
        """This process tried to reach what it may not reach."""
        self._egress_refused.inc()

    # Delivery: see `DeliveryObserver`.

    def received(self, records: int) -> None:
        """So many records came from Kafka."""
        self._received.inc(records)

    def lag(self, records: Iterable[tuple[tuple[str, int], int]]) -> None:
        """So many records of each partition that this member holds are not handled; of others it knows nothing."""
        now = {(topic, str(number)): count for (topic, number), count in records}
        for gone in self._lag.keys() - now.keys():
            self._lag.forget(gone)
        for partition, count in now.items():
            self._lag[partition].set(count)

    def in_flight(self, records: int) -> None:
        """So many records are taken from Kafka and not yet acknowledged as handled."""
        self._in_flight.set(records)

    def oldest_in_flight(self, seconds: float) -> None:
        """The oldest of them has been here for so long; 0: there is none."""
        self._in_flight_age.set(seconds)

    def acknowledged(self, dead_letter: bool, seconds: float) -> None:
        """The broker has all that was owed for one record, so long after it was sent."""
        self._acknowledged["dead_letter" if dead_letter else "verdict",].inc()
        self._steps["publish",].observe(seconds)

    def publish_failed(self) -> None:
        """What was owed for one record was not acknowledged by the broker."""
        self._publish_failures.inc()

    def committed(self, accepted: bool = True) -> None:
        """Offsets were committed, or the broker refused them."""
        self._commits["accepted" if accepted else "refused",].inc()

    def revoked(self, partitions: int) -> None:
        """So many partitions were taken away."""
        self._revoked.inc(partitions)

    def blocked(self, partitions: int) -> None:
        """So many partitions stand still, each behind a record that cannot be written."""
        self._blocked.set(partitions)

    def halted(self) -> None:
        """Consumption has stopped: too many outcomes were dead letters."""
        self._halted.set(1)

    # Both tiers.

    def verdict(self, stage: Stage, decision: Decision, category: str | None, reason: str) -> None:
        """A verdict was decided, on `category` if on any, because of `reason` before all."""
        self._verdicts[stage, decision, category or ""].inc()
        self._reasons[stage, reason].inc()

    def dead_letter(self, stage: str, error: BaseException) -> None:
        """A record became a dead letter because of `error`, in the step `stage`."""
        self._dead_letters[stage, type(error).__name__].inc()

    def took(self, step: Step, seconds: float) -> None:
        """One image spent this long in one step."""
        self._steps[step,].observe(seconds)

    # The first tier.

    def batch_closed(self, frames: int, reason: CloseReason) -> None:
        """A batch of so many frames went to the model."""
        self._batches[reason,].observe(frames)

    def second_look(self) -> None:
        """A frame's scores are computed again; called from any thread."""
        self._second_looks.inc()

    # The second tier.

    def opinion(self, result: OpinionResult, seconds: float) -> None:
        """The second tier was asked: what came of it, and how long that took, retries included."""
        self._opinions[result,].observe(seconds)

    def answered(self, server: str, seconds: float) -> None:
        """One server gave a valid answer."""
        self._ollama[server,].observe(seconds)

    def failed(self, server: str, reason: str) -> None:
        """One server gave none."""
        self._ollama_failures[server, reason].inc()

    def breakers(self, states: Mapping[str, str]) -> None:
        """Each server's breaker, and with them whether any server can be asked."""
        for server, state in states.items():
            for each in ("closed", "open", "half_open"):
                self._breakers[server, each].set(each == state)
        self._available.set("closed" in states.values())

    def escalation_settled(self, seconds: float) -> None:
        """The second tier decided, so long after the first."""
        self._escalation_age.observe(seconds)

    def escalations_waiting(self, count: int, oldest_s: float) -> None:
        """So many wait to be asked about, the oldest for so long since the first tier's verdict."""
        self._waiting.set(count)
        self._waiting_age.set(oldest_s)

    # How each kind is made.

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.help, _names(metric), registry=self._registry_of(metric))

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.name, metric.help, _names(metric), registry=self._registry_of(metric))

    def _histogram(self, metric: Metric) -> Histogram:
        registry = self._registry_of(metric)
        return Histogram(metric.name, metric.help, _names(metric), buckets=metric.buckets, registry=registry)

    def _info(self, metric: Metric) -> Info:
        return Info(metric.name, metric.help, registry=self._registry_of(metric))

    def _registry_of(self, metric: Metric) -> CollectorRegistry | None:
        return self.registry if metric.service in self._shown else None

    def _counters(self, metric: Metric) -> Children[Counter]:
        return Children(metric, self._counter(metric))

    def _gauges(self, metric: Metric) -> Children[Gauge]:
        return Children(metric, self._gauge(metric))

    def _histograms(self, metric: Metric) -> Children[Histogram]:
        return Children(metric, self._histogram(metric))


def new_metrics(service: Service = "both") -> Metrics:
    """The metrics of one service or of both, at zero, in a registry of their own."""
    return Metrics(CollectorRegistry(), service)


def _is(health: Health, state: State) -> bool:
    return health.state is state


def _names(metric: Metric) -> list[str]:
    return [label.name for label in metric.labels]
