"""What the engine's bench writes into the documentation: the page with its table, and the plot as SVG. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, log10

from engine_figures import Point, Results
from jinja2 import Environment

WIDTH, HEIGHT, LEFT, TOP, PANEL, GAP = 960, 340, 62, 44, 236, 76
Curve = tuple[str, Callable[[Point], float]]
PANELS: tuple[tuple[str, Sequence[Curve]], ...] = (
    ("calls in an hour of replication", (("calls", lambda one: float(one.hour_calls)),)),
    ("processor seconds", (("in that hour", lambda one: one.hour_cpu_s), ("a sweep", lambda one: one.sweep_cpu_s))),
    ("peak memory, MB", (("memory", lambda one: one.peak_mb),)),
)
COLOURS = ("#0b63c5", "#b3541e")

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" role="img"
  font-family="sans-serif" font-size="11" fill="#333">
<title>Calls, processor time and memory against machines, both axes logarithmic</title>
<rect width="{{ width }}" height="{{ height }}" fill="#fff"/>
{% for panel in panels %}<g transform="translate({{ panel.x }} {{ top }})">
<text x="0" y="-18" font-size="13" font-weight="bold">{{ panel.title }}</text>
{% for tick in panel.y_ticks %}<path d="M0 {{ tick.at }}H{{ side }}" stroke="#e3e3e3"/>
<text x="-6" y="{{ tick.at + 4 }}" text-anchor="end">{{ tick.told }}</text>
{% endfor %}{% for tick in panel.x_ticks %}<path d="M{{ tick.at }} 0V{{ side }}" stroke="#e3e3e3"/>
<text x="{{ tick.at }}" y="{{ side + 16 }}" text-anchor="middle">{{ tick.told }}</text>
{% endfor %}<path d="M0 0V{{ side }}H{{ side }}" fill="none" stroke="#777"/>
<path d="{{ panel.linear }}" fill="none" stroke="#999" stroke-dasharray="4 4"/>
{% for curve in panel.curves %}<path d="{{ curve.path }}" fill="none" stroke="{{ curve.colour }}" stroke-width="2"/>
{% for dot in curve.dots %}<circle cx="{{ dot[0] }}" cy="{{ dot[1] }}" r="3" fill="{{ curve.colour }}"/>
{% endfor %}<text x="8" y="{{ 14 + 14 * loop.index0 }}" fill="{{ curve.colour }}">{{ curve.name }}</text>
{% endfor %}</g>
{% endfor %}<text x="{{ width / 2 }}" y="{{ height - 10 }}" text-anchor="middle">machines; dashed: linear</text>
</svg>
"""

PAGE = """# Performance

`make bench` measures the engine against the lab and wrote this page (`python tests/bench/bench_engine.py --write`).
{{ machine }}; the run took {{ minutes }} minutes.

Everything goes over HTTPS with the real SDK and the real credential. The lab runs in a process of its own, its token
buckets are those of Azure Resource Manager (reads 250 and 25 a second, writes 200 and 10 a second), and it holds every
answer back for 50 ms (a planted row of the lab: latency on the server's side; signing in is not held back). Beginning
replication runs in real time. Where hours are counted, the engine's waits are leapt over together with the lab's time;
requests, their latency and the buckets stay as they are.

| measure | asr-migrate | target | | one SDK poller a machine, every 30 s | one Ansible task a host |
|---|---|---|---|---|---|
{% for one in table %}| {{ one | join(" | ") }} |
{% endfor %}
A `~` marks what was extrapolated from a smaller sample, with a share for each machine. Lists are what the lab serves:
200 protected items or 100 servers of an appliance a page.

{% for row in rows if row.note %}- **{{ row.what }}**: {{ row.note }}
{% endfor %}
## Growth

![Calls, processor time and memory against machines](performance.svg)

| machines | reads of a sweep | processor time of a sweep | calls in an hour | processor time in an hour | peak memory |
|---|---|---|---|---|---|
{% for one in lines %}| {{ one | join(" | ") }} |
{% endfor %}
The hour is one of steady replication: the engine waits for the wave's disks, with its lock held in the vault. Calls
count everything that Azure was asked, the lock's renewals included.

## The naive ways

- **One SDK poller a machine**: one loop calls `begin_create` for every machine with Microsoft's synchronous SDK; its
  poller, a thread, asks every 30 s. This is kinder than a thread that begins each machine at once.
- **One Ansible task a host**: a process a machine imports the SDK, signs in, begins the operation or looks, and ends;
  five at once, Ansible's default. Ansible's own time is not counted.
"""


def svg(points: Sequence[Point]) -> str:
    """Return the plot: three panels, both axes logarithmic, a dashed line for linear growth."""
    panels = [_panel(number, title, curves, points) for number, (title, curves) in enumerate(PANELS)]
    template = Environment(autoescape=True).from_string(SVG)
    return template.render(width=WIDTH, height=HEIGHT, top=TOP, side=PANEL, panels=panels) + "\n"


def _panel(number: int, title: str, curves: Sequence[Curve], points: Sequence[Point]) -> dict[str, object]:
    values = [max(get(one), 1e-4) for _, get in curves for one in points]
    low_x, high_x = floor(log10(min(one.machines for one in points))), log10(max(one.machines for one in points))
    low_y, high_y = floor(log10(min(values))), floor(log10(max(values))) + 1

    def x(machines: float) -> float:
        return round((log10(machines) - low_x) / max(high_x - low_x, 1) * PANEL, 1)

    def y(value: float) -> float:
        return round(PANEL - (log10(max(value, 1e-4)) - low_y) / (high_y - low_y) * PANEL, 1)

    drawn = [
        {
            "name": name if len(curves) > 1 else "",
            "colour": COLOURS[index],
            "dots": [(x(one.machines), y(get(one))) for one in points],
            "path": "M" + "L".join(f"{x(one.machines)} {y(get(one))}" for one in points),
        }
        for index, (name, get) in enumerate(curves)
    ]
    decades = range(int(low_x), int(high_x) + 1)
    slope = min(high_x - low_x, high_y - low_y)
    return {
        "title": title,
        "x": LEFT + number * (PANEL + GAP),
        "curves": drawn,
        "x_ticks": [{"at": x(10.0**power), "told": f"{10**power:,}"} for power in decades],
        "y_ticks": [{"at": y(10.0**power), "told": f"{10.0**power:,.6g}"} for power in range(low_y, high_y + 1)],
        "linear": f"M0 {PANEL}L{x(10 ** (low_x + slope))} {y(10 ** (low_y + slope))}",
    }


def page(results: Results) -> str:
    """Return the page as Markdown."""
    template = Environment(autoescape=False, trim_blocks=False).from_string(PAGE)
    return template.render(
        rows=results.rows,
        table=[(one.what, one.told, one.target, one.verdict, one.poller, one.host) for one in results.rows],
        lines=[
            (
                f"{one.machines:,}",
                one.sweep_reads,
                f"{one.sweep_cpu_s:.3f} s",
                f"{one.hour_calls:,}",
                f"{one.hour_cpu_s:.2f} s",
                f"{one.peak_mb:.0f} MB",
            )
            for one in results.points
        ],
        machine=results.machine,
        minutes=f"{results.took_s / 60:.0f}",
    )
