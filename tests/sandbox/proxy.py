"""The links between regions: a TCP proxy for each ordered pair, which can be cut and healed.

A link carries what `viewer` reads from the broker of `owner`. Cut, it resets what is open and
every new connection; cut silently, it keeps connections open and forwards nothing, as a network
that drops packets does.
"""
import asyncio

OPEN, CUT, SILENT = "open", "cut", "silent"
_BUFFERED_BYTES = 4 << 20


class Link:
    def __init__(self, owner: str, viewer: str, port: int, target_port: int):
        self.owner, self.viewer = owner, viewer
        self.port = port
        self.target_port = target_port
        self.state = OPEN
        self.ends: set[_End] = set()

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: _Accepted(self), "127.0.0.1", self.port)

    def cut(self, silent: bool) -> None:
        self.state = SILENT if silent else CUT
        for end in list(self.ends):
            if silent:
                end.transport.pause_reading()
            else:
                end.transport.abort()

    def heal(self) -> None:
        self.state = OPEN
        for end in list(self.ends):
            end.resume()


class _End(asyncio.Protocol):
    """One of the two ends of a proxied connection; what it reads, the peer writes."""

    def __init__(self, link: Link):
        self.link = link
        self.peer: _End | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.set_write_buffer_limits(high=_BUFFERED_BYTES)
        self.link.ends.add(self)

    def data_received(self, data: bytes) -> None:
        self.peer.transport.write(data)

    def eof_received(self) -> bool:
        self.peer.transport.write_eof()
        return True  # the other direction stays open

    def connection_lost(self, _error) -> None:
        self.link.ends.discard(self)
        if self.peer:
            self.peer.transport.close()

    def pause_writing(self) -> None:
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.peer.resume()

    def resume(self) -> None:
        if self.link.state == OPEN and self.peer and not self.transport.is_closing():
            self.transport.resume_reading()


class _Accepted(_End):
    """The end that a consumer connected to; opens the other one to the broker."""

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        if self.link.state == CUT:
            transport.abort()
            return
        transport.pause_reading()
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            while self.link.state == SILENT:
                await asyncio.sleep(0.05)
            _, other = await asyncio.get_running_loop().create_connection(
                lambda: _End(self.link), "127.0.0.1", self.link.target_port)
        except OSError:
            self.transport.abort()
            return
        if self.transport.is_closing():
            other.transport.abort()
            return
        self.peer, other.peer = other, self
        self.resume()
