"""Servers that are not there: left alone, probed, and checked anew before they are asked again."""

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import structlog

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.failures import AskFailed
from sluicegate_consumer.second_opinion.prompt import Prompt
from sluicegate_consumer.second_opinion.servers import Replica, Servers
from sluicegate_consumer.second_opinion.startup import prepare

log = structlog.get_logger()


class Probes:
    """Checks servers: all of them at start, later those whose breaker is open.

    A server that was away may be back with another model or none, so a probe is the whole check, measured with
    questions of our own: an image that a server stumbles over cannot keep its breaker open.
    """

    def __init__(self, servers: Servers, settings: OllamaSettings, prompts: Sequence[Prompt]) -> None:
        self._servers = servers
        self._settings = settings
        self._prompts = prompts

    async def check_all(self) -> None:
        """Check every server; those that do not answer are left alone.

        Raises:
            ConfigurationError: one of them must not be asked.
        """
        checks = (self._check(replica) for replica in self._servers.replicas)
        for found in await asyncio.gather(*checks, return_exceptions=True):
            if isinstance(found, BaseException):
                raise found

    async def watch(self, replica: Replica) -> NoReturn:
        """Probe one server whenever its breaker has been open for long enough."""
        reported = ""
        while True:
            await self._due(replica)
            replica.breaker.begin_probe()
            try:
                await self._check(replica)
                reported = ""
            except ConfigurationError as error:
                replica.breaker.trip()
                # Said once, not with every probe: it stays so until somebody changes the server.
                if str(error) != reported:
                    log.error("second_tier_server_refused", server=replica.server.name, error=str(error))  # noqa: TRY400 - no stack is needed
                    reported = str(error)
            except BaseException:
                replica.breaker.trip()
                raise

    async def _check(self, replica: Replica) -> None:
        try:
            replica.checked = await prepare(replica.server, self._settings, self._prompts)
        except AskFailed as failed:
            replica.breaker.trip()
            log.warning("second_tier_server_away", server=replica.server.name, reason=str(failed))
        else:
            replica.breaker.close()
            log.info("second_tier_server_ready", server=replica.server.name, digest=replica.checked.digest)
        self._servers.changed()

    async def _due(self, replica: Replica) -> None:
        """Return once the breaker is open and has waited."""
        while (seconds := replica.breaker.probe_in()) != 0:
            if seconds is None:
                await self._servers.news()
            else:
                await asyncio.sleep(seconds)
