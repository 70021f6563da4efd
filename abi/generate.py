#!/usr/bin/env python3
"""Writes everything that follows from the tables in this folder.

  generate.py           write src/abi, the C type headers of include/nthttp, tests/windows_sys.rs, the options of c-tests
  generate.py --check   write nothing; name each file that differs, and fail
"""
import os
import sys

import c_out
import options_out
import rust_out
import windows_sys_out


def old_text(path):
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return file.read()


def main():
    stale = [(path, text) for out in (rust_out, c_out, windows_sys_out, options_out) for path, text in out.outputs() if old_text(path) != text]
    for path, text in stale:
        print('stale:' if '--check' in sys.argv else 'written:', os.path.relpath(path))
        if '--check' not in sys.argv:
            with open(path, 'w') as file:
                file.write(text)
    return 1 if stale and '--check' in sys.argv else 0


sys.exit(main())
