"""The sandbox's topology: which origins there are, and the file that says so."""
from dataclasses import dataclass

KEYSPACES = {
    "counter": ["stock:*", "sold:*", "revenue:*", "views:*", "counter:*"],
    "register": ["price:*", "name:*", "order:*", "profile:*", "register:*"],
    "set": ["cart:*", "tags:*", "buyers:*", "followers:*", "set:*"],
}


@dataclass(frozen=True)
class Origin:
    name: str
    region: str
    kind: str  # postgresql or sqlite


def origins_of(regions: list[str]) -> list[Origin]:
    """A PostgreSQL origin per region, and a SQLite one in the first."""
    shops = [Origin(f"shop_{region}", region, "postgresql") for region in regions]
    return shops + [Origin(f"till_{regions[0]}", regions[0], "sqlite")]


def render(amqp_ports: dict, redis_ports: dict, link_ports: dict, databases: dict,
           origins: list[Origin]) -> str:
    """link_ports: (owner, viewer) -> port; databases: origin's name -> URL."""
    lines = ["# Written by ./dev sandbox.", "version: 1", "regions:"]
    for region, amqp_port in amqp_ports.items():
        url_from = ", ".join(f'{viewer}: "amqp://127.0.0.1:{port}"'
                             for (owner, viewer), port in link_ports.items() if owner == region)
        lines += [f"  {region}:", "    broker:", f'      url: "amqp://127.0.0.1:{amqp_port}"']
        if url_from:
            lines.append(f"      url_from: {{{url_from}}}")
        lines.append(f'    replica: {{url: "redis://127.0.0.1:{redis_ports[region]}/0"}}')
    lines.append("origins:")
    for origin in origins:
        lines.append(f'  {origin.name}: {{region: {origin.region}, '
                     f'database: "{databases[origin.name]}"}}')
    lines.append("keyspaces:")
    for type_name, patterns in KEYSPACES.items():
        lines += [f'  - {{pattern: "{pattern}", type: {type_name}}}' for pattern in patterns]
    return "\n".join(lines) + "\n"
