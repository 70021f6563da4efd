#!/usr/bin/env bash
# Builds every example with gcc and with clang, runs each server against curl and the example clients, and looks at what
# comes back. Ports are free ones; processes are ended by their own id.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
LIBRARY=${LIBRARY:-$ROOT/target/release}
# shellcheck source=tools/examples.lib.sh
. "$ROOT/tools/examples.lib.sh"

checks=0

# expect WHAT PATTERN FILE: the file holds a line that matches.
expect() {
    checks=$((checks + 1))
    grep -Eq -- "$2" "$3" && return 0
    echo "$1: expected /$2/, found:"
    cat "$3"
    return 1
}

get() { # get FILE CURL-ARGUMENT...: the answer, head and body, into FILE
    local file=$1
    shift
    curl -sS -i --noproxy '*' --max-time 20 "$@" >"$file" 2>&1 || { echo "curl $*:"; cat "$file"; return 1; }
}

run_server_sync() {
    local port
    port=$(free_port)
    start server_sync "$port"
    get "$WORK/a" "http://localhost:$port/"
    expect "GET /" '^HTTP/1.1 200 OK' "$WORK/a"
    expect "GET /" '^Hello, world!' "$WORK/a"
    expect "GET / has a Server" '^Server: Microsoft-HTTPAPI/2.0' "$WORK/a"
    get "$WORK/a" -A agent-7 "http://localhost:$port/about?x=1"
    expect "an unknown path" '^HTTP/1.1 404 Not Found' "$WORK/a"
    get "$WORK/a" -A agent-7 -H "X-Long: $(head -c 9000 /dev/zero | tr '\0' x)" "http://localhost:$port/about"
    expect "a head larger than the first buffer" '^agent: agent-7' "$WORK/a"
    head -c 300000 /dev/zero >"$WORK/upload"
    get "$WORK/a" --data-binary "@$WORK/upload" "http://localhost:$port/size"
    expect "POST" '^300000 bytes' "$WORK/a"
    run_clients "$port"
    get "$WORK/a" -X POST -d '' "http://localhost:$port/stop"
    ended server_sync
}

run_clients() {
    "$WORK/fetch" "http://localhost:$1/" >"$WORK/body" 2>"$WORK/head"
    expect "fetch: status" '^HTTP/1.1 200 OK' "$WORK/head"
    expect "fetch: body" '^Hello, world!$' "$WORK/body"
    "$WORK/fetch" "http://localhost:$1/none" >"$WORK/body" 2>"$WORK/head"
    expect "fetch: a 404 is an answer" '^HTTP/1.1 404' "$WORK/head"
    "$WORK/download_async" "http://localhost:$1/" "$WORK/file" >"$WORK/said" 2>&1
    expect "download: report" '^200, 14 bytes' "$WORK/said"
    expect "download: file" '^Hello, world!$' "$WORK/file"
    "$WORK/client_async_many" "http://localhost:$1/" "http://localhost:$1/none" "http://localhost:$1/" >"$WORK/said" 2>&1
    expect "many: a body" '^3: 200, 14 bytes' "$WORK/said"
    expect "many: a 404 is an answer" '^2: 404, ' "$WORK/said"
    if "$WORK/client_async_many" "http://localhost:$(free_port)/" "http://localhost:$1/" ftp://x/ >"$WORK/said" 2>&1; then
        echo "client_async_many succeeds where nobody listens"
        return 1
    fi
    expect "many: nobody there" '^1: error 12029' "$WORK/said"
    expect "many: a failure is its own" '^2: 200, 14 bytes' "$WORK/said"
    expect "many: no such scheme" '^3: error 12006' "$WORK/said"
    if "$WORK/fetch" "http://localhost:$(free_port)/" >"$WORK/body" 2>"$WORK/head"; then
        echo "fetch succeeds where nobody listens"
        return 1
    fi
    expect "fetch: nobody there" 'error 12029' "$WORK/head"
}

run_server_v1() {
    local port
    port=$(free_port)
    start server_v1 "http://localhost:$port/" "http://localhost:$port/images/"
    get "$WORK/a" "http://localhost:$port/a%20b?q"
    expect "v1 GET" 'You asked for http://localhost:[0-9]+/a b\?q' "$WORK/a"
    get "$WORK/a" -X FROBNICATE "http://localhost:$port/images/"
    expect "v1, an unknown method" 'The method FROBNICATE is not known' "$WORK/a"
    ended server_v1
}

