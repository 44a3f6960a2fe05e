"""The first service, composed: upload events in, verdict events out.

receive -> read -> fetch -> decode -> batch -> classify -> decide -> publish -> acknowledge -> commit
'- engine    '- first tier ---------------------------------'   '- engine ----------------------'
"""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import structlog

from sluicegate_consumer.batching.batcher import Batcher
from sluicegate_consumer.delivery.engine import Engine
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.images.decoder import SPARE_SLOTS, ProcessDecoder
from sluicegate_consumer.images.fetcher import StoreFetcher
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.moderation.device import Device
from sluicegate_consumer.moderation.first_tier import FirstTier, Limits
from sluicegate_consumer.moderation.outcomes import Outcomes
from sluicegate_consumer.moderation.second_look import second_look
from sluicegate_consumer.operations.cores import usable_cores
from sluicegate_consumer.operations.egress_start import guard_egress
from sluicegate_consumer.operations.observed import observed
from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.operations.shutdown import SHUTDOWN_MARGIN_S, shutdown_signals
from sluicegate_consumer.operations.telemetry import silence
from sluicegate_consumer.policy.load import load_policy
from sluicegate_schemas.events import Stage

BATCHES_BESIDE = 3
"""Beside those in the device's lanes: one behind them, one that fills, and one that is decoded meanwhile."""

log = structlog.get_logger()


async def consume(settings: Settings) -> None:
    """Moderate uploads until SIGTERM or SIGINT, then finish what is in flight.

    Raises:
        ConfigurationError: something in the settings, the policy or the model is not usable.
        Fatal: the process cannot go on; nothing unfinished is committed.
    """
    silence()
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(shutdown_signals(settings.delivery.drain_timeout_s + SHUTDOWN_MARGIN_S))
        watch = await stack.enter_async_context(
            observed(settings.observability, "consume", settings.delivery.consumer_group)
        )
        await guard_egress(settings, watch.metrics.egress_refused)

        policies = load_policy(settings.policy_file)
        watch.metrics.policy(policies.version)
        classifier = await asyncio.to_thread(
            load_classifier,
            settings.model,
            max_batch=settings.batch.max_frames,
            near=partial(second_look, policies, counted=watch.metrics.second_look),
        )
        device = Device(classifier, settings.model.timeout_s)
        stack.callback(device.close)
        card = device.card
        watch.metrics.model(
            card.name, card.digest, card.device, card.runtime, card.precision, wanted=settings.model.device
        )

        processes = settings.decode.processes or usable_cores()
        decoder = await stack.enter_async_context(
            ProcessDecoder(
                card.geometry,
                DecodeLimits.of(settings.decode),
                processes,
                spare_slots=max(SPARE_SLOTS, (card.lanes + BATCHES_BESIDE) * settings.batch.max_frames),
            )
        )
        fetcher = await stack.enter_async_context(StoreFetcher(settings.fetch, settings.egress.allowed_hosts))

        stages = FirstTier(
            fetcher=fetcher,
            decoder=decoder,
            batcher=Batcher(settings.batch.max_frames, settings.batch.max_wait_s, side_by_side=card.side_by_side),
            device=device,
            policies=policies,
            outcomes=Outcomes(Stage.CLASSIFIER, settings.delivery.source, settings.topics.names()),
            limits=Limits(
                uploads=settings.delivery.max_in_flight,
                fetches=settings.fetch.concurrency,
                decodes=processes,
                inline_bytes=settings.fetch.max_bytes,
            ),
            metrics=watch.metrics,
            tracing=watch.tracing,
        )
        engine = Engine(
            KafkaSource(settings.kafka, settings.topics.uploads, settings.delivery.consumer_group),
            stages,
            KafkaSink(settings.kafka),
            settings.delivery,
            revoke_timeout_s=settings.kafka.revoke_timeout_s,
            observer=watch.metrics,
            health=watch.health,
        )
        log.info("consuming", topic=settings.topics.uploads, model=card.name, device=card.device)
        await engine.run(stop)
