#!/usr/bin/env python3
"""Builds and runs the programs of c-tests/, two at a time, in one of five ways.

  c_tests.py plain      gcc and clang, each with and without -fshort-wchar, against the debug library
  c_tests.py service    the server's tests once more (the caller sets NTHTTP_SERVICE)
  c_tests.py address    under AddressSanitizer and UBSan, against a library that is instrumented too if it can be
  c_tests.py thread     those with queues, completions or callbacks under ThreadSanitizer
  c_tests.py mingw      syntax only, against mingw-w64's own headers: then the tests speak the real API

One file of c-tests/ is one program; what they share stands in headers. A file may say, in its opening comment:
  gate: short-wchar      only with that flag (it writes L"...")     gate: no-short-wchar   only without (u"...")
  gate: not-mingw        uses what mingw-w64's headers do not know    gate: thread           run under TSan too
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "c-tests")
LOGS = os.path.join(BUILD, "logs")
INCLUDE = os.path.join(ROOT, "include")
TARGET = "x86_64-unknown-linux-gnu"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-g"]
THREADED = re.compile(r"queue|compl|async|iocp|port|pool|callback|wait|event|overlapped|thread|cancel")
SECONDS = 120


def debug_folder():
    return os.path.join(ROOT, "target", "debug")


class Failure(Exception):
    pass


class Test:
    """One file of c-tests/ and what it asks for."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path) as f:
            self.source = f.read()
        self.marks = set(re.findall(r"gate: ([a-z-]+)", self.source))

    def widths(self):
        """The compiler flags for 16- and 32-bit wchar_t that this file stands."""
        if "short-wchar" in self.marks or "wmain" in self.source:
            return [["-fshort-wchar"]]
        return [[]] if "no-short-wchar" in self.marks else [[], ["-fshort-wchar"]]

    def is_server(self):
        return self.name.startswith("http_")

    def is_threaded(self):
        return "thread" in self.marks or THREADED.search(self.name) is not None


def tests():
    return [Test(p) for p in sorted(glob.glob(os.path.join(ROOT, "c-tests", "*.c")))]


def run(command, what, env=None):
    """Runs a command; on failure, raises what it printed. It does not see proxies of this machine."""
    plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=SECONDS, env={**plain, "NTHTTP_LOG_DIR": LOGS, **(env or {})}, cwd=ROOT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as hung:
        said = hung.stdout if isinstance(hung.stdout, str) else (hung.stdout or b"").decode(errors="replace")
        raise Failure(f"{what}: no end after {SECONDS} seconds\n{said}") from hung
    if done.returncode != 0:
        raise Failure(f"{what}: exit {done.returncode}\n$ {' '.join(command)}\n{done.stdout[-8000:]}")
    return done.stdout


def program(test, compiler, flags, label, library):
    """Builds a test; returns its path."""
    path = os.path.join(BUILD, f"{test.name}-{label}")
    include = ["-I" + INCLUDE, "-I" + os.path.join(INCLUDE, "case"), "-I" + os.path.join(ROOT, "c-tests")]
    link = ["-L" + library, "-Wl,-rpath," + library, "-lnthttp", "-lpthread"]
    run([compiler, *STRICT, *flags, *include, test.path, "-o", path, *link], f"{test.name} ({label}) does not build")
    return path


def plain_job(test, compiler, width):
    label = f"{compiler}{'-short' if width else ''}"
    run([program(test, compiler, width, label, debug_folder())], f"{test.name} ({label})")


def service_job(test):
    run([program(test, "gcc", test.widths()[0], "service", debug_folder())],
        f"{test.name} (NTHTTP_SERVICE={os.environ.get('NTHTTP_SERVICE')})")


def mingw_job(test):
    run(["x86_64-w64-mingw32-gcc", "-fsyntax-only", "-std=c11", "-Wall", "-Wextra", "-D_WIN32_WINNT=0x0A00",
         "-I" + os.path.join(ROOT, "c-tests"), test.path], f"{test.name} (mingw)")


