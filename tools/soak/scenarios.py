"""What the soak's clients do. A scenario returns how many requests were answered, and how many more the server may have
counted because their connection was given up.
"""
import random
import socket
import threading
import time

from client import Connection, Fault, get, in_chunks, post, wait_for

HELLO = b"Hello, world!\n"
SIZE = 1024 * 1024
BIG = bytes(97 + i % 23 for i in range(SIZE))
NO_PAGE = {"server_sync": b"no such page\n", "server": HELLO}


def expect(response, status, body):
    if response != (status, body):
        raise Fault(f"expected {status} {body[:40]!r}, got {response[0]} {response[1][:40]!r}")


class Polite:
    """Scenarios of which server and client must count the very same requests and bytes."""

    def __init__(self, server):
        self.server, self.port = server, server.port
        self.lock, self.sent, self.received = threading.Lock(), 0, 0

    def done(self, connection, answered):
        connection.socket.close()
        with self.lock:
            self.sent += connection.sent
            self.received += connection.received
        return answered, 0

    def keep_alive(self, dice):
        count = dice.randint(1, 60)
        c = Connection(self.port)
        for _ in range(count):
            c.send(get())
            expect(c.response(), 200, HELLO)
        return self.done(c, count)

    def pipelined(self, dice):
        count = dice.randint(2, 40)
        paths = [dice.choice(["/", "/none"]) for _ in range(count)]
        c = Connection(self.port)
        c.send(b"".join(map(get, paths)))
        for path in paths:
            expect(c.response(), *((200, HELLO) if path == "/" else (404, NO_PAGE[self.server.name])))
        return self.done(c, count)

    def upload(self, dice):
        size = dice.choice([0, 1, dice.randint(2, 5000), dice.randint(5000, 400000)])
        body = dice.randbytes(size)
        c = Connection(self.port)
        c.send(post("/size", size) + body if dice.random() < 0.5 else in_chunks("/size", body))
        expect(c.response(), 200, b"%d bytes\n" % size)
        return self.done(c, 1)

    def slow_writer(self, dice):
        request = post("/size", 5) + b"12345"
        c = Connection(self.port)
        while request:
            cut = dice.randint(1, 12)
            c.send(request[:cut])
            request = request[cut:]
            time.sleep(0.002)
        expect(c.response(), 200, b"5 bytes\n")
        return self.done(c, 1)

    def half_closed(self, _dice):
        c = Connection(self.port)
        c.send(get())
        c.socket.shutdown(socket.SHUT_WR)
        expect(c.response(), 200, HELLO)
        if c.socket.recv(1):
            raise Fault("more than one response on a half-closed connection")
        return self.done(c, 1)

    def scenarios(self):
        return [self.keep_alive, self.pipelined, self.upload, self.slow_writer, self.half_closed]


class PoliteEverywhere(Polite):
    """Those that need the soak's own server."""

    def cached(self, dice):
        count = dice.randint(1, 40)
        c = Connection(self.port)
        c.send(get("/cached") * count)
        for _ in range(count):
            expect(c.response(), 200, HELLO)
        return self.done(c, count)

    def slow_reader(self, dice):
        c = Connection(self.port, window=8192)
        c.send(get(dice.choice(["/big", "/file"])))
        for _ in range(dice.randint(1, 20)):
            c.more(dice.randint(1, 4000))
            time.sleep(0.002)
        expect(c.response(), 200, BIG)
        return self.done(c, 1)

    def range(self, dice):
        first = dice.randrange(SIZE)
        last = min(SIZE - 1, first + dice.randint(0, 100000))
        c = Connection(self.port)
        c.send(get("/file").replace(b"\r\n\r\n", b"\r\nRange: bytes=%d-%d\r\n\r\n" % (first, last)))
        expect(c.response(), 206, BIG[first:last + 1])
        return self.done(c, 1)

    def scenarios(self):
        return [*super().scenarios(), self.cached, self.slow_reader, self.range]


