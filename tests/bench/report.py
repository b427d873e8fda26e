"""Writes the tables of docs/benchmarks.md from the stored figures, and draws its plots.

Only the tables are replaced. Each table is between `<!-- NAME -->` and `<!-- /NAME -->`.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

PAGE = Path("docs/benchmarks.md")
FIGURES = Path("docs/benchmarks.json")
PLOTS = Path("docs/benchmarks")

PLOTTED = ("alternatives", "levers", "shapes", "event_log", "sizes")

Section = Mapping[str, Any]


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table with all columns except the first aligned right."""
    names = list(header)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def costs(section: Section, first: str, against: str | None = None) -> str:
    """Return a table of costs, optionally with seconds and CPU seconds relative to one candidate."""
    results = section["results"]
    header = [first, "seconds", "CPU seconds", "peak MiB"]
    rows = []
    for name, cost in results.items():
        row = [name, f"{cost['seconds']:.1f}", f"{cost['cpu_seconds']:.1f}", f"{cost['peak_mib']:,.0f}"]
        if against:
            other = results[against]
            row += [f"{cost[key] / other[key]:.2f}" for key in ("seconds", "cpu_seconds")]
        rows.append(row)
    return table(header + (["seconds, ratio", "CPU, ratio"] if against else []), rows)


def sizes(section: Section) -> str:
    """Return a table of rates."""
    rows = [
        [
            name,
            f"{cost['seconds']:.1f}",
            f"{cost['rows'] / cost['seconds'] / 1e6:.2f}",
            f"{cost['peak_mib']:,.0f}",
        ]
        for name, cost in sorted(section["results"].items(), key=lambda item: item[1]["rows"])
    ]
    return table(["rows", "seconds", "million rows/s, start included", "peak MiB"], rows)


def event_log(section: Section) -> str:
    """Return a table of readers."""
    ours = section["results"]["our reader"]["seconds"]
    rows = [
        [
            name,
            f"{cost['log_mb']:,.0f}",
            f"{cost['seconds']:.1f}",
            f"{cost['log_mb'] / cost['seconds']:,.0f}",
            f"{cost['peak_mib']:,.0f}",
            f"{cost['seconds'] / ours:.2f}",
        ]
        for name, cost in section["results"].items()
    ]
    return table(["reader", "log, MB", "seconds", "MB/s", "peak MiB", "seconds, ratio"], rows)


def step(section: Section) -> str:
    """Return a table of the rounds of a step."""
    rows = [
        [f"{n}", f"{pair['step']:.2f}", f"{pair['bare']:.2f}", f"{pair['step'] - pair['bare']:+.2f}"]
        for n, pair in enumerate(section["rounds"], 1)
    ]
    rows.append(["median", "", f"{section['ratio']:.3f}", f"{section['overhead_seconds']:+.2f}"])
    return table(["round", "step, s", "spark-submit, s", "overhead, s"], rows)


def sample(section: Section) -> str:
    """Return a table of the rounds of the job in `make run`."""
    rows = [
        [f"{n}", f"{pair['before']:.2f}", f"{pair['now']:.2f}", f"{pair['now'] / pair['before']:.2f}"]
        for n, pair in enumerate(section["rounds"], 1)
    ]
    rows.append(["median", "", "", f"{section['ratio']:.2f}"])
    return table(["round", f"{section['baseline'][:7]}, s", "now, s", "ratio"], rows)


def compared(section: Section) -> str:
    """Return a table of commands and those of an earlier commit."""
    rows = [
        [f"`make {name}`", *(f"{cost[key]:.2f}" for key in ("before", "now", "ratio", "cpu_ratio"))]
        for name, cost in section["results"].items()
    ]
    text = f"*Before* is commit {section['baseline'][:7]}.\n\n"
    return text + table(["", "before, s", "now, s", "seconds, ratio", "CPU, ratio"], rows)


def yarn(section: Section) -> str:
    """Return a table of jobs on YARN and in local-cluster mode."""
    rows = [
        [
            name,
            *(f"{cost[key]:.2f}" for key in ("before", "now")),
            f"{cost['difference']:+.2f}",
            f"{cost['ratio']:.2f}",
        ]
        for name, cost in section["results"].items()
    ]
    text = f"*Local-cluster* is commit {section['baseline'][:7]}.\n\n"
    return text + table(["", "local-cluster, s", "YARN, s", "difference, s", "ratio"], rows)


def plane(section: Section) -> str:
    """Return a table of the execution plane."""
    one = section["results"]["1"]["seconds"]
    rows = [
        [
            at_once,
            f"{cost['seconds']:.1f}",
            f"{cost['seconds_per_step']:.3f}",
            f"{one / cost['seconds']:.2f}",
        ]
        for at_once, cost in sorted(section["results"].items(), key=lambda item: int(item[0]))
    ]
    return f"{section['steps']} steps:\n\n" + table(
        ["steps at once", "seconds", "seconds per step", "speed-up"], rows
    )


