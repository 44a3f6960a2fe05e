"""A TCP proxy that can lose what passes through it, in the ways that networks do."""

import asyncio
import contextlib
import socket
import struct
import threading
from enum import Enum


class Mode(Enum):
    """What happens to bytes."""

    PASS = "pass"
    BLACKHOLE = "blackhole"
    """Connections stand, and nothing passes either way."""
    DROP_RESPONSES = "drop responses"
    """What the client sends arrives; what the server answers is lost."""


class TcpProxy:
    """Listens on a port of its own, in a thread of its own."""

    def __init__(self, target_port: int | None = None) -> None:
        self.mode = Mode.PASS
        self.target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    def reset(self) -> None:
        """RST on every connection; new ones are accepted."""
        self._loop.call_soon_threadsafe(self._reset)

    def stop(self) -> None:
        """Stop listening, and close what there is."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._accept, sock=self._listening))
        started.set()
        self._loop.run_forever()
        self._reset()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._listening.close()

    def _reset(self) -> None:
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(server_writer)
        await asyncio.gather(
            self._pump(reader, server_writer, lost=(Mode.BLACKHOLE,)),
            self._pump(server_reader, writer, lost=(Mode.BLACKHOLE, Mode.DROP_RESPONSES)),
        )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: tuple[Mode, ...]) -> None:
        tainted = False
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                # A stream that has lost bytes is no longer one: nothing after them may pass, or framing would break.
                tainted = tainted or self.mode in lost
                if not tainted:
                    writer.write(data)
                    await writer.drain()
        writer.close()
        self._writers.discard(writer)
