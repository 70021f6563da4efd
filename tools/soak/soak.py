#!/usr/bin/env python3
"""make soak: what must hold of servers under a mixed load, meanwhile and after.

Three acts on each of two servers (an example with one thread, and server.c with a completion port and three), the second
and third for SOAK_SECONDS (120) in all:
  1  SOAK_CONNECTIONS (100000) connections come and go, by FIN and by reset, shared between the servers.
  2  Polite clients: keep-alive, pipelining, uploads, slow readers and writers, half-closed, cached, ranges. Afterwards the
     counters of server.c must be exactly what the clients saw: requests, bytes in, bytes out.
  3  Rude ones among them: they leave in the head, in the body, before and during the answer, idle, half-closed.
Then: every request that was answered was counted, and none twice; memory has not grown since the second act; no descriptor
and no connection is left; the servers end with 0. SOAK_SANITIZER=thread (or address) runs it all on a library built so; it
needs the nightly toolchain. Throughput says nothing here.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.append(os.path.dirname(HERE))
import c_tests  # noqa: E402
from client import PATIENCE, Connection, Fault, get, post, wait_for  # noqa: E402
from scenarios import BIG, Echo, Load, Polite, PoliteEverywhere, Rude, RudeEverywhere, come_and_go  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
CONNECTIONS = int(os.environ.get("SOAK_CONNECTIONS", "100000"))
SANITIZER = os.environ.get("SOAK_SANITIZER", "")
WORKERS = 6
GROWTH_KIB = 4096


def note(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")


class Builder:
    """Compiles the servers, against the release library or one with a sanitizer."""

    def __init__(self, folder):
        self.folder, self.environment, self.link = folder, dict(os.environ), ["-lnthttp", "-lpthread"]
        self.library, self.compiler = os.path.join(ROOT, "target", "release"), ["gcc", "-O2"]
        if SANITIZER:
            built = c_tests.nightly_library(SANITIZER)
            if built is None:
                raise Fault("the sanitizer needs the nightly toolchain")
            self.library, runtime = built
            self.compiler = ["clang", "-g", f"-fsanitize={SANITIZER}"]
            if SANITIZER == "thread":
                self.link = ["-Wl,--whole-archive", runtime, "-Wl,--no-whole-archive", "-Wl,--export-dynamic",
                             *self.link, "-ldl", "-lm", "-lrt", "-lresolv"]
            suppressions = os.path.join(ROOT, "tools", "tsan.supp")
            self.environment["TSAN_OPTIONS"] = f"suppressions={suppressions}:halt_on_error=0:exitcode=66"

    def build(self, source):
        program = os.path.join(self.folder, os.path.splitext(os.path.basename(source))[0])
        subprocess.run([*self.compiler, "-c", "-I" + os.path.join(ROOT, "include"), source, "-o", program + ".o"], check=True)
        # With ThreadSanitizer Rust's own runtime is linked, because an older clang's lacks what the library calls.
        linker = ["clang"] if SANITIZER == "thread" else self.compiler
        subprocess.run([*linker, program + ".o", "-L" + self.library, "-Wl,-rpath," + self.library, *self.link, "-o", program],
                       check=True)
        return program


class Server:
    """A server, built and running on a free port."""

    def __init__(self, builder, source, *arguments, speaks=False):
        self.name = os.path.splitext(os.path.basename(source))[0]
        program = builder.build(source)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = open(program + ".log", "w+")
        self.process = subprocess.Popen([program, str(self.port), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE if speaks else self.log,
                                        stderr=self.log, env=builder.environment)
        wait_for(lambda: self.process.poll() is not None or self.listens(), f"{self.name} listening")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def be_refused(self):
        """Something for the error log, which is opened with its first line and stays so."""
        with Connection(self.port) as c:
            c.send(b"nonsense\r\n\r\n")
            c.response()
        wait_for(lambda: any("httperr" in name for name in self.open_files()), f"{self.name} writing its error log")

    def open_files(self):
        folder = f"/proc/{self.process.pid}/fd"
        names = []
        for entry in os.listdir(folder):
            try:
                names.append(os.readlink(os.path.join(folder, entry)))
            except FileNotFoundError:
                pass  # closed meanwhile
        return names

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        """How it ended; what it said if that was not well."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            code = "no end"
        if code != 0:
            self.log.seek(0)
            print(self.log.read()[-4000:] if not SANITIZER else self.log.read()[:40000])
        return code


    def counters(self):
        """What server.c has counted, told without a request."""
        self.process.stdin.write(b"counters\n")
        self.process.stdin.flush()
        lines = iter(self.process.stdout.readline, b".\n")
        matches = (re.match(rb"nthttp_(\w+) (\d+)$", line) for line in lines)
        return {m[1].decode(): int(m[2]) for m in matches if m}


