"""The least privileges that are documented are enough, and messages stay true with them."""
import json
import re
import subprocess
import unittest

from harness import SandboxTest
from sandbox import REPOSITORY


def documented_grants(role: str) -> str:
    """The SQL block of docs/sql.md that grants to this role."""
    blocks = re.findall(r"```sql\n(.*?)```", (REPOSITORY / "docs" / "sql.md").read_text(), re.S)
    return next(each for each in blocks if f"TO {role};" in each)


class RolesOfADatabase(SandboxTest):
    def sql(self, statement: str) -> str:
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement,
                               self.sandbox.origins()["shop_eu"]], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def relay(self) -> tuple:
        """One that logs in as `relay`, and its log."""
        folder = self.sandbox.folder / "servers"
        direct = self.sandbox.origins()["shop_eu"]
        topology = folder / "as-relay.yaml"
        topology.write_text(self.sandbox.topology.read_text().replace(
            direct, direct.replace("postgres@", "relay@")))
        log = folder / "as-relay.log"
        with open(log, "wb") as out:
            relay = subprocess.Popen(
                [self.sandbox._settings["tributary"], "relay", "-c", topology, "--origin",
                 "shop_eu"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        return relay, log

    def test_a_service_writes_with_them(self):
        self.sql("CREATE ROLE shop LOGIN; " + documented_grants("shop"))
        service = self.sandbox.origins()["shop_eu"].replace("postgres@", "shop@")
        done = subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c",
             "BEGIN; SELECT tributary.counter_add('stock:service', 2), "
             "tributary.set_add('cart:service', 'lamp'), "
             "tributary.register_set('price:service', '9.99'); "
             "INSERT INTO public.tributary_outbox (key, type, operation, amount) "
             "VALUES ('stock:service', 'counter', 'add', 3); COMMIT", service],
            capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        topology = self.sandbox.folder / "servers" / "as-shop.yaml"
        topology.write_text(self.sandbox.topology.read_text().replace(
            self.sandbox.origins()["shop_eu"], service))
        self.run_tributary("write", "-c", topology, "--origin", "shop_eu", input=json.dumps(
            {"key": "stock:service", "type": "counter", "add": 5}) + "\n")
        self.wait_until_converged()
        redis = self.redis("us")
        self.assertEqual(redis("GET", "stock:service"), "10")
        self.assertEqual(redis("SMEMBERS", "cart:service"), ["lamp"])
        self.assertEqual(redis("GET", "price:service"), "9.99")

    def test_a_relay_works_with_them_and_does_not_guess_from_where_another_one_leads(self):
        grants = documented_grants("relay")
        required, optional = grants.split("GRANT pg_read_all_stats")
        self.sql("CREATE ROLE relay LOGIN; " + required)
        relay, log = self.relay()
        self.eventually(lambda: "another relay leads" in log.read_text(), True)
        self.assertIn("unknown address (not visible to this role)", log.read_text())
        self.assertNotIn("local socket", log.read_text())
        relay.kill()
        relay.wait()

        self.sql("GRANT pg_read_all_stats" + optional.partition(";")[0])
        _, log = self.relay()
        self.eventually(lambda: "from 127.0.0.1" in log.read_text(), True)

        self.sandbox.stop_process("relay-shop_eu")
        self.addCleanup(self.sandbox.start_process, "relay-shop_eu")
        self.eventually(lambda: ": leading" in log.read_text(), True)
        self.write("shop_eu", [{"key": "stock:rights", "type": "counter", "add": 3}])
        self.wait_until_converged()
        self.assertEqual(self.redis("us")("GET", "stock:rights"), "3")
        self.assertNotIn("error", log.read_text())


def documented_permissions() -> dict:
    """docs/operations.md: who -> the expressions for configure, write and read."""
    operations = (REPOSITORY / "docs" / "operations.md").read_text()
    section = operations.partition("### Least privileges")[2]
    rows = re.findall(r"^\| (.+?) \| `(.+?)` \| `(.+?)` \| `(.+?)` \|$", section, re.M)
    return {who: rights for who, *rights in rows}


class UsersOfABroker(SandboxTest):
    regions = ("eu",)

    def rabbitmqctl(self, *words) -> None:
        done = subprocess.run([self.sandbox.folder / "servers" / "rabbitmq-eu" / "rabbitmqctl",
                               *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def user(self, name: str, who: str):
        """A user with what is documented for `who`, and the topology for it."""
        self.rabbitmqctl("add_user", name, "word")
        self.rabbitmqctl("set_permissions", "-p", "/", name, *documented_permissions()[who])
        folder = self.sandbox.folder / "servers"
        (folder / "word").write_text("word\n")
        url = f'url: "amqp://127.0.0.1:{self.sandbox.amqp_port("eu")}"'
        before = self.sandbox.topology.read_text()
        self.assertIn(url, before)
        topology = folder / f"as-{name}.yaml"
        topology.write_text(before.replace(
            url, f"{url}\n      username: {name}\n      password_file: word"))
        return topology

    def start(self, topology, *words) -> subprocess.Popen:
        log = topology.with_suffix(".log")
        with open(log, "ab") as out:
            daemon = subprocess.Popen(
                [self.sandbox._settings["tributary"], *words, "-c", topology],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        return daemon

    def write_and_see(self, total: int) -> None:
        self.write("shop_eu", [{"key": "stock:1", "type": "counter", "add": 1}])
        self.wait_until_converged()
        self.assertEqual(self.redis("eu")("GET", "stock:1"), str(total))

    def test_relay_and_consumer_work_with_what_is_documented(self):
        daemons = ("relay-shop_eu", "consumer-eu")
        self.sandbox.stop_process(*daemons)
        self.addCleanup(self.sandbox.start_process, *daemons)
        self.rabbitmqctl("delete_queue", "tributary.shop_eu")
        relay = self.user("relay", "relay, `topology apply`")
        self.run_tributary("topology", "apply", "-c", relay)
        consumer = self.user("consumer", "consumer")
        self.start(consumer, "consumer", "--region", "eu")
        first = self.start(relay, "relay", "--origin", "shop_eu")
        self.write_and_see(1)
        first.terminate()
        first.wait()
        self.start(self.user("publisher", "relay whose streams an operator has made"),
                   "relay", "--origin", "shop_eu")
        self.write_and_see(2)
        for name in ("relay", "consumer", "publisher"):
            log = (self.sandbox.folder / "servers" / f"as-{name}.log").read_text()
            self.assertNotIn("lacks the", log)


if __name__ == "__main__":
    unittest.main()
