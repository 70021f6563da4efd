"""Large bodies: CPU time a MiB of the server, each of our rows beside its peer in the same round."""
import json
import os
import statistics
import subprocess

import servers
from measure import cpu_seconds

MIB = 1 << 20
# name -> (body bytes, direction, path, the peer's program, the peer's title, wanted at most)
ROWS = {
    "file 1 MiB": (MIB, "down", "/file", "nginx_file", "nginx, sendfile", 1.10),
    "file 1 GiB": (1024 * MIB, "down", "/file", "nginx_file", "nginx, sendfile", 1.10),
    "memory 1 MiB": (MIB, "down", "/memory", "raw_bulk", "raw socket", 1.05),
    "upload 16 MiB": (16 * MIB, "up", "/upload", "raw_bulk", "raw socket", 1.10),
}


def one(running, length, direction, path, total):
    """Microseconds of the server's CPU time a MiB over one run of this many bytes."""
    pids = running.pids()
    before = cpu_seconds(pids)
    command = ["taskset", "-c", servers.LOAD_CORE, os.path.join(servers.BUILD, "bulk_load"), str(running.port), direction,
               path, str(length), str(max(1, total // length))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or "bulk_load failed")
    said = json.loads(done.stdout)
    return (cpu_seconds(pids) - before) * 1e6 / (said["bytes"] / MIB), said["bytes"] / said["seconds"] / 1e9


def measure(rounds, quick, skipped, note):
    """Every row: our CPU a MiB as a multiple of the peer's, medians of rounds in alternation."""
    found = {}
    total = (256 if quick else 2048) * MIB
    for program in ("bulk_load", "raw_bulk", "nthttp_bulk"):
        if why := servers.build(program):
            skipped[program] = why
            return found
    for row, (length, direction, path, peer, peer_title, wanted) in ROWS.items():
        try:
            with servers.BulkServer("nthttp_bulk", length) as ours, servers.BulkServer(peer, length) as other:
                turns = []
                for turn in range(rounds):
                    note(f"{row}: round {turn + 1} of {rounds}")
                    theirs, _ = one(other, length, direction, path, total)
                    mine, speed = one(ours, length, direction, path, total)
                    turns.append((mine / theirs, mine, theirs, speed))
        except (RuntimeError, OSError) as why:
            skipped[row] = str(why)
            continue
        middle = [statistics.median(t[i] for t in turns) for i in range(4)]
        found[row] = dict(zip(("times", "us", "peer_us", "gb"), middle), peer=peer_title, wanted=wanted)
    return found
