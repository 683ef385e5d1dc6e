"""Free loopback ports for servers.

They are taken from below the kernel's ephemeral range, so that no outgoing connection grabs one
between the moment it is found free and the moment its server listens.
"""
import random
import socket

_FIRST, _LAST = 12_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """A port that nothing listens on now, and that this process has not given before."""
    for _ in range(1000):
        port = random.SystemRandom().randint(_FIRST, _LAST)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError("no free loopback port between %d and %d" % (_FIRST, _LAST))
