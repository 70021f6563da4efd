#!/usr/bin/env bash
# Holds the README to its word: compiles its C programs as they stand there, runs the server and reads it with the client.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
LIBRARY=$ROOT/target/release
# shellcheck source=tools/examples.lib.sh
. "$ROOT/tools/examples.lib.sh"

port=$(free_port)
awk -v out="$WORK/program" '/^```c$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside { print > (out n ".c") }' \
    "$ROOT/README.md"
for n in 1 2; do
    sed -i "s/8080/$port/" "$WORK/program$n.c"
    gcc -Wall -Wextra -Werror -I"$ROOT/include" "$WORK/program$n.c" -o "$WORK/program$n" -L"$LIBRARY" \
        -Wl,-rpath,"$LIBRARY" -lnthttp
done
"$WORK/program1" &
SERVER_PID=$!
for _ in $(seq 200); do
    (exec 8<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.05
done
[ "$("$WORK/program2")" = "Hello, world!" ]
echo "the README's programs compile, serve and fetch"