def counted(server):
    """The number of requests server_sync says it has had, this one included."""
    with Connection(server.port) as c:
        c.send(get("/about"))
        return int(re.search(rb"requests: (\d+)", c.response()[1]).group(1))


def without_connections(server):
    wait_for(lambda: server.counters()["connections"] == 0, f"{server.name} closing what its clients left")
    return server.counters()


def polite_act(plain, full, seconds):
    """The second act: counters must be what the clients saw, to the byte."""
    before, asked = without_connections(full), counted(plain)
    at_plain, at_full = Polite(plain), PoliteEverywhere(full)
    loads = [Load(at_plain.scenarios(), WORKERS // 3), Load(at_full.scenarios(), WORKERS - WORKERS // 3)]
    faults = run(loads, seconds, "polite clients")
    after = without_connections(full)
    if not faults:
        faults += differ("server_sync: requests", counted(plain) - asked - 1, loads[0].answered)
        for name, want in (("requests_total", loads[1].answered), ("received_bytes_total", at_full.sent),
                           ("sent_bytes_total", at_full.received)):
            faults += differ("server: " + name, after[name] - before[name], want)
    return faults


def rude_act(plain, echo, full, seconds):
    """The third act: no request is lost or counted twice, whoever leaves."""
    before, asked = without_connections(full), counted(plain)
    loads = [Load(Polite(plain).scenarios() + Rude(plain).scenarios(), 2), Load(Echo(echo).scenarios(), 1),
             Load(PoliteEverywhere(full).scenarios() + RudeEverywhere(full).scenarios() * 2, WORKERS - 3)]
    faults = run(loads, seconds, "rude clients")
    after = without_connections(full)
    if not faults:
        for load, got in ((loads[0], counted(plain) - asked - 1), (loads[2], after["requests_total"] - before["requests_total"])):
            if not load.answered <= got <= load.answered + load.perhaps:
                faults.append(f"{load.answered} to {load.answered + load.perhaps} requests were made, the server had {got}")
    return faults


def differ(what, got, want):
    return [] if got == want else [f"{what}: counted {got}, the clients saw {want}"]


def run(loads, seconds, name):
    """Runs loads side by side; the faults they found."""
    watch = lambda passed, load: note(f"{name}: {passed:.0f} of {seconds:.0f} s, {load.answered} answered")
    threads = [threading.Thread(target=load.run, args=(seconds, watch)) for load in loads]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    note("")
    for load in loads:
        print(f"{name}: {load.answered} answered; " + ", ".join(f"{k} {v}" for k, v in sorted(load.runs.items())))
    return [fault for load in loads for fault in load.faults]


def acts(plain, echo, full):
    servers, faults = (plain, echo, full), []
    for server in servers:
        server.be_refused()
    idle = [s.descriptors() for s in servers]
    for server in (plain, full):
        faults += come_and_go(server.port, CONNECTIONS // 2, WORKERS,
                              lambda n: note(f"{server.name}: connection {n} of {CONNECTIONS // 2}"))
        note("")
    print(f"{CONNECTIONS} connections came and went")
    faults += polite_act(plain, full, SECONDS / 2)
    warm = [s.resident_kib() for s in servers]
    faults += rude_act(plain, echo, full, SECONDS / 2)
    for server, kib, descriptors in zip(servers, warm, idle):
        growth = server.resident_kib() - kib
        print(f"{server.name}: {growth:+} KiB since the second act")
        if growth > GROWTH_KIB and not SANITIZER:
            faults.append(f"{server.name} grew by {growth} KiB")
        try:
            wait_for(lambda: server.descriptors() <= descriptors, f"{server.name} closing what its clients left")
        except Fault as why:
            faults.append(f"{why} ({server.descriptors() - descriptors} descriptors)")
    with Connection(plain.port) as c:
        c.send(post("/stop", 0))
        c.response()
    return faults


def main():
    folder = tempfile.mkdtemp(prefix="nthttp-soak-")
    os.environ.setdefault("NTHTTP_LOG_DIR", folder)
    servers, faults = [], []
    try:
        big = os.path.join(folder, "big")
        with open(big, "wb") as f:
            f.write(BIG)
        builder = Builder(folder)
        examples = os.path.join(ROOT, "examples-c")
        servers.append(Server(builder, os.path.join(examples, "server_sync.c")))
        servers.append(Server(builder, os.path.join(examples, "echo_upload.c")))
        servers.append(Server(builder, os.path.join(HERE, "server.c"), big, "3", speaks=True))
        faults += acts(*servers)
    except (Fault, OSError, subprocess.CalledProcessError) as why:
        faults.append(str(why))
    finally:
        for server in servers:
            if (code := server.end()) != 0:  # one that answers no more is ended by its id
                faults.append(f"{server.name} ended with {code}")
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(faults) if faults else "soak: nothing to complain of")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
