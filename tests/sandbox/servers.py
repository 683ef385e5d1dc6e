"""A set of private servers, started together and stopped together.

    with Servers(folder, regions=["eu", "us"], databases=["shop_eu", "shop_us"]) as servers:
        servers.rabbitmq["eu"].port, servers.redis["us"].port, servers.postgres.url("shop_eu")

Use it from the main thread: the servers die with the thread that started them.
"""
import shutil
import time
from pathlib import Path

from postgres_server import PostgresServer
from rabbitmq_server import Epmd, RabbitmqServer
from redis_server import RedisServer
from server import Server


class Servers:
    def __init__(self, folder: Path, regions: list[str], databases: list[str] = (),
                 fsync: bool = True, appendonly: bool = True):
        folder = Path(folder).absolute()
        self.epmd = Epmd(folder / "epmd")
        self.rabbitmq = {region: RabbitmqServer(f"rabbitmq-{region}", folder / f"rabbitmq-{region}",
                                                self.epmd) for region in regions}
        self.redis = {region: RedisServer(f"redis-{region}", folder / f"redis-{region}", appendonly)
                      for region in regions}
        self.postgres = PostgresServer("postgres", folder / "postgres", fsync)
        self._databases = list(databases)
        outside = (server.outside_folder() for server in self.all())
        self._outside = [each for each in outside if each]
        # For whoever cleans up after us if we are killed.
        (folder / "outside").write_text("".join(f"{each}\n" for each in self._outside))

    def all(self) -> list[Server]:
        """In the order in which they start."""
        return [self.epmd, *self.rabbitmq.values(), *self.redis.values(), self.postgres]

    def start(self) -> None:
        """Returns when every one answers; raises NotReady, with everything stopped, otherwise."""
        try:
            self.epmd.start()
            self.epmd.wait_ready(15)
            for server in self.all()[1:]:
                server.start()
            for server in self.all():
                server.wait_ready(120)
            for database in self._databases:
                self.postgres.create_database(database)
        except BaseException:
            self.stop(orderly=False)
            raise

    def stop(self, orderly: bool = True, seconds: float = 20) -> None:
        """Not orderly: the data is thrown away, so only shared memory must be tidied."""
        for server in self.all():
            if server is self.epmd:
                continue
            if orderly:
                server.process.ask_to_stop()
            else:
                server.process.send(server.process.death_signal)
        deadline = time.monotonic() + seconds
        for server in reversed(self.all()):
            if server is not self.epmd:
                server.process.wait_stopped(deadline)
        self.epmd.process.kill()
        for folder in self._outside:
            shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop(orderly=False)
