"""Every setting, its default and its meaning. Built once, in a command's `main`, and frozen from then on.

Read, strongest first, from the environment (`SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS`: two underscores part the
levels) and from the YAML file that `SLUICEGATE_CONFIG` names. An unknown key is an error: a misspelt limit is
no limit.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.brokers import require_brokers
from sluicegate_consumer.operations.settings_catalogue import DELIMITER, PREFIX, Sensitive
from sluicegate_consumer.operations.settings_errors import explain
from sluicegate_consumer.operations.settings_sources import FILE_VARIABLE, check_environment, read_file
from sluicegate_schemas.topics import Topics

MEBIBYTE = 1024 * 1024
TOPICS = Topics()

DAY_S = 24 * 3600
"""The longest that anything may be told to wait. No image, broker or model is worth more; and beyond some weeks what
keeps the time fails: the system's timers, and Kafka, which counts milliseconds in 32 bits. Neither infinity nor what
is no number is at most a day."""

Seconds = Annotated[float, Field(gt=0, le=DAY_S)]
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class KafkaSettings(Section):
    """How to reach Kafka."""

    bootstrap_servers: Annotated[str, AfterValidator(require_brokers)] = "localhost:9092"
    """Brokers as `host:port`, separated by commas; an IPv6 address in brackets, port 9092 if none is given."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How the connection is protected and who is let in, as the brokers' listener has it."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """Used with the two SASL protocols."""
    sasl_username: str | None = None
    """User of the two SASL protocols."""
    sasl_password: SecretStr | None = None
    """Password of that user."""
    tls_ca_file: Path | None = None
    """PEM file of the authority that signed the brokers' certificates; the system's own if not given."""
    tls_certificate_file: Path | None = None
    """PEM file of this client's certificate, for mutual TLS."""
    tls_key_file: Path | None = None
    """PEM file of this client's private key."""
    tls_key_password: SecretStr | None = None
    """Password of that private key, where it is encrypted."""
    max_record_bytes: Bytes = 12 * MEBIBYTE
    """The largest record that is read or written; the topics' `max.message.bytes` must allow it."""
    session_timeout_s: Seconds = 30.0
    """After this silence the group gives a member's partitions to another."""
    rebalance_timeout_s: Seconds = 60.0
    """How long a rebalance waits for a member; 60 % of it is left for finishing what is in flight."""
    request_timeout_s: Seconds = 40.0
    """How long one request to a broker may take. Who reads waits `rebalance_timeout_s` and five seconds, if that is
    longer: a broker answers who joins a group when all its members have."""

    @property
    def revoke_timeout_s(self) -> float:
        """How long what is in flight may take to finish when partitions are taken away.

        The rest of the rebalance is for the commit, and for the other members.
        """
        return 0.6 * self.rebalance_timeout_s


class TopicSettings(Section):
    """Names of the topics."""

    uploads: str = TOPICS.uploads
    """Images to judge."""
    verdicts: str = TOPICS.verdicts
    """Compacted, keyed by upload id."""
    escalations: str = TOPICS.escalations
    """What the second tier is asked."""
    reviews: str = TOPICS.reviews
    """What a human must decide."""
    dead_letters: str = TOPICS.dead_letters
    """Records that could not be handled, byte for byte."""

    def names(self) -> Topics:
        """The same as the value that the rooms share."""
        return Topics(**self.model_dump())


class DeliverySettings(Section):
    """How much is in flight, how often offsets are committed, and when to stop."""

    consumer_group: str = "sluicegate-consumer"
    """Consumer group of `consume`."""
    worker_group: str = "sluicegate-worker"
    """Consumer group of `escalate`."""
    source: str = "sluicegate"
    """The CloudEvents `source` of what this installation writes; part of every verdict id."""
    max_in_flight: Count = 512
    """Uploads taken from Kafka and not yet acknowledged as decided."""
    max_in_flight_bytes: Bytes = 256 * MEBIBYTE
    """Size of the records in flight beyond which no more are asked for."""
    max_uncommitted: Count = 10_000
    """Uploads taken from Kafka and not yet committed, as one before them is still in flight or the next commit is yet
    to come: what is done once more, at most, when a process is killed. No more are asked for beyond it."""
    commit_interval_s: Seconds = 1.0
    """How often the offsets of what is done are committed."""
    drain_timeout_s: Seconds = 25.0
    """At shutdown, how long what is in flight may take to finish; must stay below the orchestrator's grace
    period."""
    publish_timeout_s: Seconds = 120.0
    """How long a broker may take to acknowledge a record before the process ends without committing."""
    stall_timeout_s: Seconds = 120.0
    """If for so long no record comes although some wait, the client is stuck and the process ends with code 1. Longer
    than a rebalance takes."""
    dead_letter_window: Count = 200
    """Over this many outcomes the share of dead letters is watched."""
    dead_letter_max_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """A larger share of dead letters in that window halts consumption."""


