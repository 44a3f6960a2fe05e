"""The second service, composed: escalation events in, final verdict events out.

receive -> read -> fetch -> shrink -> ask -> judge -> publish -> acknowledge -> commit
'- engine    '- second tier ---------------------'   '- engine ----------------------'
"""

from contextlib import AsyncExitStack

import structlog

from sluicegate_consumer.delivery.engine import Engine
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.images.decoder import ProcessDecoder
from sluicegate_consumer.images.fetcher import StoreFetcher
from sluicegate_consumer.images.image import DecodeLimits, Rendition
from sluicegate_consumer.moderation.outcomes import Outcomes
from sluicegate_consumer.moderation.second_tier import Escalations, Limits
from sluicegate_consumer.operations.egress_start import guard_egress
from sluicegate_consumer.operations.observed import observed
from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.operations.shutdown import SHUTDOWN_MARGIN_S, shutdown_signals
from sluicegate_consumer.operations.telemetry import silence
from sluicegate_consumer.pixels import Geometry
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.load import load_policy
from sluicegate_consumer.second_opinion.criteria import Criteria, CriteriaCategory
from sluicegate_consumer.second_opinion.ollama_tier import OllamaTier
from sluicegate_schemas.events import Stage

RENDER_ONLY = Geometry(height=1, width=1)
"""This service decodes no frames for a model."""

log = structlog.get_logger()


async def escalate(settings: Settings) -> None:
    """Get second opinions until SIGTERM or SIGINT, then finish what is in flight.

    Raises:
        ConfigurationError: something in the settings, the policy or the language model is not usable.
        Fatal: the process cannot go on; nothing unfinished is committed.
    """
    silence()
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(shutdown_signals(settings.delivery.drain_timeout_s + SHUTDOWN_MARGIN_S))
        watch = await stack.enter_async_context(
            observed(settings.observability, "escalate", settings.delivery.worker_group)
        )
        await guard_egress(settings, watch.metrics.egress_refused)

        policies = load_policy(settings.policy_file)
        watch.metrics.policy(policies.version)
        ollama = settings.ollama
        watch.metrics.model(ollama.model, ollama.digest or "", device="server", runtime="ollama")
        tier = await stack.enter_async_context(OllamaTier(ollama, criteria_of(policies), observer=watch.metrics))
        decoder = await stack.enter_async_context(
            ProcessDecoder(RENDER_ONLY, DecodeLimits.of(settings.decode), settings.decode.processes or 1)
        )
        fetcher = await stack.enter_async_context(StoreFetcher(settings.fetch, settings.egress.allowed_hosts))

        stages = Escalations(
            fetcher=fetcher,
            decoder=decoder,
            rendition=Rendition(max_edge=ollama.max_edge),
            tier=tier,
            policies=policies,
            outcomes=Outcomes(Stage.VLM, settings.delivery.source, settings.topics.names()),
            limits=Limits(
                escalations=settings.delivery.max_in_flight,
                # One more than can be asked: its image is ready when a server is.
                questions=len(ollama.urls) * ollama.in_flight_per_server + 1,
                inline_bytes=settings.fetch.max_bytes,
            ),
            metrics=watch.metrics,
            tracing=watch.tracing,
        )
        engine = Engine(
            KafkaSource(settings.kafka, settings.topics.escalations, settings.delivery.worker_group),
            stages,
            KafkaSink(settings.kafka),
            settings.delivery,
            revoke_timeout_s=settings.kafka.revoke_timeout_s,
            observer=watch.metrics,
            health=watch.health,
        )
        log.info("escalating", topic=settings.topics.escalations, model=ollama.model)
        await engine.run(stop)


def criteria_of(policies: PolicyDocument) -> dict[str, Criteria]:
    """Each policy that asks for second opinions, in the words that the language model is given."""
    return {
        name: Criteria(
            policy=name,
            categories=tuple(
                CriteriaCategory(name=category, description=rules.description, signs=rules.signs)
                for category, rules in policy.categories.items()
            ),
            template=policy.second_opinion.prompt,
        )
        for name, policy in policies.policies.items()
        if policy.second_opinion is not None
    }
