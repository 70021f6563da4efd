#!/usr/bin/env python3
"""make test: the whole gate. Each step prints one line; the first that fails prints its log and ends the run.

Steps run two at a time where that is safe: those that use cargo share its folder and run one after the other, the
others wait only for what they need. `gate.py NAME ...` runs only the named steps (and what they need);
`gate.py -k` goes on after a failure with what does not need the failed step; `gate.py --list` names the steps.
"""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT_SECONDS = 1500  # no step may take longer; a hang must not outlive the patience of whoever waits


class Step:
    """A command of the gate. `lane` names what it must not share with another step that runs; `needs`, who must pass."""

    def __init__(self, name, command, needs=(), lane=None, env=None, absent=None):
        self.name, self.command, self.needs, self.lane = name, command, needs, lane
        self.env, self.absent = env or {}, absent
        self.state, self.seconds, self.process, self.stopped = "waiting", 0.0, None, False
        self.log = tempfile.TemporaryFile("w+", errors="replace")

    def run(self):
        started = time.monotonic()
        self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=self.log, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env={**os.environ, **self.env},
                                        start_new_session=True)
        try:
            code = self.process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            code = f"no end after {LIMIT_SECONDS} seconds"
        self.seconds = time.monotonic() - started
        self.state = "stopped" if self.stopped else "ok" if code == 0 else "failed"

    def end(self):
        """Ends the step's own processes: it leads a session of its own."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def text(self):
        self.log.seek(0)
        return self.log.read()


def cargo(*arguments):
    return ["cargo", *arguments]


def unit_command():
    """Library and integration tests but layers and headers, which are steps of their own."""
    own = ("layers", "headers")
    names = [os.path.splitext(os.path.basename(p))[0] for p in sorted(glob.glob(os.path.join(ROOT, "tests", "*.rs")))]
    picked = [part for name in names if name not in own for part in ("--test", name)]
    return cargo("test", "--quiet", "--lib", *picked)


def script(*candidates):
    """The first of these scripts that exists, as a command that runs it with what shell it names."""
    for candidate in candidates:
        for path in sorted(glob.glob(os.path.join(ROOT, candidate))):
            return [path] if os.access(path, os.X_OK) else [{".py": "python3"}.get(path[-3:], "bash"), path]
    return None


def optional(name, command, absent, **rest):
    return Step(name, command or ["true"], absent=None if command else absent, **rest)


def has_nightly():
    try:
        return subprocess.run(["cargo", "+nightly", "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def steps():
    c_tests = ["python3", "tools/c_tests.py"]
    symbols, matrix = script("tools/symbols.sh", "tools/symbols*"), script("tools/matrix.py", "tools/matrix*")
    layout = script("tools/layout.sh", "c-tests/layout.sh")
    fuzz = glob.glob(os.path.join(ROOT, "fuzz", "Cargo.toml")) and has_nightly()
    nightly = has_nightly()
    return [
        Step("packages", ["tools/packages.sh"]),
        Step("fmt", cargo("fmt", "--check"), ["packages"]),
        Step("clippy", cargo("clippy", "--quiet", "--all-targets", "--", "-D", "warnings"), ["packages"], "cargo"),
        Step("layers", cargo("test", "--quiet", "--test", "layers"), ["packages"], "cargo"),
        Step("unit", unit_command(), ["packages"], "cargo"),
        Step("header drift", cargo("test", "--quiet", "--test", "headers"), ["packages"], "cargo"),
        Step("build", ["tools/build.sh"], ["packages"], "cargo"),
        Step("release", ["tools/build.sh", "--release"], ["packages"], "release"),
        optional("layout", layout, "no layout script", needs=["packages"]),
        Step("mingw", [*c_tests, "mingw"], ["packages"]),
        Step("c tests", [*c_tests, "plain"], ["build"], "ports"),
        Step("c tests, socketpair service", [*c_tests, "service"], ["build"], "ports",
             env={"NTHTTP_SERVICE": "socketpair"}),
        Step("address and undefined", [*c_tests, "address"], ["c tests"], "ports"),
        Step("threads", [*c_tests, "thread"], ["c tests"], "ports"),
        Step("examples", ["tools/run_examples.sh"], ["release"], "ports"),
        Step("readme programs", ["tools/readme_programs.sh"], ["release"], "ports"),
        optional("symbols", symbols, "no symbols script", needs=["release"]),
        optional("matrix", matrix and [*matrix, "--check"], "no matrix script", needs=["release"]),
        Step("docs", cargo("doc", "--quiet", "--no-deps"), ["packages"], "cargo", env={"RUSTDOCFLAGS": "-D warnings"}),
        optional("fuzz targets", fuzz and ["tools/fuzz.sh", "--build"], "no nightly toolchain" if not nightly else
                 "no fuzz targets", needs=["packages"], lane="fuzz"),
    ]


class Gate:
    """Runs steps, at most two at a time, and tells how they ended, in the order they end."""

    def __init__(self, wanted, keep_going):
        self.steps = steps()
        self.keep_going = keep_going
        self.colours = sys.stdout.isatty()
        if wanted:
            self.pick(wanted)

    def pick(self, wanted):
        by_name = {s.name: s for s in self.steps}
        if unknown := [w for w in wanted if w not in by_name]:
            sys.exit("no such step: " + ", ".join(unknown))
        keep, todo = set(), list(wanted)
        while todo:
            name = todo.pop()
            keep.add(name)
            todo += by_name[name].needs
        self.steps = [s for s in self.steps if s.name in keep]

    def paint(self, text, colour):
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colours else text

    def tell(self, step):
        word = {"ok": self.paint("ok    ", 32), "failed": self.paint("FAILED", 31)}[step.state]
        remark = "".join(f"  ({line[6:]})" for line in step.text().splitlines() if line.startswith("note: "))
        if step.absent:
            word, remark = self.paint("absent", 33), f"  ({step.absent})"
        print(f"{word}  {step.name:<28}{step.seconds:7.1f} s{remark}", flush=True)

    def ready(self, running):
        passed = {s.name for s in self.steps if s.state == "ok"}
        busy = {s.lane for s in running if s.lane}
        for step in self.steps:
            if step.state == "waiting" and passed.issuperset(step.needs) and step.lane not in busy:
                return step
        return None

    def run(self):
        running, told = [], threading.Condition()

        def work(step):
            step.run()
            with told:
                running.remove(step)
                if step.state != "stopped":
                    self.tell(step)
                told.notify()

        with told:
            while self.keep_going or not self.failed():
                while len(running) < 2 and (step := self.ready(running)):
                    step.state = "running"
                    running.append(step)
                    threading.Thread(target=work, args=(step,), daemon=True).start()
                if not running:
                    break
                told.wait()
        failed = self.failed()
        for step in list(running):
            step.stopped = True
            step.end()
        for step in failed:
            print(f"\n--- {step.name}: {' '.join(step.command)}\n{step.text()[-20000:]}")
        return self.close()

    def failed(self):
        return [s for s in self.steps if s.state == "failed"]

    def close(self):
        count = lambda state: sum(s.state == state for s in self.steps)
        passed, failed = count("ok") - sum(s.absent is not None and s.state == "ok" for s in self.steps), count("failed")
        left = len(self.steps) - count("ok") - failed
        if left:
            print(f"{left} steps did not run to their end")
        print(f"{passed} passed, {failed} failed")
        return 0 if failed == 0 and left == 0 else 1


def main():
    arguments = sys.argv[1:]
    if "--list" in arguments:
        print("\n".join(s.name for s in steps()))
        return 0
    started = time.monotonic()
    code = Gate([a for a in arguments if a != "-k"], "-k" in arguments).run()
    print(f"gate: {'ok' if code == 0 else 'failed'} after {time.monotonic() - started:.0f} seconds")
    return code


if __name__ == "__main__":
    sys.exit(main())
