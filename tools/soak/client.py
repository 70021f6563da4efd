"""The soak's client: one connection, one response at a time, every byte counted."""
import socket
import struct
import time

PATIENCE = 60


class Fault(Exception):
    pass


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Fault(f"waited {PATIENCE} seconds for: {what}")
        time.sleep(0.02)


class Connection:
    """A client connection that reads one response at a time."""

    def __init__(self, port, source="127.0.0.1", window=None):
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source != "127.0.0.1":
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.held = b""
        self.sent = self.received = 0

    def send(self, data):
        self.socket.sendall(data)
        self.sent += len(data)

    def more(self, size=65536):
        got = self.socket.recv(size)
        if not got:
            raise Fault("the server closed in the middle of a response")
        self.held += got
        self.received += len(got)

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
        """(status, body) of the next response to anything but HEAD."""
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