def life_cycle(section: Section) -> str:
    """Return tables of the pipeline train, batch transform and statistics."""
    rows = [
        [f"{n}", *(f"{each[key]:.1f}" for key in ("run", "spark_jobs", "quick_start", "unchanged"))]
        for n, each in enumerate(section["rounds"], 1)
    ]
    rows.append(
        [
            "the run takes, in median",
            "1",
            f"{section['ratio']:.2f} times as long",
            f"{section['quick_start_ratio']:.2f} times as long",
            f"{1 / section['unchanged_ratio']:.1f} times as long",
        ]
    )
    header = [
        "round",
        "`make run PIPELINE=train`, s",
        "its Spark jobs alone, s",
        "with the quick start, s",
        "unchanged, s",
    ]
    transforms = [
        [
            f"{each['rows']:,}",
            f"{each['seconds']:.1f}",
            f"{each['rows_per_second']:,}",
            f"{each['peak_mib']:,.0f}",
        ]
        for each in section["transform"].values()
    ]
    found = section["statistics"]
    return "\n\n".join(
        [
            table(header, rows),
            table(["transform of rows", "seconds", "rows/s, start included", "peak MiB"], transforms),
            f"Statistics of {found['rows']:,} rows: {found['statistics']:.1f} s of CPU, "
            f"{found['ratio']:.2f} times a scan by our ingestion ({found['scan']:.1f} s).",
        ]
    )


def state(section: Section) -> str:
    """Return a table of servers without and with a kept state."""
    start, memory = section["start"], section["memory"]
    rows = [
        [
            f"`{mode}`",
            f"{start['seconds'][mode]:.2f}",
            *(f"{mib}" for mib in memory[mode]["mib"]),
            f"{memory[mode]['kib_per_execution']:.1f}",
            f"{memory[mode]['seconds_per_execution']:.3f}",
        ]
        for mode in memory
    ]
    count = section["executions"]
    text = (
        f"Starting with the state of one `make run` takes {start['ratio']:.2f} times as long as without.\n\n"
    )
    after = [f"MiB after {number:,}" for number in (count // 10, count)]
    return text + table(["", "start, s", *after, "KiB each", "seconds each"], rows)


def faults(section: Section) -> str:
    """Return a table of the phases in which jobs were killed, by store."""
    stores = section["stores"]
    counts = "; ".join(
        f"{name}: {store['kills']} kills, {store['looks']:,} reads, "
        f"{len(store['torn'])} of them of a partial output"
        for name, store in stores.items()
    )
    phases = sorted({phase for store in stores.values() for phase in store["phases"]})
    rows = [[phase, *(str(store["phases"].get(phase, 0)) for store in stores.values())] for phase in phases]
    return f"{counts} (seed {section['seed']}):\n\n{table(['killed while', *stores], rows)}"


TABLES: Mapping[str, Callable[[Section], str]] = {
    "alternatives": lambda section: costs(section, f"{section['rows']:,} rows", "our job"),
    "start": lambda section: costs(section, f"{section['rows']:,} rows", next(reversed(section["results"]))),
    "sample": sample,
    "large": lambda section: costs(section, f"{section['rows']:,} rows", "DuckDB"),
    "levers": lambda section: costs(section, f"{section['rows']:,} rows", "setting: our job"),
    "sizes": sizes,
    "executors": lambda section: costs(section, "executors", "1"),
    "shapes": lambda section: costs(section, f"{section['rows']:,} rows", "one file"),
    "event_log": event_log,
    "step": step,
    "plane": plane,
    "life_cycle": life_cycle,
    "state": state,
    "yarn": yarn,
    "commands": compared,
    "tests": compared,
    "faults": faults,
}


def render(page: str, figures: Mapping[str, Section]) -> str:
    """Return the page with the tables of the available figures.

    Raises:
        ValueError: the page has no place for one of them.
    """
    for name, section in figures.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if name not in TABLES or not place.search(page):
            raise ValueError(f"{PAGE} has no place for {name}")
        made = section["machine"]
        where = (
            f"Measured {made['date']} on {made['cores']} cores and {made['memory_gib']} GiB, "
            f"{made['system']}, Spark {made['spark']}."
        )
        text = f"{where}\n\n{TABLES[name](section)}\n"
        if name in PLOTTED:
            text += f"\n![{name}](benchmarks/{name}.svg)\n"
        page = place.sub(lambda match, text=text: f"{match[1]}\n{text}\n{match[2]}", page)  # type: ignore[misc]
    return page


def draw(figures: Mapping[str, Section]) -> None:
    """Draw the plots; equal figures result in equal files."""
    import matplotlib as mpl  # noqa: PLC0415 - only in the environment of benchmarks

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is selected

    PLOTS.mkdir(exist_ok=True)

    def save(name: str) -> None:
        plt.tight_layout()
        plt.savefig(PLOTS / f"{name}.svg", metadata={"Date": None})
        plt.close()

    for name in PLOTTED[:-1]:
        if section := figures.get(name):
            results = section["results"]
            plt.figure(figsize=(7, 0.8 + 0.35 * len(results)))
            plt.barh(list(results), [cost["seconds"] for cost in results.values()], color="#4c72b0")
            plt.gca().invert_yaxis()
            plt.xlabel("seconds, start included")
            save(name)
    if section := figures.get("sizes"):
        costs_by_rows = sorted((cost["rows"], cost) for cost in section["results"].values())
        plt.figure(figsize=(6, 3))
        millions = [rows / 1e6 for rows, _ in costs_by_rows]
        plt.plot(millions, [cost["rows"] / cost["seconds"] / 1e6 for _, cost in costs_by_rows], "o-")
        plt.xlabel("million rows")
        plt.ylabel("million rows/s")
        plt.ylim(bottom=0)
        save("sizes")


def main() -> None:
    """Write the page and draw the plots."""
    figures = json.loads(FIGURES.read_text())
    try:
        PAGE.write_text(render(PAGE.read_text(), figures))
    except ValueError as error:
        sys.exit(str(error))
    draw(figures)


if __name__ == "__main__":
    main()
