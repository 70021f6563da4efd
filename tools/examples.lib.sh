# Sourced by the scripts that run the examples: building them, starting them on a free port, and ending them by pid.
# It expects ROOT, and LIBRARY (the folder of libnthttp.so).

# Everything is on this machine, whatever proxy it uses for others.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

WORK=$(mktemp -d "${TMPDIR:-/tmp}/nthttp-examples.XXXXXX")
SERVER_PID=

clean_up() {
    [ -z "$SERVER_PID" ] || kill "$SERVER_PID" 2>/dev/null || true
    exec 9>&- 2>/dev/null || true
    rm -rf "$WORK"
}
trap clean_up EXIT

# build COMPILER NAME: compiles examples-c/NAME.c to $WORK/NAME. Source that writes L"..." says so by its wmain.
build() {
    local flags=(-std=gnu11 -O1 -Wall -Wextra -Werror)
    grep -q wmain "$ROOT/examples-c/$2.c" && flags+=(-fshort-wchar)
    "$1" "${flags[@]}" -I"$ROOT/include" "$ROOT/examples-c/$2.c" -o "$WORK/$2" -L"$LIBRARY" -Wl,-rpath,"$LIBRARY" -lnthttp
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start NAME ARGUMENT...: starts a server and waits until it says "listening". Descriptor 9 is its standard input.
start() {
    local name=$1 tries
    shift
    rm -f "$WORK/input"
    mkfifo "$WORK/input"
    "$WORK/$name" "$@" <"$WORK/input" >"$WORK/$name.out" 2>&1 &
    SERVER_PID=$!
    exec 9>"$WORK/input"
    for tries in $(seq 200); do
        grep -q listening "$WORK/$name.out" && return 0
        kill -0 "$SERVER_PID" 2>/dev/null || break
        sleep 0.05
    done
    echo "$name does not listen after $tries looks:"
    cat "$WORK/$name.out"
    return 1
}

# ended NAME: the server was told to stop; its exit code must be 0, and it must not take longer than ten seconds.
ended() {
    local code=0 tries
    exec 9>&-
    for tries in $(seq 200); do
        kill -0 "$SERVER_PID" 2>/dev/null || break
        sleep 0.05
    done
    [ "$tries" -lt 200 ] || { echo "$1 does not end"; return 1; }
    wait "$SERVER_PID" || code=$?
    SERVER_PID=
    [ "$code" -eq 0 ] || { echo "$1 ended with $code:"; cat "$WORK/$1.out"; return 1; }
}
