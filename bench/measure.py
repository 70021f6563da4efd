"""One measurement each: CPU time of a window of load, exact counts by difference, memory of idle connections."""
import json
import os
import re
import resource
import subprocess
import tempfile

from servers import BUILD, LOAD_CORE, SERVER_CORE, Server

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """CPU time so far of these processes' threads: by the scheduler's nanoseconds, else utime + stime in ticks."""
    total = 0.0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                    total += int(f.read().split()[0]) / 1e9
        except FileNotFoundError:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def load(port, connections, *options):
    """Runs the load generator on its own core and returns what it reports."""
    command = ["taskset", "-c", LOAD_CORE, os.path.join(BUILD, "load"), "-w", *map(str, options),
               str(port), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or "load failed")
    return json.loads(done.stdout)


def cpu_per_request(server, connections, depth, seconds):
    """Microseconds of the server's CPU time a request, and requests a second, over one window of load."""
    pids = server.pids()
    before = cpu_seconds(pids)
    said = load(server.port, connections, "-t", seconds, "-p", depth)
    spent = cpu_seconds(pids) - before
    if said["errors"]:
        raise RuntimeError(f"{server.row}: {said['errors']} errors under load")
    # The warm-up's one request a connection is in the CPU time; count it too.
    return {"us": spent * 1e6 / (said["requests"] + connections), "rate": said["requests"] / said["seconds"]}


def by_difference(count_of, connections, short, long):
    """An exact figure a request: two runs of different length, so that start, warm-up and end cancel out."""
    return (count_of(connections, long) - count_of(connections, short)) / (long - short)


def system_calls(row, connections, requests):
    """All system calls of a server from start to end, with this many requests in between."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as summary:
        with Server(row, ["strace", "-f", "-c", "-o", summary.name]) as server:
            load(server.port, connections, "-n", requests)
        totals = re.findall(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$", summary.read(), re.M)
    if not totals:
        raise RuntimeError("strace gave no summary")
    return int(totals[-1])


def instructions(row, connections, requests):
    """All user-space instructions of a server from start to end, with this many requests in between."""
    with tempfile.NamedTemporaryFile("r", suffix=".callgrind") as log:
        wrap = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-file=" + log.name]
        with Server(row, wrap) as server:
            load(server.port, connections, "-n", requests)
        counted = re.findall(r"Collected : (\d+)", log.read())
    if not counted:
        raise RuntimeError("callgrind gave no total")
    return int(counted[-1])


def exact(row, connections, quick):
    """System calls and user instructions a request."""
    short, long = (500, 2500) if quick else (1000, 11000)
    return {
        "calls": by_difference(lambda c, n: system_calls(row, c, n), connections, short, long),
        "instructions": by_difference(lambda c, n: instructions(row, c, n), connections, short, long),
    }


def resident_kib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as f:
            total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    return total


def idle_memory(row, connections):
    """MiB of resident memory that this many idle keep-alive connections add to a warm server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < connections + 200:
        raise RuntimeError(f"only {hard} descriptors allowed")
    with Server(row) as server:
        load(server.port, 16, "-n", 1000)
        before = resident_kib(server.pids())
        command = [os.path.join(BUILD, "load"), "-i", str(server.port), str(connections)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as held:
            if held.stdout.readline() != b"idle\n":
                raise RuntimeError(f"{row}: could not hold {connections} connections")
            after = resident_kib(server.pids())
            held.stdin.close()
    return (after - before) / 1024
