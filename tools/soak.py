#!/usr/bin/env python3
"""make soak: a mixed load on two example servers for SOAK_SECONDS (120), and what must hold meanwhile and after.

Keep-alive, pipelining, uploads of known length and chunked, aborts in the head, in the body and before the answer, slow
writers, half-closed connections, and echoed uploads compared byte by byte. Then: every request that was answered was
counted by the server, and none twice; memory has not grown since the warm-up; no descriptor is left; the server ends
with 0. It is an example's server: one thread, so throughput says nothing here.
"""
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY = os.path.join(ROOT, "target", "release")
SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
WORKERS = 6
GROWTH_KIB = 4096
PATIENCE = 30


class Fault(Exception):
    pass


class Server:
    """An example server, built and running on a free port."""

    def __init__(self, name, folder):
        self.name = name
        program = os.path.join(folder, name)
        subprocess.run(["gcc", "-O2", "-I" + os.path.join(ROOT, "include"), os.path.join(ROOT, "examples-c", name + ".c"),
                        "-o", program, "-L" + LIBRARY, "-Wl,-rpath," + LIBRARY, "-lnthttp"], check=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = open(os.path.join(folder, name + ".log"), "w+")
        self.process = subprocess.Popen([program, str(self.port)], stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=self.log)
        wait_for(lambda: self.process.poll() is not None or self.listens(), f"{name} listening")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            return "no end"


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Fault(f"waited {PATIENCE} seconds for: {what}")
        time.sleep(0.02)


class Connection:
    """A client connection that reads one response at a time."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.held = b""

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise Fault("the server closed in the middle of a response")
        self.held += got

    def take(self, count):
        while len(self.held) < count:
            self.more()
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    def line(self):
        while b"\r\n" not in self.held:
            self.more()
        return self.take(self.held.index(b"\r\n") + 2)[:-2]

    def response(self):
        """(status, body) of the next response."""
        status, fields = int(self.line().split()[1]), {}
        while line := self.line():
            name, value = line.split(b":", 1)
            fields[name.lower()] = value.strip()
        if fields.get(b"transfer-encoding") == b"chunked":
            return status, self.chunks()
        return status, self.take(int(fields[b"content-length"]))

    def chunks(self):
        body = b""
        while size := int(self.line(), 16):
            body += self.take(size)
            self.take(2)
        self.line()
        return body

    def try_send(self, data):
        """Sends what will be abandoned: a busy server may refuse it (503, connection closed) before it is all there."""
        try:
            self.send(data)
        except ConnectionError:
            pass

    def reset(self):
        """Leaves with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def get(path="/"):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path, length):
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


def in_chunks(path, body):
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    cuts = [body[i:i + 1500] for i in range(0, len(body), 1500)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in cuts) + b"0\r\n\r\n"


def expect(response, status, body):
    if response != (status, body):
        raise Fault(f"expected {status} {body[:40]!r}, got {response[0]} {response[1][:40]!r}")


HELLO = b"Hello, world!\n"


