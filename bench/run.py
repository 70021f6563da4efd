#!/usr/bin/env python3
"""make bench: compares servers and clients side by side in one run, in alternation, and writes what it found.

The figure is CPU time a request of the server's processes, as a ratio to a minimal epoll server in C measured in the
same round; medians of the rounds. 1.00 is the limit, higher is better. The server has one core, the load the other.
Clients are told as multiples of a peer's CPU time against the same nginx: lower is better.
Measuring is in measure.py, the rows in servers.py, clients in clients.py, the table and the picture in report.py and picture.py.
"""
import argparse
import json
import os
import statistics
import sys

import bulk
import clients
import measure
import picture
import report
import servers

SHAPES = [(1, 1), (64, 1), (512, 1), (64, 16)]  # connections, requests outstanding on each
IDLE = 10000


def note(text):
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K" + text)
        sys.stderr.flush()


def say(text):
    note("")
    print(text, file=sys.stderr, flush=True)


def options():
    known = [*servers.SERVERS, *clients.ROWS]
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--json", metavar="FILE", help="write every figure to FILE")
    a.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a look, not a measurement")
    a.add_argument("--rows", metavar="A,B", help="only these rows (the limits always run): " + ", ".join(known))
    a.add_argument("--rounds", type=int, metavar="N", help="rounds (default 5, quick 3)")
    a.add_argument("--no-bulk", dest="bulk", action="store_false", help="leave out large bodies")
    a.add_argument("--no-exact", action="store_true", help="leave out system calls, instructions and memory")
    a.add_argument("--readme", action="store_true", help="also fill the table of README.md")
    a.add_argument("--no-write", action="store_true", help="write neither results.md nor results.svg")
    o = a.parse_args()
    o.rows = o.rows.split(",") if o.rows else known
    unknown = [r for r in o.rows if r not in known]
    if unknown:
        a.error("no such row: " + ", ".join(unknown))
    o.rounds = o.rounds or (3 if o.quick else 5)
    return o


def buildable(wanted, table, skipped):
    """The rows of a table that were asked for and can be built; the reason for the others goes to `skipped`."""
    rows = []
    for index, (row, entry) in enumerate(table.items()):
        if index > 0 and row not in wanted:
            continue
        why = servers.build(entry[1])
        if why is None:
            rows.append(row)
        else:
            skipped[row] = why
            say(f"left out: {row}: {why}")
    return rows


def start(rows, running, skipped):
    """Starts a server for each row; a row that does not start is told and left out. The limit must start."""
    for row in list(rows):
        try:
            running[row] = servers.Server(row)
        except RuntimeError as why:
            if row == "limit":
                raise
            skipped[row] = str(why)
            say(f"left out: {row}: {why}")
            rows.remove(row)


def measure_servers(rows, rounds, seconds, skipped):
    """Every row and shape once a round, the limit first; the limit's second turn shows the noise."""
    running = {}
    try:
        start(rows, running, skipped)
        figures = {row: {shape: [] for shape in SHAPES} for row in rows}
        for turn in range(rounds):
            for shape in SHAPES:
                note(f"round {turn + 1} of {rounds}: {shape[0]} connections, depth {shape[1]}")
                limit = measure.cpu_per_request(running["limit"], *shape, seconds)
                for row in [r for r in rows if r != "limit"] + ["limit"]:
                    got = measure.cpu_per_request(running[row], *shape, seconds)
                    got["ratio"] = limit["us"] / got["us"]
                    figures[row][shape].append(got)
    finally:
        for server in running.values():
            server.stop()
    middle = lambda turns, key: statistics.median(t[key] for t in turns)
    return {row: {f"{c}x{d}": {k: middle(turns, k) for k in ("ratio", "us", "rate")}
                  for (c, d), turns in shapes.items()} for row, shapes in figures.items()}


def measure_exact(rows, quick):
    """The figures without noise: a row that a tool cannot run under is told and left empty."""
    found = {row: {} for row in rows}
    for row in rows:
        for connections in (1, 64):
            note(f"counting: {row}, {connections} connections")
            try:
                found[row][str(connections)] = measure.exact(row, connections, quick)
            except (RuntimeError, OSError) as why:
                say(f"no exact figures: {row}, {connections} connections: {why}")
        try:
            note(f"memory: {row}")
            found[row]["idle_mib"] = measure.idle_memory(row, IDLE)
        except (RuntimeError, OSError) as why:
            say(f"no memory figure: {row}: {why}")
    return found


def main():
    o = options()
    skipped = {}
    for tool in ("load",):
        if why := servers.build(tool):
            sys.exit(f"{tool}: {why}")
    server_rows = buildable(o.rows, servers.SERVERS, skipped)
    results = {
        "machine": report.machine(), "rounds": o.rounds, "quick": o.quick, "skipped": skipped,
        "servers": measure_servers(server_rows, o.rounds, 0.4 if o.quick else 1.5, skipped),
        "exact": {} if o.no_exact else measure_exact(server_rows, o.quick),
        "bulk": bulk.measure(o.rounds, o.quick, skipped, note) if o.bulk else {},
        "clients": clients.measure(o.rows, o.rounds, o.quick, not o.no_exact, skipped, note, say),
    }
    note("")
    text = report.markdown(results)
    print(text)
    if o.json:
        with open(o.json, "w") as f:
            json.dump(results, f, indent=1)
    if not o.no_write:
        report.write(os.path.join(servers.HERE, "results.md"), "# What `make bench` found\n\n" + text)
        report.write(os.path.join(servers.HERE, "results.svg"), picture.draw(results))
    if o.readme:
        report.fill_readme(os.path.join(servers.ROOT, "README.md"), text)


if __name__ == "__main__":
    main()