class FetchSettings(Section):
    """Where images may be fetched from, and at what cost."""

    allowed_uri_prefixes: tuple[str, ...] = ()
    """Nothing is fetched from a URI that begins with none of these, for example `s3://uploads/` or
    `https://media.internal/`; none: only inline images. Each must end its host or bucket with a slash."""
    file_roots: tuple[Path, ...] = ()
    """Directories that `file://` URIs may point into, after symbolic links are resolved."""
    max_bytes: Bytes = 25 * MEBIBYTE
    """Size of one encoded image; enforced while it is read."""
    concurrency: Count = 32
    """Images fetched at the same time."""
    timeout_s: Seconds = 10.0
    """For one attempt."""
    deadline_s: Seconds = 60.0
    """For all attempts at one image; then it is a dead letter, to be replayed when the store is back."""
    max_redirects: Annotated[int, Field(ge=0)] = 3
    """Of `http(s)` URIs; every hop must be inside the allow-list."""
    store_options: Annotated[dict[str, str], Sensitive] = Field(default_factory=dict)
    """Options of the object stores as obstore names them, for example `aws_endpoint`, `aws_region`;
    credentials come from the environment or the instance, as each store's own tools read them."""


class DecodeSettings(Section):
    """What decoding one image may cost. Beyond any of these it is `unprocessable`."""

    processes: Annotated[int, Field(ge=0)] = 0
    """Decoding processes; 0: one for each core this process may use."""
    max_pixels: Count = 100_000_000
    """Width times height of one frame."""
    max_frames: Count = 5_000
    """Frames in an animation."""
    sampled_frames: Count = 8
    """Frames of an animation that are judged, evenly spaced."""
    timeout_s: Seconds = 10.0
    """For one image; a decoder that takes longer is ended."""
    memory_bytes: Bytes = 2048 * MEBIBYTE
    """Memory that one decoding process may take."""
    reduced: bool = False
    """Decode large JPEGs at a half, a quarter or an eighth of their size, to no less than twice the model's. Faster,
    and not quite the pixels that the model was trained on: scores differ by up to 0.02."""
    jpeg: Literal["pillow", "nvimgcodec"] = "pillow"
    """What decodes JPEGs. `nvimgcodec`: NVIDIA's library of the extra of that name, on the GPU; each decoding process
    then takes some of its memory, and `decode.reduced` has no effect."""


