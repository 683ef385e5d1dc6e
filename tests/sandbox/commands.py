#!/usr/bin/env python3
"""./dev sandbox up|env|status|down|cut|heal|start|stop: a private Tributary to play with."""
import argparse
import os
import shlex
import sys
from pathlib import Path

from sandbox import DEFAULT_FOLDER, NotRunning, Refused, Sandbox, SandboxError
from supervisor import is_daemon

_TO_TRY = """\
{ready}

  eval "$({dev} env{dir})"
  echo '{{"key":"stock:85123A","type":"counter","add":10}}' |
      tributary write --origin shop_{first}
  redis-cli -p "$REDIS_{LAST}_PORT" GET stock:85123A
  tributary status
  psql "$PGURL_SHOP_{FIRST}"
  {dev} cut{dir} {first} {last}   # and later: {dev} heal{dir}
  kill -9 "$PID_CONSUMER_{FIRST}"   # it is started again within a second
  {dev} down{dir}
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.add_argument("--dir", type=Path, default=DEFAULT_FOLDER,
                         help="the sandbox's folder (default: .sandbox in the repository)")
        return sub

    up = command("up", "start everything and print the commands to try")
    up.add_argument("--regions", default="eu,us", help="names, separated by commas")
    up.add_argument("--direct", action="store_true", help="no proxies between regions: no cut")
    up.add_argument("--no-daemons", action="store_true", help="servers and topology only")
    command("env", 'print shell variables: eval "$(./dev sandbox env)"')
    command("status", "show processes and links")
    down = command("down", "stop everything and remove the folder")
    down.add_argument("--keep", action="store_true", help="keep data and logs")
    cut = command("cut", "stop what flows between regions")
    cut.add_argument("regions", nargs="*", metavar="REGION", help="two or more (default: all)")
    cut.add_argument("--silent", action="store_true",
                     help="connections stay open and carry nothing, instead of being reset")
    heal = command("heal", "let it flow again")
    heal.add_argument("regions", nargs="*", metavar="REGION", help="two or more (default: all)")
    for name, help in (("start", "start processes that were stopped"),
                       ("stop", "stop processes; they stay down until they are started")):
        command(name, help).add_argument(
            "names", nargs="*", metavar="NAME", help="as in status (default: relays and consumers)")
    return parser.parse_args()


def up(options) -> None:
    sandbox = Sandbox(options.dir, options.regions.split(","), direct=options.direct,
                      daemons=not options.no_daemons)
    if sandbox.running():
        ready = f"A sandbox is already running in {options.dir}."
    else:
        sandbox.start(progress=lambda line: print(f"▸ {line}", flush=True))
        ready = f"The sandbox is ready. Its topology: {sandbox.topology}. To try:"
    first, *_, last = [*sandbox.regions(), *sandbox.regions()]
    folder = "" if options.dir == DEFAULT_FOLDER else f" --dir {shlex.quote(str(options.dir))}"
    print(_TO_TRY.format(ready=ready, dev="./dev sandbox", dir=folder, first=first, last=last,
                         FIRST=first.upper(), LAST=last.upper()), end="")


def env(options) -> None:
    sandbox = Sandbox(options.dir)
    state = sandbox.state()
    values = {"TRIBUTARY_TOPOLOGY": state["topology"]}
    for region, each in state["regions"].items():
        values[f"REDIS_{region}_PORT"] = each["redis_port"]
        values[f"AMQP_{region}_PORT"] = each["amqp_port"]
    for origin, each in state["origins"].items():
        scheme, rest = each["database"].split("://", 1)
        values[f"SQLITE_{origin}" if scheme == "sqlite" else f"PGURL_{origin}"] = (
            rest if scheme == "sqlite" else each["database"])
    for name, each in state["processes"].items():
        if is_daemon(name) and each["wanted"]:
            values[f"PID_{name.replace('-', '_')}"] = sandbox.pid(name)
    for name, value in values.items():
        print(f"export {name.upper()}={shlex.quote(str(value))}")
    programs = os.path.dirname(os.path.abspath(state["tributary"]))
    print(f'export PATH={shlex.quote(programs)}:"$PATH"')


def status(options) -> None:
    state = Sandbox(options.dir).state()
    for name, each in state["processes"].items():
        doing = f"pid {each['pid']}" if each["pid"] else (
            "being restarted" if each["wanted"] else "stopped")
        print(f"{name:24} {doing:16} {each['restarts']} restarts   {each['log']}")
    for link in state["links"]:
        print(f"{link['owner']} -> {link['viewer']:18} {link['state']}")


def down(options) -> None:
    sandbox = Sandbox(options.dir)
    ran = sandbox.running()
    sandbox.stop(options.keep)
    print(f"The sandbox in {options.dir} is down." if ran else
          f"No sandbox was running in {options.dir}.")


def cut(options) -> None:
    check_pair(options.regions)
    Sandbox(options.dir).cut(*options.regions, silent=options.silent)
    print(f"Cut: {' - '.join(options.regions) or 'all regions'}.")


def heal(options) -> None:
    check_pair(options.regions)
    Sandbox(options.dir).heal(*options.regions)
    print(f"Healed: {' - '.join(options.regions) or 'all regions'}.")


def check_pair(regions: list[str]) -> None:
    if len(regions) == 1:
        raise SandboxError("name two regions or more, or none for all")


def start(options) -> None:
    Sandbox(options.dir).start_process(*options.names)


def stop(options) -> None:
    Sandbox(options.dir).stop_process(*options.names)


def main() -> int:
    options = arguments()
    try:
        globals()[options.command](options)
    except (NotRunning, Refused, SandboxError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
