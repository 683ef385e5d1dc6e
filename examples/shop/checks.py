"""What readers see, by redis-cli; and whether it is what the business tables say, by psql."""
import subprocess

_READS = {"string": "GET {}", "set": "SMEMBERS {}", "hash": "HGETALL {}",
          "zset": "ZRANGE {} 0 -1 WITHSCORES", "list": "LRANGE {} 0 -1"}
_ORDERED = ("ZRANGE", "LRANGE")


def read(port: int, command: str) -> list:
    """The lines redis-cli prints; sorted, where Redis promises no order."""
    done = subprocess.run(["redis-cli", "-p", str(port), *command.split(" ")],
                          capture_output=True, text=True, timeout=30, check=True)
    lines = [line for line in done.stdout.splitlines() if line]
    return lines if command.startswith(_ORDERED) else sorted(lines)


def keys_of(port: int) -> list:
    """All keys that readers use; Tributary's own start with "tributary:"."""
    return [key for key in read(port, "KEYS *") if not key.startswith("tributary:")]


def _everything(port: int) -> dict:
    seen = {}
    for key in keys_of(port):
        [kind] = read(port, f"TYPE {key}")
        seen[key] = (kind, read(port, _READS[kind].format(key)))
    return seen


def differences(ports: dict) -> list:
    """A line per key that is not the same in all regions."""
    seen = {region: _everything(port) for region, port in ports.items()}
    (first, expected), *others = seen.items()
    return [f"{key}: {first} has {expected.get(key)}, {region} has {values.get(key)}"
            for region, values in others for key in sorted({*expected, *values})
            if expected.get(key) != values.get(key)]


def _query(database: str, sql: str) -> list:
    done = subprocess.run(["psql", "-XAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", database,
                           "-c", sql], capture_output=True, text=True, timeout=30, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def _expected(databases: list) -> dict:
    """Redis command -> what it should print, from all business tables together."""
    sums: dict = {}
    buyers: dict = {}
    for database in databases:
        for sku, stock, sold, revenue in _query(database, """
                SELECT p.sku, p.stock, coalesce(sum(l.quantity), 0),
                       coalesce(sum(l.quantity * l.price_cents), 0)
                FROM products p LEFT JOIN order_lines l USING (sku) GROUP BY p.sku"""):
            for name, value in (("stock", stock), ("sold", sold), ("revenue", revenue)):
                command = f"GET {name}:{sku}"
                sums[command] = sums.get(command, 0) + int(value)
        for sku, customer in _query(database, """
                SELECT DISTINCT l.sku, o.customer
                FROM order_lines l JOIN orders o ON o.id = l.order_id"""):
            buyers.setdefault(f"SMEMBERS buyers:{sku}", set()).add(customer)
    return {**{command: [str(value)] for command, value in sums.items()},
            **{command: sorted(customers) for command, customers in buyers.items()}}


def compare(ports: dict, databases: dict) -> list:
    """A line per value that is not what the business tables of all regions add up to."""
    wrong = []
    for command, wanted in _expected(list(databases.values())).items():
        for region, port in ports.items():
            if (seen := read(port, command)) != wanted:
                wrong.append(f"{command} in {region} gives {' '.join(seen)}, "
                             f"the business tables say {' '.join(wanted)}")
    return wrong
