#!/usr/bin/env bash
# make demo: starts the example server on a free port, fetches from it with the two example clients, and says what
# happened. Needs only what built the library, and gcc.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
LIBRARY=$ROOT/target/release
# shellcheck source=tools/examples.lib.sh
. "$ROOT/tools/examples.lib.sh"

say() { printf '\n== %s\n' "$*"; }

# A port nobody listens on; the demo must not need python for it.
demo_port() {
    local port
    for port in $(seq $((20000 + RANDOM % 10000)) 32000); do
        (exec 8<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

for example in server_sync fetch download_async; do
    build gcc "$example"
done
port=$(demo_port)
start server_sync "$port"
say "server_sync, an HTTP Server API program, is $(cat "$WORK/server_sync.out")"

say "fetch, a synchronous WinHTTP program: GET /"
"$WORK/fetch" "http://localhost:$port/" 2>&1

say "fetch: GET /about"
"$WORK/fetch" "http://localhost:$port/about" 2>&1

say "download_async, an asynchronous WinHTTP program: GET / into a file"
"$WORK/download_async" "http://localhost:$port/" "$WORK/page"
grep -q '^Hello, world!$' "$WORK/page"
printf 'the file holds: %s\n' "$(cat "$WORK/page")"

kill "$SERVER_PID"
wait "$SERVER_PID" 2>/dev/null || true
SERVER_PID=
say "done: unchanged Windows source served and fetched on $(uname -s)"
