#!/bin/sh
# Holds include/ to the tables of abi/: every size, offset, value and prototype, as C11 and C++17, with and without
# -fshort-wchar, with gcc and clang; every header compiles alone and twice; the text functions do what they say.
# Usage: tools/layout.sh [folder for the objects]. Prints what failed; the last line is the result.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/target/layout}
mkdir -p "$out"
failures=0

attempt() { # name, command...
    name=$1
    shift
    if ! "$@" >"$out/log" 2>&1; then
        echo "layout: $name" >&2
        head -20 "$out/log" >&2
        failures=$((failures + 1))
    fi
}

flags() { # language
    case $1 in
        c) echo "-x c -std=c11" ;;
        *) echo "-x c++ -std=c++17 -Wno-invalid-offsetof" ;;
    esac
}

each_build() { # function to call with: compiler language width-flag
    for language in c c++; do
        for compiler in gcc clang; do
            command -v $compiler >/dev/null || continue
            for width in "" -fshort-wchar; do
                "$1" $compiler $language $width
            done
        done
    done
}

warn="-Wall -Wextra -Werror"

tables() {
    attempt "tables with $*" "$1" $(flags "$2") ${3:-} $warn -DABI_RUNTIME -I"$root/include" \
        -c "$out/check.c" -o "$out/check.o"
    attempt "bitfields with $*" "$1" ${3:-} "$out/check.o" -x c - -o "$out/bits" <<'END'
int abi_bitfield_check(void) __attribute__((weak));
int _Z18abi_bitfield_checkv(void) __attribute__((weak));
int main(void) { return abi_bitfield_check ? abi_bitfield_check() : _Z18abi_bitfield_checkv(); }
END
    attempt "bitfields of $*" "$out/bits"
}

headers() { # the spellings of case/ are one line each: once is enough
    [ "$1$*" != clang"$1 $2 -fshort-wchar" ] || return 0
    for path in "$root"/include/*.h "$root"/include/nthttp/*.h "$root"/include/case/*.h; do
        header=${path#"$root"/include/}
        case $1$2$header in gccccase/*) ;; *case/*) continue ;; esac
        case $header in nthttp/wide.h | nthttp/print.h) continue ;; esac # wchar.h and start.h include these
        printf '#include <%s>\n#include <%s>\n' "${header#case/}" "${header#case/}" >"$out/alone.c"
        attempt "$header alone and twice with $*" "$1" $(flags "$2") ${3:-} $warn \
            -I"$root/include" -I"$root/include/case" -fsyntax-only "$out/alone.c"
    done
}

native() {
    [ -z "${3:-}" ] || return 0
    attempt "native.c with $*" "$1" $(flags "$2") $warn -I"$root/include" -c "$root/tests/layouts/native.c" -o "$out/native.o"
    attempt "linking native.c with $*" "$1" "$out/native.o" -o "$out/native"
    attempt "running native.c with $*" "$out/native"
}

wide() {
    [ -n "${3:-}" ] || return 0
    link=$1
    [ "$2" = c ] || link=$(echo "$1" | sed 's/gcc/g++/; s/clang/clang++/')
    for level in -O0 -O2; do
        attempt "wide.c with $* $level" "$1" $(flags "$2") $3 $level $warn -I"$root/include" \
            -c "$root/tests/layouts/wide.c" -o "$out/wide.o"
        attempt "linking wide.c with $* $level" "$link" "$out/wide.o" -o "$out/wide"
        attempt "running wide.c with $* $level" "$out/wide" "é"
    done
}

python3 "$root/abi/gen_check.py" --api server,client,base -o "$out/check.c" >/dev/null || exit 1
each_build tables
each_build headers
each_build native
each_build wide
if [ $failures -ne 0 ]; then
    echo "layout: $failures failures" >&2
    exit 1
fi
echo "layout: ok"