class ModelSettings(Section):
    """The first tier's model."""

    name: str = "Falconsai/nsfw_image_detection"
    """A directory, the id of a Hugging Face checkpoint that is on this disk already, or `embedded`: the small
    safety model of the extra `embedded`."""
    digest: str | None = None
    """If given, a model with another digest is refused at start; `sluicegate model show` prints it."""
    cache_dir: Path | None = None
    """Where `sluicegate model pull` puts checkpoints; Hugging Face's own cache if not given."""
    device: str = "auto"
    """`auto`: CUDA where it is present, else the CPU. Or `cpu`, `cuda`, `cuda:1`, ..."""
    runtime: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto"
    """What computes. `auto`: OpenVINO where it is installed and no GPU is there, else what the weights are made for."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """On a CPU. `auto`: bfloat16 where the CPU multiplies it itself, and float32 again for each image that is so near
    an edge of a policy that the difference could matter. A GPU computes in float16."""
    lanes: Annotated[int, Field(ge=0)] = 0
    """Batches that OpenVINO computes side by side, each on its share of the cores: with 1 a lone image is scored
    soonest, with 2 most are scored in all. 0: 2 where there are two cores and the model has less than 50 million
    weights, else 1."""
    timeout_s: Seconds = 120.0
    """For one batch; a device that takes longer is taken for hung and the process ends."""


class BatchSettings(Section):
    """When a batch is closed."""

    max_frames: Count = 16
    """Frames in a full batch."""
    max_wait_s: Annotated[float, Field(ge=0, le=DAY_S)] = 0.0
    """How long a first image waits for others while the device is free. While it is busy they gather anyway."""


class OllamaSettings(Section):
    """The second tier's language model and its servers."""

    urls: tuple[AnyHttpUrl, ...] = (AnyHttpUrl("http://localhost:11434"),)
    """Servers that have the model; the least busy one is asked. No other host is ever called."""
    model: str = "qwen3.5"
    """Must see images and run on the server itself."""
    digest: str | None = None
    """If given, a model with another digest on a server is refused."""
    in_flight_per_server: Count = 1
    """Questions that one server is asked at the same time."""
    timeout_s: Seconds = 120.0
    """For one answer."""
    deadline_s: Seconds = 300.0
    """For one round of questions about one image; without an answer it waits for the next round. A round of failures
    uses up an attempt if the server answers other questions meanwhile."""
    max_attempts: Count = 3
    """Failed attempts at one image before a human decides. The last one counts only at a server that has answered
    something since it failed this image before: in an outage escalations wait instead."""
    num_ctx: Count = 8192
    """Tokens that policy, image and answer together may take."""
    num_predict: Count = 64
    """Tokens of one answer."""
    keep_alive: str = "-1"
    """How long the server keeps the model loaded; `-1`: always."""
    max_edge: Count = 896
    """Pixels; larger images are scaled down before they are sent."""
    breaker_failures: Count = 3
    """Failures in a row after which a server is left alone."""
    breaker_probe_s: Seconds = 5.0
    """How often a server that is left alone is asked whether it is back."""


class EgressSettings(Section):
    """What may be reached: what the other settings name, at addresses that are not public. Nothing else ever is."""

    allowed_hosts: tuple[str, ...] = ()
    """Hosts that may have public addresses, as far as another setting names them: `media.example.org`, or
    `.example.org` for every host below. Without an endpoint in `fetch.store_options` a cloud's store is reached only if
    its provider is among them, for example `.amazonaws.com`."""
    enforce: bool = True
    """false: connections that would be refused are logged and counted, and go on."""


class ObservabilitySettings(Section):
    """What can be seen from outside."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Events below this level are not written."""
    log_format: Literal["auto", "json", "pretty"] = "auto"
    """`auto`: pretty on a terminal, JSON otherwise."""
    endpoint_host: str = "127.0.0.1"
    """Address that `/metrics`, `/healthz` and `/readyz` are served on."""
    endpoint_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Their port; 0: they are not served."""
    otlp_endpoint: AnyHttpUrl | None = None
    """An OpenTelemetry collector that traces are sent to, by OTLP over HTTP, for example `http://collector:4318`; not
    given: no traces. Needs the extra `otel`. No other host is ever asked."""
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the batches that are traced."""
    stall_timeout_s: Seconds = 60.0
    """A service whose event loop does not turn for so long ends with code 1, to be started again."""


class Settings(BaseSettings):
    """All settings of sluicegate."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    policy_file: Path | None = None
    """The policy; the one that the package carries if not given."""
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    delivery: DeliverySettings = DeliverySettings()
    fetch: FetchSettings = FetchSettings()
    decode: DecodeSettings = DecodeSettings()
    model: ModelSettings = ModelSettings()
    batch: BatchSettings = BatchSettings()
    ollama: OllamaSettings = OllamaSettings()
    egress: EgressSettings = EgressSettings()
    observability: ObservabilitySettings = ObservabilitySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic-settings' own
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        sources = [init_settings, env_settings]
        if path := os.environ.get(FILE_VARIABLE):
            sources.append(InitSettingsSource(settings_cls, read_file(Path(path))))
        return tuple(sources)


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationError: a key is unknown or a value is out of range; the message names each.
    """
    check_environment(os.environ, Settings)
    try:
        return Settings()
    except ValidationError as error:
        # Not "from error": its text quotes the values, secrets among them.
        raise ConfigurationError(explain(error, Settings)) from None