run_server_iocp() {
    local port
    port=$(free_port)
    start server_iocp "http://localhost:$port/"
    for _ in $(seq 20); do get "$WORK/a" "http://localhost:$port/" "http://localhost:$port/b"; done
    expect "completion port" '^request 40' "$WORK/a"
    get "$WORK/a" -H "X-Long: $(head -c 9000 /dev/zero | tr '\0' x)" "http://localhost:$port/"
    expect "completion port, a larger head" '^request 41' "$WORK/a"
    ended server_iocp
    expect "completion port, the end" '^stopped after 41 requests' "$WORK/server_iocp.out"
}

run_server_threadpool() {
    local port
    port=$(free_port)
    start server_threadpool "$port"
    for _ in $(seq 10); do get "$WORK/a" "http://localhost:$port/" "http://localhost:$port/b"; done
    expect "thread pool" '^Hello from the thread pool!' "$WORK/a"
    ended server_threadpool
    expect "thread pool, the end" '^stopped' "$WORK/server_threadpool.out"
}

run_server_unix() {
    local get=(--unix-socket "$WORK/app.sock")
    start server_unix "$WORK/app.sock" --proxy
    get "$WORK/a" "${get[@]}" http://localhost/
    expect "a Unix socket" '^Hello, 127.0.0.1' "$WORK/a"
    get "$WORK/a" "${get[@]}" --haproxy-protocol http://localhost/
    expect "a Unix socket, a proxy without addresses" '^Hello, 127.0.0.1' "$WORK/a"
    printf 'PROXY TCP4 192.0.2.7 198.51.100.1 5 80\r\nGET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read()); print("".join(iter(lambda: s.recv(4096).decode(), "")))' "$WORK/app.sock" >"$WORK/a"
    expect "a Unix socket, a proxy" '^Hello, 192.0.2.7' "$WORK/a"
    get "$WORK/a" "${get[@]}" http://localhost/stop
    expect "a Unix socket, the end" '^Good-bye' "$WORK/a"
    ended server_unix
    checks=$((checks + 1))
    [ ! -e "$WORK/app.sock" ] || { echo "server_unix leaves its socket behind"; return 1; }
}

run_server_epoll() {
    local port
    port=$(free_port)
    start server_epoll "$port"
    for _ in $(seq 10); do get "$WORK/a" "http://localhost:$port/" "http://localhost:$port/b"; done
    expect "epoll" '^request 20' "$WORK/a"
    get "$WORK/a" -H "X-Long: $(head -c 9000 /dev/zero | tr '\0' x)" "http://localhost:$port/"
    expect "epoll, a larger head" '^request 21' "$WORK/a"
    ended server_epoll
    expect "epoll, the end" '^stopped after 21 requests' "$WORK/server_epoll.out"
}

run_echo_upload() {
    local port
    port=$(free_port)
    start echo_upload "$port"
    head -c 1000000 /dev/urandom >"$WORK/upload"
    curl -sS --noproxy '*' --max-time 20 -T "$WORK/upload" "http://localhost:$port/x" -o "$WORK/back"
    cmp "$WORK/upload" "$WORK/back"
    curl -sS --noproxy '*' --max-time 20 -H 'Transfer-Encoding: chunked' -T "$WORK/upload" "http://localhost:$port/x" -o "$WORK/back"
    cmp "$WORK/upload" "$WORK/back"
    curl -sS --noproxy '*' --max-time 20 -0 --data-binary "@$WORK/upload" "http://localhost:$port/x" -o "$WORK/back"
    cmp "$WORK/upload" "$WORK/back"
    get "$WORK/a" "http://localhost:$port/nothing"
    expect "echo of nothing" '^HTTP/1.1 200 OK' "$WORK/a"
    ended echo_upload
    checks=$((checks + 3))
}

run_websocket_echo() {
    local port
    port=$(free_port)
    cp "$ROOT/tools/websocket_echo.py" "$WORK/websocket_server"
    start websocket_server "$port"
    "$WORK/websocket_echo" "http://127.0.0.1:$port/echo" hello κόσμε >"$WORK/said" 2>&1
    expect "WebSocket" '^hello$' "$WORK/said"
    expect "WebSocket, a text in pieces" '^κόσμε$' "$WORK/said"
    expect "WebSocket, the end" '^closed, status 1000' "$WORK/said"
    if "$WORK/websocket_echo" "http://127.0.0.1:$port/" hello >"$WORK/said" 2>&1; then
        echo "websocket_echo succeeds without an upgrade"
        return 1
    fi
    expect "WebSocket, no upgrade" 'answers with 404' "$WORK/said"
    ended websocket_server
}

for compiler in gcc clang; do
    for source in "$ROOT"/examples-c/*.c; do
        build "$compiler" "$(basename "$source" .c)"
    done
    for server in server_sync server_v1 server_iocp server_threadpool server_unix server_epoll echo_upload websocket_echo; do
        "run_$server"
    done
done
echo "$checks checks passed"
