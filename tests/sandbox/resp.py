"""A Redis client in a page: commands and replies in RESP over one socket.

Replies are str (undecodable bytes survive as surrogates), int, None or list. An error reply is
raised as RedisError.
"""
import socket


class RedisError(Exception):
    pass


class Redis:
    def __init__(self, port: int, timeout: float = 10):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._replies = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._replies.close()
        self._socket.close()

    def __call__(self, *words):
        """redis("SET", "k", 1) -> "OK"."""
        return self.pipeline([words])[0]

    def pipeline(self, commands: list) -> list:
        """Sends all commands at once; the first error reply is raised after reading all."""
        self._socket.sendall(b"".join(_encode(words) for words in commands))
        replies = [self._reply() for _ in commands]
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        return replies

    def _reply(self):
        line = self._replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode(errors="surrogateescape")
        if kind == b"+":
            return rest
        if kind == b"-":
            return RedisError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            if size < 0:
                return None
            return self._replies.read(size + 2)[:-2].decode(errors="surrogateescape")
        return None if int(rest) < 0 else [self._reply() for _ in range(int(rest))]


def _encode(words) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode(errors="surrogateescape")
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)