class Rude:
    """Scenarios that give their connection up, in every state it can be in."""

    def __init__(self, server):
        self.port = server.port

    def leave(self, c, dice):
        c.reset() if dice.random() < 0.5 else c.socket.close()

    def in_head(self, dice):
        c = Connection(self.port)
        c.send(get()[:dice.randint(1, 20)])
        self.leave(c, dice)
        return 0, 0

    def in_body(self, dice):
        c = Connection(self.port)
        c.try_send(post("/size", 100000) + b"x" * dice.randint(0, 50000))
        self.leave(c, dice)
        return 0, 1

    def before_answer(self, _dice):
        c = Connection(self.port)
        c.try_send(get() * 3)
        c.reset()
        return 0, 3

    def idle(self, dice):
        c = Connection(self.port)
        c.send(get())
        expect(c.response(), 200, HELLO)
        self.leave(c, dice)
        return 1, 0

    def scenarios(self):
        return [self.in_head, self.in_body, self.before_answer, self.idle]


class RudeEverywhere(Rude):
    """Those that need the soak's own server."""

    def in_answer(self, dice):
        c = Connection(self.port, window=8192)
        c.send(get(dice.choice(["/big", "/file"])) * dice.randint(1, 3))
        c.more(dice.randint(1, 4000))
        self.leave(c, dice)
        return 0, 3

    def held(self, dice):
        c = Connection(self.port)
        c.send(get("/held"))
        if dice.random() < 0.5:
            time.sleep(0.005)
        c.reset()
        return 0, 1

    def dropped(self, _dice):
        c = Connection(self.port)
        c.send(get("/dropped"))
        try:
            if c.socket.recv(1):
                raise Fault("a cancelled request was answered")
        except ConnectionError:
            pass
        c.socket.close()
        return 0, 1

    def half_closed_in_answer(self, dice):
        c = Connection(self.port, window=8192)
        c.send(get("/big"))
        c.socket.shutdown(socket.SHUT_WR)
        if dice.random() < 0.5:
            expect(c.response(), 200, BIG)
            c.socket.close()
            return 1, 0
        c.more(1000)
        self.leave(c, dice)
        return 0, 1

    def garbage(self, dice):
        c = Connection(self.port)
        c.try_send(dice.randbytes(dice.randint(1, 400)) + b"\r\n\r\n")
        self.leave(c, dice)
        return 0, 1

    def scenarios(self):
        return [*super().scenarios(), self.in_answer, self.held, self.dropped, self.half_closed_in_answer, self.garbage]


class Echo:
    """Uploads that come back, byte by byte."""

    def __init__(self, server):
        self.port = server.port

    def echoed(self, dice):
        body = dice.randbytes(dice.randint(0, 200000))
        with Connection(self.port) as c:
            sender = threading.Thread(target=c.send, args=(in_chunks("/", body),))
            sender.start()
            got = c.response()
            sender.join()
            expect(got, 200, body)
        return 0, 0

    def echo_aborted(self, dice):
        c = Connection(self.port)
        c.try_send(post("/", 1000000) + b"x" * dice.randint(0, 60000))
        c.reset()
        return 0, 0

    def scenarios(self):
        return [self.echoed, self.echo_aborted]


class Load:
    """Workers that run scenarios by chance until told to end."""

    def __init__(self, scenarios, workers):
        self.scenarios, self.workers = scenarios, workers
        self.lock, self.answered, self.perhaps, self.runs, self.faults = threading.Lock(), 0, 0, {}, []
        self.over = threading.Event()

    def run(self, seconds, watch):
        threads = [threading.Thread(target=self.work, args=(seed,)) for seed in range(self.workers)]
        started = time.monotonic()
        for t in threads:
            t.start()
        while (passed := time.monotonic() - started) < seconds and not self.over.wait(0.5):
            watch(passed, self)
        self.over.set()
        for t in threads:
            t.join()

    def work(self, seed):
        dice = random.Random(seed)
        while not self.over.is_set():
            scenario = dice.choice(self.scenarios)
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


def come_and_go(port, connections, workers, note):
    """So many connections with one request each, from many addresses, closed by FIN or reset in turn."""
    left, lock, faults = iter(range(connections)), threading.Lock(), []

    def work():
        try:
            while not faults:
                with lock:
                    n = next(left, None)
                if n is None:
                    return
                c = Connection(port, f"127.0.{1 + n % 50}.{1 + n // 50 % 100}")
                c.send(get())
                expect(c.response(), 200, HELLO)
                c.reset() if n % 2 else c.socket.close()
                if n % 1000 == 0:
                    note(n)
        except (Fault, OSError, ValueError, KeyError, IndexError) as why:
            faults.append(f"connection {n}: {why!r}")

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return faults