class Soak:
    """The scenarios. Each returns how many requests were answered, and how many more the server may have counted."""

    def __init__(self, plain, echo):
        self.plain, self.echo = plain, echo
        self.lock, self.answered, self.perhaps, self.runs, self.faults = threading.Lock(), 0, 0, {}, []
        self.over = threading.Event()

    def keep_alive(self, dice):
        count = dice.randint(1, 60)
        with Connection(self.plain.port) as c:
            for _ in range(count):
                c.send(get())
                expect(c.response(), 200, HELLO)
        return count, 0

    def pipelined(self, dice):
        count = dice.randint(2, 40)
        paths = [dice.choice(["/", "/none"]) for _ in range(count)]
        with Connection(self.plain.port) as c:
            c.send(b"".join(map(get, paths)))
            for path in paths:
                expect(c.response(), *((200, HELLO) if path == "/" else (404, b"no such page\n")))
        return count, 0

    def upload(self, dice):
        size = dice.choice([0, 1, dice.randint(2, 5000), dice.randint(5000, 400000)])
        body = dice.randbytes(size)
        with Connection(self.plain.port) as c:
            c.send(post("/size", size) + body if dice.random() < 0.5 else in_chunks("/size", body))
            expect(c.response(), 200, b"%d bytes\n" % size)
        return 1, 0

    def abort_in_head(self, dice):
        c = Connection(self.plain.port)
        c.send(get()[:dice.randint(1, 20)])
        c.reset() if dice.random() < 0.5 else c.socket.close()
        return 0, 0

    def abort_in_body(self, dice):
        c = Connection(self.plain.port)
        c.try_send(post("/size", 100000) + b"x" * dice.randint(0, 50000))
        c.reset() if dice.random() < 0.5 else c.socket.close()
        return 0, 1

    def abort_before_answer(self, _dice):
        c = Connection(self.plain.port)
        c.try_send(get() * 3)
        c.reset()
        return 0, 3

    def slow(self, dice):
        request = post("/size", 5) + b"12345"
        with Connection(self.plain.port) as c:
            while request:
                cut = dice.randint(1, 12)
                c.send(request[:cut])
                request = request[cut:]
                time.sleep(0.002)
            expect(c.response(), 200, b"5 bytes\n")
        return 1, 0

    def half_closed(self, _dice):
        with Connection(self.plain.port) as c:
            c.send(get())
            c.socket.shutdown(socket.SHUT_WR)
            expect(c.response(), 200, HELLO)
            if c.socket.recv(1):
                raise Fault("more than one response on a half-closed connection")
        return 1, 0

    def echoed(self, dice):
        body = dice.randbytes(dice.randint(0, 200000))
        with Connection(self.echo.port) as c:
            sender = threading.Thread(target=c.send, args=(in_chunks("/", body),))
            sender.start()
            got = c.response()
            sender.join()
            expect(got, 200, body)
        return 0, 0

    def echo_aborted(self, dice):
        c = Connection(self.echo.port)
        c.try_send(post("/", 1000000) + b"x" * dice.randint(0, 60000))
        c.reset()
        return 0, 0

    def work(self, seed):
        dice = random.Random(seed)
        scenarios = [self.keep_alive, self.pipelined, self.upload, self.abort_in_head, self.abort_in_body,
                     self.abort_before_answer, self.slow, self.half_closed, self.echoed, self.echo_aborted]
        while not self.over.is_set():
            scenario = dice.choice(scenarios)
            try:
                answered, perhaps = scenario(dice)
            except (Fault, OSError, ValueError, KeyError, IndexError) as why:
                self.faults.append(f"{scenario.__name__}: {why!r}")
                self.over.set()
                return
            with self.lock:
                self.answered += answered
                self.perhaps += perhaps
                self.runs[scenario.__name__] = self.runs.get(scenario.__name__, 0) + 1


def counted(server):
    """The number of requests the server says it has had, this one included."""
    with Connection(server.port) as c:
        c.send(get("/about"))
        return int(re.search(rb"requests: (\d+)", c.response()[1]).group(1))


def show(soak, seconds, servers):
    if sys.stderr.isatty():
        memory = ", ".join(f"{s.name} {s.resident_kib()} KiB" for s in servers)
        sys.stderr.write(f"\r\x1b[K{seconds:.0f} of {SECONDS:.0f} s, {soak.answered} answered, {memory}")


def load(soak, servers):
    """Runs the workers; returns each server's memory after the first fifth."""
    threads = [threading.Thread(target=soak.work, args=(seed,)) for seed in range(WORKERS)]
    started, warm = time.monotonic(), None
    for t in threads:
        t.start()
    while (passed := time.monotonic() - started) < SECONDS and not soak.over.wait(0.5):
        if warm is None and passed > SECONDS / 5:
            warm = [s.resident_kib() for s in servers]
        show(soak, passed, servers)
    soak.over.set()
    for t in threads:
        t.join()
    return warm or [s.resident_kib() for s in servers]


def main():
    folder = tempfile.mkdtemp(prefix="nthttp-soak-")
    servers, faults = [], []
    try:
        for name in ("server_sync", "echo_upload"):
            servers.append(Server(name, folder))
        plain, echo = servers
        counted(plain)
        idle = [s.descriptors() for s in servers]
        soak = Soak(plain, echo)
        before = counted(plain)
        warm = load(soak, servers)
        faults += soak.faults
        got = counted(plain) - before - 1
        if not soak.faults and not soak.answered <= got <= soak.answered + soak.perhaps:
            faults.append(f"{soak.answered} to {soak.answered + soak.perhaps} requests were made, the server had {got}")
        for server, kib, descriptors in zip(servers, warm, idle):
            growth = server.resident_kib() - kib
            print(f"{server.name}: {growth:+} KiB since the warm-up")
            if growth > GROWTH_KIB:
                faults.append(f"{server.name} grew by {growth} KiB")
            try:
                wait_for(lambda: server.descriptors() <= descriptors, f"{server.name} closing what its clients left")
            except Fault as why:
                faults.append(f"{why} ({server.descriptors() - descriptors} descriptors)")
        with Connection(plain.port) as c:
            c.send(post("/stop", 0))
            c.response()
        print(f"{soak.answered} answered; runs: " + ", ".join(f"{k} {v}" for k, v in sorted(soak.runs.items())))
    except (Fault, OSError) as why:
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
