"""The results as a Markdown table, for a terminal, for results.md and between the README's markers."""
import os
import re
import time

from clients import GROUPS
from servers import SERVERS

MARKERS = ("<!-- bench:begin -->", "<!-- bench:end -->")


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as f:
        if found := re.search(r"model name\s*:\s*(.+)", f.read()):
            model = found.group(1).strip()
    system = os.uname()
    return f"{model}, {os.cpu_count()} cores, {system.sysname} {system.release}, {time.strftime('%-d %B %Y')}"


def table(head, rows):
    """A Markdown table whose columns line up when read as text."""
    rows = [head, *rows]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    line = lambda cells: "| " + " | ".join(
        c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))) + " |"
    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def figure(value, form):
    return "–" if value is None else format(value, form)


def server_table(results):
    head = ["server", "1 connection", "64", "512", "64, 16 deep", "µs a request at 64", "system calls at 1", "at 64",
            "instructions at 1", "at 64", "MiB, 10,000 idle"]
    rows = []
    for row, shapes in results["servers"].items():
        counts = results["exact"].get(row, {})
        pick = lambda connections, key: counts.get(connections, {}).get(key)
        rows.append([SERVERS[row][0], *(figure(shapes[s]["ratio"], ".2f") for s in ("1x1", "64x1", "512x1", "64x16")),
                     figure(shapes["64x1"]["us"], ".1f"),
                     figure(pick("1", "calls"), ".2f"), figure(pick("64", "calls"), ".2f"),
                     figure(pick("1", "instructions"), ",.0f"), figure(pick("64", "instructions"), ",.0f"),
                     figure(counts.get("idle_mib"), ".1f")])
    return table(head, rows)


def client_table(group, rows):
    title, unit, base, entries = GROUPS[group]
    counted = unit == "request"
    head = [title, f"times the CPU of {entries[base][0]}", "wanted at most", f"µs a {unit}",
            *(["instructions", "system calls"] if counted else [])]
    return table(head, [[entries[row][0], figure(got["times"], ".2f"), figure(entries[row][3], ".2f"),
                         figure(got["us"], ".1f"),
                         *([figure(got.get("instructions"), ",.0f"), figure(got.get("calls"), ".2f")] if counted else [])]
                        for row, got in rows.items()])


def bulk_table(results):
    rows = [[row, got["peer"], figure(got["times"], ".2f"), figure(got["wanted"], ".2f"), figure(got["us"], ".0f"),
             figure(got["peer_us"], ".0f"), figure(got["gb"], ".1f")] for row, got in results["bulk"].items()]
    return table(["nthttp, large bodies", "peer", "times the peer's CPU", "wanted at most", "µs a MiB", "the peer's",
                  "GB a second"], rows)


CLIENTS = ("Clients, against one nginx, with CPU time a request or MiB of the client as a multiple of a peer's: lower is "
           "better.")


def markdown(results):
    parts = [f"{results['machine']}; loopback, server on one core, load on the other; {results['rounds']} alternating "
             "rounds, medians" + ("; a quick look, not a measurement" if results["quick"] else "") + ".",
             "CPU time a request as a ratio to the limit measured in the same round: 1.00 is the limit, higher is "
             "better. The limit's own row is its second turn in each round, so it shows the noise. System calls and "
             "user-space instructions a request are exact (difference of two run lengths); memory is resident memory.",
             server_table(results), *([bulk_table(results)] if results["bulk"] else []),
             *([CLIENTS] if results["clients"] else []),
             *(client_table(group, rows) for group, rows in results["clients"].items())]
    if results["skipped"]:
        parts.append("Left out: " + "; ".join(f"{row} ({why})" for row, why in results["skipped"].items()) + ".")
    return "\n\n".join(parts) + "\n"


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def fill_readme(path, text):
    with open(path) as f:
        readme = f.read()
    begin, end = (readme.index(m) for m in MARKERS)
    write(path, readme[:begin + len(MARKERS[0])] + "\n" + text + readme[end:])
