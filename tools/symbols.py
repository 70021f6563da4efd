#!/usr/bin/env python3
"""Holds the library to its headers: what libnthttp.so exports is what the function headers declare, and nothing else;
and what they declare is what the README says works.

  symbols.py [path of libnthttp.so]
"""
import os
import subprocess
import sys

import matrix


def exported(library):
    listing = subprocess.run(['nm', '-D', '--defined-only', '--format=posix', library],
                             check=True, capture_output=True, text=True).stdout
    return {line.split()[0].split('@')[0] for line in listing.splitlines()}


def main():
    default = os.path.join(matrix.ROOT, 'target', 'release', 'libnthttp.so')
    exports = exported(sys.argv[1] if len(sys.argv) > 1 else default)
    headers = {name for header in matrix.FUNCTION_HEADERS.values() for name in matrix.declared(header)}
    faults = [f'exported, in no header: {name}' for name in sorted(exports - headers)]
    faults += [f'in a header, not exported: {name}' for name in sorted(headers - exports)]
    if matrix.block() not in matrix.text_of('README.md'):
        faults.append('README.md: the list of functions is stale: run tools/matrix.py')
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


sys.exit(main())
