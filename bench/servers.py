"""The rows: how each program is built, and how a server row is started on a port and stopped by its process id."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build", "bench")
LIBRARY = os.path.join(ROOT, "target", "release")
SERVER_CORE, LOAD_CORE = "0", "1"

NGINX = """
daemon off; {processes}
pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "Hello, world!"; }}
    location = /file {{ root {folder}; sendfile on; sendfile_max_chunk 2m; }}
    location = /upload {{ client_max_body_size 0; return 200; }}
  }}
}}
"""

# name -> (title, program, further arguments); "limit" must come first: everything is told as a ratio to it.
SERVERS = {
    "limit": ("minimal epoll server in C (the limit)", "epoll_limit", []),
    "nginx": ("nginx `return 200`", "nginx", []),
    "sync1": ("nthttp, receive and send, 1 thread", "nthttp_sync", ["1"]),
    "sync2": ("nthttp, receive and send, 2 threads", "nthttp_sync", ["2"]),
    "iocp": ("nthttp, completion port, 64 receives", "nthttp_iocp", ["64"]),
    "epoll": ("nthttp, by a pollable descriptor", "nthttp_epoll", []),
    "cache": ("nthttp, from the response cache", "nthttp_cache", []),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def build(program):
    """Builds one program of this folder; returns why it could not be built, or None."""
    if program == "nginx":
        return None if shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") else "nginx is not installed"
    needs_library = program.startswith(("nthttp", "winhttp"))
    if needs_library and not os.path.exists(os.path.join(LIBRARY, "libnthttp.so.0")):
        return "the library is not built (make)"
    os.makedirs(BUILD, exist_ok=True)
    if program == "hyper_client":
        return build_with_cargo(program)
    command = ["gcc", "-O2", "-std=gnu11", "-o", os.path.join(BUILD, program), os.path.join(HERE, program + ".c")]
    if needs_library:
        command += ["-I" + os.path.join(ROOT, "include"), "-L" + LIBRARY, "-Wl,-rpath," + LIBRARY, "-lnthttp"]
    if program.startswith("curl"):
        command += ["-lcurl"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    return "does not build: " + next((line for line in done.stderr.splitlines() if "error" in line), "?")


def build_with_cargo(program):
    """Builds a project of its own in this folder, in a target folder of its own."""
    target = os.path.join(ROOT, "target", program)
    manifest = os.path.join(HERE, program, "Cargo.toml")
    try:
        done = subprocess.run(["cargo", "build", "--release", "--quiet", "--manifest-path", manifest, "--target-dir", target],
                              capture_output=True, text=True)
    except FileNotFoundError:
        return "cargo is not installed"
    if done.returncode != 0:
        return "does not build: " + next((line for line in done.stderr.splitlines() if "error" in line), "?")
    shutil.copy2(os.path.join(target, "release", program), os.path.join(BUILD, program))
    return None


class Server:
    """A server row, running. `wrap` is a command to run it under (strace, valgrind)."""

    def __init__(self, row, wrap=(), pin=True):
        self.row = row
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="nthttp-bench-")
        program, arguments = self.program_of(row)
        if program == "nginx":
            processes = "master_process off;" if wrap else "worker_processes 1;"
            config = os.path.join(self.folder, "nginx.conf")
            with open(config, "w") as f:
                f.write(NGINX.format(folder=self.folder, port=self.port, processes=processes))
            binary = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
            command = [binary, "-c", config, "-p", self.folder, "-e", os.path.join(self.folder, "error.log")]
        else:
            command = [os.path.join(BUILD, program), str(self.port), *arguments]
        pinned = ["taskset", "-c", SERVER_CORE] if pin else []
        self.log = open(os.path.join(self.folder, "log"), "w")
        self.process = subprocess.Popen([*pinned, *wrap, *command], stdout=self.log, stderr=self.log)
        self.wait_until_listening(60 if wrap else 10)

    def program_of(self, row):
        """The program of a row and its arguments behind the port."""
        return SERVERS[row][1:]

    def wait_until_listening(self, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    said = self.last_words()
                    self.stop()
                    raise RuntimeError(f"did not start: {said}")
                time.sleep(0.02)

    def last_words(self):
        with open(self.log.name) as log:
            return (log.read().strip().splitlines() or ["no word"])[-1]

    def pids(self):
        """The process and its children, which do the work in nginx's case."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as f:
                        todo += [int(p) for p in f.read().split()]
            except OSError:
                pass
        return found

    def stop(self):
        """Ends the innermost processes first, so that a strace around them lives to write its summary."""
        for pid in reversed(self.pids()) if self.process.poll() is None else []:
            try:
                if pid != self.process.pid or len(self.pids()) == 1:
                    os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class BulkServer(Server):
    """A server of large bodies: `program` with a body of this length in memory and in a (sparse) file."""

    def __init__(self, program, length):
        self.length = length
        super().__init__(program)

    def program_of(self, program):
        path = os.path.join(self.folder, "file")
        with open(path, "wb") as f:
            f.truncate(self.length)
        if program == "nginx_file":
            # Its worker may run as another user.
            os.chmod(self.folder, 0o755)
            return "nginx", []
        return program, [str(min(self.length, 1 << 30)), *([path] if program == "nthttp_bulk" else [])]
