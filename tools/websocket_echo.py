#!/usr/bin/env python3
"""A small WebSocket server for the examples: echoes every message, in two fragments if it is longer than one byte.

  websocket_echo.py PORT     one client after another, until standard input ends; any path but /echo is a 404
"""
import base64
import hashlib
import socket
import struct
import sys
import threading

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(first, payload):
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    return bytes([first, 126]) + struct.pack(">H", size) + payload if size < 65536 else (
        bytes([first, 127]) + struct.pack(">Q", size) + payload)


def receive(stream):
    """One frame of the client: its first byte and its payload."""
    first, size = stream.read(2)
    size &= 127
    if size > 125:
        more = stream.read(2 if size == 126 else 8)
        size = int.from_bytes(more, "big")
    key = stream.read(4)
    return first, bytes(byte ^ key[at % 4] for at, byte in enumerate(stream.read(size)))


def serve(peer):
    stream = peer.makefile("rb")
    lines = [line.decode().strip() for line in iter(stream.readline, b"\r\n")]
    fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
    if " /echo " not in lines[0]:
        peer.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return
    accept = base64.b64encode(hashlib.sha1((fields["sec-websocket-key"] + MAGIC).encode()).digest()).decode()
    peer.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    while True:
        first, payload = receive(stream)
        if first == 0x88:
            peer.sendall(frame(first, payload))
            return
        if len(payload) < 2:
            peer.sendall(frame(first, payload))
        else:
            peer.sendall(frame(first & 0x7F, payload[:1]) + frame(0x80, payload[1:]))


def accept_all(listener):
    while True:
        peer, _ = listener.accept()
        with peer:
            serve(peer)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=accept_all, args=(listener,), daemon=True).start()
print("listening", flush=True)
sys.stdin.read()
