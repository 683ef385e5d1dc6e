#!/usr/bin/env python3
"""Two regions sell the same products, lose sight of each other, and end up equal: ./dev demo.

Everything runs privately on loopback, in a temporary folder, and is gone at the end, also after
Ctrl-C. Exit codes: 0 when both regions end up equal, and equal to the business tables; else 1.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "sandbox"))

from checks import compare, differences, keys_of, read  # noqa: E402
from sandbox import NotRunning, Refused, Sandbox, SandboxError  # noqa: E402

MUG, LAMP, CLOCK = "85123A", "71053", "22423"
WAIT_SECONDS = 60


class DemoFailed(Exception):
    pass


class Demo:
    def __init__(self, sandbox: Sandbox, shop: Path):
        self.sandbox = sandbox
        self.program = shop
        self.steps = 0
        self.started: list[subprocess.Popen] = []
        state = sandbox.state()
        self.regions = list(state["regions"])
        self.ports = {region: each["redis_port"] for region, each in state["regions"].items()}
        self.databases = {each["region"]: each["database"] for name, each
                          in state["origins"].items() if name.startswith("shop_")}

    # Telling

    def step(self, title: str, *lines: str) -> None:
        self.steps += 1
        print(f"\n{self.steps}. {title}", *(f"   {line}" for line in lines), sep="\n", flush=True)

    def say(self, *lines: str) -> None:
        print(*(f"   {line}".rstrip() for line in lines), sep="\n", flush=True)

    def show(self, *commands: str) -> None:
        """What a reader sees in each region by plain redis-cli."""
        rows = [("redis-cli", *self.regions, "")]
        for command in commands:
            seen = [" ".join(read(self.ports[region], command)) or "(none)"
                    for region in self.regions]
            rows.append((command, *seen, "" if len(set(seen)) == 1 else "<- differ"))
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            line = "   ".join(cell.ljust(width) for cell, width in zip(row, widths))
            self.say("  " + line.rstrip())

    # Doing

    def start_shop(self, region: str, *words) -> subprocess.Popen:
        command = [self.program, "--database", self.databases[region], *map(str, words)]
        self.started.append(subprocess.Popen(command, stdout=subprocess.PIPE,
                                             stderr=subprocess.PIPE, text=True))
        return self.started[-1]

    def stop(self) -> None:
        """Ends what still sells, when the story ends early."""
        for process in self.started:
            if process.poll() is None:
                process.kill()

    def finish(self, process: subprocess.Popen) -> str:
        output, errors = process.communicate(timeout=WAIT_SECONDS)
        if process.returncode != 0:
            raise DemoFailed(f"the shop failed: {errors.strip()}")
        return output.strip()

    def shop(self, region: str, *words) -> str:
        return self.finish(self.start_shop(region, *words))

    def everywhere(self, *words) -> None:
        """The same command in all regions at once; {region} stands for its name."""
        started = [self.start_shop(region, *(str(word).format(region=region) for word in words))
                   for region in self.regions]
        for process in started:
            self.finish(process)

    def wait_converged(self) -> float:
        """Seconds until `tributary status` says that no change waits anywhere."""
        start = time.monotonic()
        done = self.sandbox.tributary("status", "--wait", WAIT_SECONDS, check=False)
        if done.returncode != 0:
            raise DemoFailed(f"not converged after {WAIT_SECONDS} s:\n{done.stdout}{done.stderr}")
        return time.monotonic() - start

    def wait_seen(self, region: str, command: str, wanted: list) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while read(self.ports[region], command) != wanted:
            if time.monotonic() > deadline:
                raise DemoFailed(f"{region} does not see {wanted} by {command}, but "
                                 f"{read(self.ports[region], command)}")
            time.sleep(0.02)

    # The story

    def tell(self) -> None:
        self.open_shops()
        self.sell_in_both()
        self.refuse()
        self.cut()
        self.conflict()
        self.crash()
        self.heal()
        self.check()

    def open_shops(self) -> None:
        self.step("Two shops open: eu and us, each with its own database, broker and Redis.",
                  "Each takes a delivery of 1000 mugs. stock: is a counter, the sum of both.")
        self.everywhere("init")
        self.everywhere("deliver", "--product", MUG, "--name", "MUG", "--quantity", 1000,
                        "--price", "2.55")
        self.everywhere("cart-add", "--customer", "17850", "--product", LAMP)
        self.everywhere("cart-add", "--customer", "17850", "--product", CLOCK)
        self.wait_converged()
        self.show(f"GET stock:{MUG}", f"GET price:{MUG}", "SMEMBERS cart:17850")

    def sell_in_both(self) -> None:
        self.step("Both sell the same mug at the same time.",
                  "One transaction holds the order, the warehouse row and the changes.")
        sales = [self.start_shop("eu", "sell", "--product", MUG, "--quantity", 3,
                                 "--customer", "13047"),
                 self.start_shop("us", "sell", "--product", MUG, "--quantity", 5,
                                 "--customer", "12583")]
        for region, sale in zip(("eu", "us"), sales):
            self.say(f"{region}: {self.finish(sale)}")
        seconds = self.wait_converged()
        self.show(f"GET stock:{MUG}", f"GET sold:{MUG}", f"SMEMBERS buyers:{MUG}")
        self.say(f"Equal {seconds:.1f} s after the sales; 2000 - 3 - 5 = 1992.")

    def refuse(self) -> None:
        self.step("A sale is refused: more mugs than the warehouse of us holds.",
                  "The transaction rolls back, and with it its changes: readers see nothing of it.")
        sale = self.start_shop("us", "sell", "--product", MUG, "--quantity", 5000,
                               "--customer", "99999")
        _, errors = sale.communicate(timeout=WAIT_SECONDS)
        if sale.returncode != 1:
            raise DemoFailed("the shop sold what it did not have")
        self.say(f"us: {errors.strip()}")
        self.wait_converged()
        self.show(f"GET stock:{MUG}", f"SISMEMBER buyers:{MUG} 99999")

    def cut(self) -> None:
        self.step("The link between eu and us is cut. Both go on selling: 60 in eu, 40 in us.",
                  "A sale needs its own database only; what the other region cannot see waits.")
        self.sandbox.cut("eu", "us")
        started = [self.start_shop(region, "rush", "--product", MUG, "--customer", region,
                                   "--customers", sales // 20, "--sales", sales)
                   for region, sales in (("eu", 60), ("us", 40))]
        for process in started:
            self.finish(process)
        self.wait_seen("eu", f"GET sold:{MUG}", ["68"])
        self.wait_seen("us", f"GET sold:{MUG}", ["48"])
        self.show(f"GET stock:{MUG}", f"GET sold:{MUG}", f"SCARD buyers:{MUG}")
        self.show_status()

    def show_status(self) -> None:
        self.say("", "$ tributary status")
        status = self.sandbox.tributary("status", check=False).stdout
        self.say(*(f"  {line}" for line in status.strip().splitlines()))

    def conflict(self) -> None:
        self.step("Still cut: both regions change the same things, in opposite ways.",
                  f"Cart of customer 17850: eu removes {LAMP}, us adds it again.",
                  f"Price of {MUG}: eu says 2.95, and a moment later us says 3.25.")
        self.shop("eu", "cart-remove", "--customer", "17850", "--product", LAMP)
        self.shop("us", "cart-add", "--customer", "17850", "--product", LAMP)
        self.shop("eu", "price", "--product", MUG, "--price", "2.95")
        self.shop("us", "price", "--product", MUG, "--price", "3.25")
        self.wait_seen("eu", "SMEMBERS cart:17850", [CLOCK])
        self.wait_seen("eu", f"GET price:{MUG}", ["2.95"])
        self.wait_seen("us", f"GET price:{MUG}", ["3.25"])
        self.show("SMEMBERS cart:17850", f"GET price:{MUG}")

    def crash(self) -> None:
        self.step("The consumer of eu is killed with -9 in the middle of 200 sales per region.",
                  "Its progress is in Redis, with the data: the next one goes on from there.")
        rushes = [self.start_shop(region, "rush", "--product", MUG, "--customer", f"{region}-late",
                                  "--sales", 200, "--pause-ms", 5) for region in self.regions]
        time.sleep(0.4)
        killed = self.sandbox.kill9("consumer-eu")
        self.say(f"consumer-eu: pid {killed} killed")
        for rush in rushes:
            self.finish(rush)
        self.say(f"consumer-eu: started again by the supervisor, pid {self.restarted(killed)}")
        self.wait_seen("eu", f"GET sold:{MUG}", ["268"])
        self.wait_seen("us", f"GET sold:{MUG}", ["248"])
        self.say("Each region counts its own 200 sales once: none is lost, none counted twice.")
        self.show(f"GET sold:{MUG}")

    def restarted(self, killed: int) -> int:
        deadline = time.monotonic() + WAIT_SECONDS
        while (pid := self.sandbox.pid("consumer-eu")) == killed:
            if time.monotonic() > deadline:
                raise DemoFailed("consumer-eu was not started again")
            time.sleep(0.02)
        return pid

    def heal(self) -> None:
        self.step("The link is healed.",
                  "Each consumer reads what it missed and joins it into its own Redis.")
        self.sandbox.heal("eu", "us")
        seconds = self.wait_converged()
        self.show(f"GET stock:{MUG}", f"GET sold:{MUG}", f"SCARD buyers:{MUG}",
                  "SMEMBERS cart:17850", f"GET price:{MUG}")
        self.say(f"Equal {seconds:.1f} s after the link came back.",
                 f"{LAMP} is in the cart: an add wins over a remove that had not seen it.",
                 "The price is 3.25: the last write wins.")

    def check(self) -> None:
        self.step("The check: every key of both regions by plain reads, and the business tables.")
        wrong = differences(self.ports) + compare(self.ports, self.databases)
        first = self.ports[self.regions[0]]
        for command, wanted in (("SMEMBERS cart:17850", sorted([LAMP, CLOCK])),
                                (f"GET price:{MUG}", ["3.25"]), (f"GET sold:{MUG}", ["508"])):
            if (seen := read(first, command)) != wanted:
                wrong.append(f"{command} gives {' '.join(seen)}, not {' '.join(wanted)}")
        if wrong:
            raise DemoFailed("the regions are not as they should be:\n  " + "\n  ".join(wrong))
        self.say(f"{len(keys_of(first))} keys are equal in {' and '.join(self.regions)}.",
                 "stock, sold, revenue and buyers equal the sums over both PostgreSQL databases.")


def find_shop() -> Path:
    """TRIBUTARY_SHOP, or what ./dev demo built."""
    if os.environ.get("TRIBUTARY_SHOP"):
        return Path(os.environ["TRIBUTARY_SHOP"])
    for build in ("release", "dev"):
        path = REPOSITORY / "build" / build / "examples" / "shop" / "shop"
        if path.exists():
            return path
    raise DemoFailed("there is no shop program yet; run ./dev demo")


def show_logs(folder: Path) -> None:
    for log in sorted((folder / "logs").glob("*.log")):
        tail = log.read_text(errors="replace").splitlines()[-8:]
        print(f"--- {log.name}", *tail, sep="\n", file=sys.stderr)


def run() -> None:
    shop = find_shop()
    folder = Path(tempfile.mkdtemp(prefix="tributary-demo-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when root runs the demo
    sandbox = Sandbox(folder / "sandbox", ["eu", "us"])
    try:
        sandbox.start(progress=lambda line: print(f"▸ {line}", flush=True), tied=True)
        demo = Demo(sandbox, shop)
        try:
            demo.tell()
        except (DemoFailed, SandboxError):
            show_logs(sandbox.folder)
            raise
        finally:
            demo.stop()
    finally:
        print("\n▸ stopping everything and removing its files", flush=True)
        sandbox.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    argparse.ArgumentParser(prog="./dev demo", description=__doc__).parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda sent, _: sys.exit(128 + sent))
    start = time.monotonic()
    try:
        run()
    except KeyboardInterrupt:
        print("\ndemo: stopped by you", file=sys.stderr)
        return 130
    except (DemoFailed, SandboxError, NotRunning, Refused, subprocess.TimeoutExpired) as error:
        print(f"\n✗ demo: {error}", file=sys.stderr)
        return 1
    print(f"\n✓ Both regions are equal, after {time.monotonic() - start:.0f} s.",
          "Next: ./dev sandbox up   starts the same system for you to play with",
          "      ./dev test         runs all tests", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