def nightly_library(sanitizer):
    """Builds the library with a sanitizer on the nightly toolchain: (folder, runtime archive), or None without one."""
    home = subprocess.run(["rustc", "+nightly", "--print", "sysroot"], capture_output=True, text=True)
    if home.returncode != 0:
        return None
    libraries = os.path.join(home.stdout.strip(), "lib", "rustlib")
    runtime = os.path.join(libraries, TARGET, "lib", f"librustc-nightly_rt.{sanitizer[0]}san.a")
    standard = ["-Zbuild-std"] if os.path.isdir(os.path.join(libraries, "src")) else []
    folder = os.path.join(ROOT, "target", sanitizer)
    flags = f"-Zsanitizer={sanitizer} -Cunsafe-allow-abi-mismatch=sanitizer"
    done = subprocess.run(["cargo", "+nightly", "build", "--quiet", *standard, "--target", TARGET, "--target-dir", folder],
                          cwd=ROOT, env={**os.environ, "RUSTFLAGS": flags}, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr[-3000:])
        return None
    print("note: the library is instrumented too" + ("" if standard else ", its standard library is not"))
    library = os.path.join(folder, TARGET, "debug")
    link = os.path.join(library, "libnthttp.so.0")
    if not os.path.lexists(link):
        os.symlink("libnthttp.so", link)
    return library, runtime


def linked_with(path, symbol):
    if symbol not in subprocess.run(["nm", "-a", path], capture_output=True, text=True).stdout:
        raise Failure(f"{path}: built without its sanitizer")


def address_job(test, library):
    path = program(test, "clang", ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined",
                                   "-fno-omit-frame-pointer", *test.widths()[0]], "address", library)
    linked_with(path, "__asan_init")
    linked_with(path, "__ubsan_handle")
    run([path], f"{test.name} (address, undefined)", {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
                                                      "UBSAN_OPTIONS": "print_stacktrace=1"})


def thread_job(test, library, runtime):
    """Rust's own runtime is linked, because an older clang's lacks what the library's instrumentation calls."""
    path = os.path.join(BUILD, test.name + "-thread")
    include = ["-I" + INCLUDE, "-I" + os.path.join(INCLUDE, "case"), "-I" + os.path.join(ROOT, "c-tests")]
    run(["clang", *STRICT, *test.widths()[0], *include, "-fsanitize=thread", "-c", test.path, "-o", path + ".o"],
        f"{test.name} (thread) does not build")
    whole = ["-Wl,--whole-archive", runtime, "-Wl,--no-whole-archive", "-Wl,--export-dynamic"] if runtime else [
        "-fsanitize=thread"]
    run(["clang", path + ".o", *whole, "-L" + library, "-Wl,-rpath," + library, "-lnthttp", "-lpthread", "-ldl", "-lm",
         "-lrt", "-lresolv", "-o", path], f"{test.name} (thread) does not link")
    linked_with(path, "__tsan_init")
    suppressions = os.path.join(ROOT, "tools", "tsan.supp")
    run([path], f"{test.name} (thread)", {"TSAN_OPTIONS": f"suppressions={suppressions}:halt_on_error=0:exitcode=66"})


def jobs(mode):
    """What a mode does, as (function, arguments)."""
    every = tests()
    if mode == "plain":
        return [(plain_job, (t, c, w)) for t in every for c in ("gcc", "clang") for w in t.widths()]
    if mode == "service":
        return [(service_job, (t,)) for t in every if t.is_server()]
    if mode == "mingw":
        examples = [Test(p) for p in sorted(glob.glob(os.path.join(ROOT, "examples-c", "*.c")))]
        return [(mingw_job, (t,)) for t in [*every, *examples] if "not-mingw" not in t.marks]
    if mode == "address":
        built = nightly_library("address")
        if built is None:
            print("note: no nightly toolchain, so the library itself is not instrumented")
        return [(address_job, (t, built[0] if built else debug_folder())) for t in every]
    if mode == "thread":
        built = nightly_library("thread")
        if built is None:
            # Against a library that shows the sanitizer none of its locks, every report would be a false one.
            print("note: left out, it needs the nightly toolchain")
            return []
        return [(thread_job, (t, *built)) for t in every if t.is_threaded()]
    sys.exit(__doc__)


def main():
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    os.makedirs(BUILD, exist_ok=True)
    started, failures, todo = time.monotonic(), [], jobs(mode)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work, *arguments) for work, arguments in todo]:
            try:
                future.result()
            except Failure as failure:
                failures.append(str(failure))
    print("\n\n".join(failures))
    print(f"{mode}: {len(todo) - len(failures)} of {len(todo)} in {time.monotonic() - started:.0f} s")
    if not todo and mode != "thread":
        print("there is nothing to test: a gate that checks nothing has not passed")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
