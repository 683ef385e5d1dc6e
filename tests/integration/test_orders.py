"""Order lines, a transaction per invoice, from two regions, while daemons are killed.

ORDER_LINES (default 100,000) is how many. The orders are made from a fixed seed in the shape of a
wholesaler's ledger: a few products and customers make most of the lines, quantities may be returns.
"""
import json
import os
import random
import time
import unittest
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from harness import SandboxTest

LINES = int(os.environ.get("ORDER_LINES", "100000"))
KILLS = 10
SETTLE_SECONDS = 120


def invoices(seed: int, lines: int):
    """Lists of order lines (product, quantity, price, customer); a list is an invoice."""
    source = random.Random(seed)
    products = [f"{85000 + i}{source.choice(['', 'A', 'B'])}" for i in range(3000)]
    weights = [1 / (rank + 1) for rank in range(len(products))]
    while lines > 0:
        count = min(lines, source.randint(1, 40))
        customer = str(12000 + int(source.paretovariate(0.8)) % 4000)
        yield [(product, source.choice([1, 2, 3, 6, 12, 24, -1]),
                f"{source.randint(10, 2999) / 100:.2f}", customer)
               for product in source.choices(products, weights, k=count)]
        lines -= count


def changes(line) -> list:
    product, quantity, price, customer = line
    return [{"key": f"stock:{product}", "type": "counter", "add": -quantity},
            {"key": f"price:{product}", "type": "register", "set": price},
            {"key": f"buyers:{product}", "type": "set", "add": customer}]


def portion(lines: list, turn: int) -> list:
    """One of KILLS parts, in order."""
    return lines[len(lines) * turn // KILLS:len(lines) * (turn + 1) // KILLS]


class Expected:
    """What every region must hold in the end, computed from the orders alone."""

    def __init__(self):
        self.stock = defaultdict(int)
        self.buyers = defaultdict(set)
        self.last_prices = defaultdict(dict)  # product -> origin -> its last price

    def add(self, origin: str, invoice: list) -> None:
        for product, quantity, price, customer in invoice:
            self.stock[product] -= quantity
            self.buyers[product].add(customer)
            self.last_prices[product][origin] = price


class OrdersUnderFire(SandboxTest):
    def test_every_region_ends_with_what_the_orders_say(self):
        expected = Expected()
        inputs = {}
        for seed, origin in enumerate(("shop_eu", "shop_us")):
            inputs[origin] = []
            for invoice in invoices(seed, LINES // 2):
                expected.add(origin, invoice)
                transaction = [each for line in invoice for each in changes(line)]
                inputs[origin].append(json.dumps({"tx": transaction}) + "\n")
        for turn in range(KILLS):
            self.write_and_kill({origin: portion(lines, turn) for origin, lines in inputs.items()})
        self.wait_until_converged(SETTLE_SECONDS)
        for region in self.regions:
            with self.subTest(region=region):
                self.check_region(region, expected)
        self.check_same_prices(expected)

    def write_and_kill(self, inputs: dict) -> None:
        """One relay and one consumer die while both origins are being written to."""
        with ThreadPoolExecutor() as pool:
            writers = [pool.submit(self.run_tributary, "write", "--origin", origin,
                                   input="".join(lines), timeout=600)
                       for origin, lines in inputs.items()]
            time.sleep(0.2)
            for name in ("relay-shop_eu", "consumer-us"):
                self.kill9(name)
            for writer in writers:
                writer.result()

    def check_region(self, region: str, expected: Expected) -> None:
        redis = self.redis(region)
        for product, stock in expected.stock.items():
            self.assertEqual(redis("GET", f"stock:{product}"), str(stock), product)
            self.assertIn(redis("GET", f"price:{product}"),
                          expected.last_prices[product].values(), product)
            self.assertEqual(set(redis("SMEMBERS", f"buyers:{product}")),
                             expected.buyers[product], product)

    def check_same_prices(self, expected: Expected) -> None:
        for product in expected.stock:
            prices = {self.redis(region)("GET", f"price:{product}") for region in self.regions}
            self.assertEqual(len(prices), 1, product)


if __name__ == "__main__":
    unittest.main()
