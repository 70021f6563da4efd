"""Clients side by side against one nginx: CPU time a request or a MiB as a multiple of a peer's in the same round.

What can be counted exactly is counted as well: user instructions and system calls a request, by the difference of two
runs. The programs are in this folder; hyper's is a project of its own in hyper_client/.
"""
import json
import os
import re
import statistics
import subprocess
import tempfile

import servers
from measure import by_difference

MIB = 1 << 20
FLIGHT = 64

# group -> (title, unit, the row that the others are told as multiples of, {row: (title, program, arguments, wanted)})
# Arguments follow the port; {n} is how much to do.
GROUPS = {
    "one": ("client, one request at a time", "request", "raw", {
        "raw": ("raw socket", "raw_client", ["{n}"], None),
        "hyper": ("hyper, one connection", "hyper_client", ["{n}"], None),
        "curl": ("libcurl, easy interface", "curl_client", ["{n}"], None),
        "winhttp": ("nthttp, WinHTTP, synchronous", "winhttp_client", ["{n}"], 1.30),
    }),
    "many": (f"client, {FLIGHT} requests in flight", "request", "hyper64", {
        "hyper64": (f"hyper, {FLIGHT} connections", "hyper_client", ["{n}", str(FLIGHT)], None),
        "curlmulti": ("libcurl, multi interface with epoll", "curl_multi", ["{n}", str(FLIGHT)], None),
        "winhttpasync": ("nthttp, WinHTTP, asynchronous", "winhttp_async", ["{n}", str(FLIGHT)], 1.10),
    }),
    "down": ("client, a download of 1 GiB", "MiB", "curldown", {
        "curldown": ("libcurl, easy interface", "curl_bulk", ["down", "{n}"], None),
        "winhttpdown": ("nthttp, WinHTTP, synchronous", "winhttp_bulk", ["down", "{n}"], 1.05),
    }),
    "up": ("client, an upload of 1 GiB", "MiB", "curlup", {
        "curlup": ("libcurl, easy interface", "curl_bulk", ["up", "{n}"], None),
        "winhttpup": ("nthttp, WinHTTP, synchronous", "winhttp_bulk", ["up", "{n}"], 1.05),
    }),
}
# A GiB takes half a second, and costs by half more in runs in which each write has to wake the reader up. So it is
# measured so many times as often as the rest.
BULK_ROUNDS = 4
ROWS = [row for _, _, _, rows in GROUPS.values() for row in rows]


def command(entry, port, amount):
    _, program, arguments, _ = entry
    return [os.path.join(servers.BUILD, program), str(port), *(a.format(n=amount) for a in arguments)]


def run(words):
    done = subprocess.run(["taskset", "-c", servers.LOAD_CORE, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{words[0]} failed")
    return done.stdout


def cost(entry, port, amount):
    """Microseconds of the client's CPU time a request or MiB; it measures itself."""
    said = json.loads(run(command(entry, port, amount)))
    return said["cpu_us"] / said["requests"] if "requests" in said else said["cpu_us"] / (said["bytes"] / MIB)


def system_calls(entry, port, requests):
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as summary:
        run(["strace", "-f", "-c", "-o", summary.name, *command(entry, port, requests)])
        return int(re.findall(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$", summary.read(), re.M)[-1])


def instructions(entry, port, requests):
    with tempfile.NamedTemporaryFile("r", suffix=".callgrind") as log:
        wrap = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-file=" + log.name]
        run([*wrap, *command(entry, port, requests)])
        return int(re.findall(r"Collected : (\d+)", log.read())[-1])


def exact(entry, port, quick):
    """System calls and user instructions a request; the programs' warm-up adds a tenth to each run."""
    short, long = (500, 2500) if quick else (1000, 11000)
    count = lambda of: by_difference(lambda _, n: of(entry, port, n), 0, short, long) / 1.1
    return {"calls": count(system_calls), "instructions": count(instructions)}


def buildable(wanted, skipped, say):
    """The rows of each group that were asked for and can be built, the one to compare with always among them."""
    found = {}
    for group, (_, _, base, rows) in GROUPS.items():
        if not any(row in wanted for row in rows):
            continue
        found[group] = {}
        for row, entry in rows.items():
            if row != base and row not in wanted:
                continue
            why = servers.build(entry[1])
            if why is None:
                found[group][row] = entry
            else:
                skipped[row] = why
                say(f"left out: {row}: {why}")
        if base not in found[group]:
            del found[group]
    return found


def measure(wanted, rounds, quick, with_exact, skipped, note, say):
    """Every row of every group once a round, the one to compare with first."""
    groups = buildable(wanted, skipped, say)
    results = {}
    with servers.BulkServer("nginx_file", 1024 * MIB) as server:
        for group, rows in groups.items():
            base = GROUPS[group][2]
            amount = (128 if quick else 1024) * MIB if group in ("down", "up") else (3000 if quick else 20000)
            turns = {row: [] for row in rows}
            group_rounds = rounds * (BULK_ROUNDS if group in ("down", "up") else 1)
            for turn in range(group_rounds):
                note(f"{GROUPS[group][0]}: round {turn + 1} of {group_rounds}")
                costs = {row: cost(entry, server.port, amount) for row, entry in rows.items()}
                for row in rows:
                    turns[row].append((costs[row], costs[row] / costs[base]))
            results[group] = {row: dict(zip(("us", "times"), map(statistics.median, zip(*all_))))
                              for row, all_ in turns.items()}
            for row, entry in rows.items() if with_exact and group in ("one", "many") else ():
                note(f"counting: {row}")
                try:
                    results[group][row] |= exact(entry, server.port, quick)
                except (RuntimeError, OSError, IndexError) as why:
                    say(f"no exact figures: {row}: {why}")
    return results
