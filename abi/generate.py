#!/usr/bin/env python3
"""Writes everything that follows from the tables in this folder.

  generate.py           write the Rust files of src/abi and the C type headers of include/nthttp
  generate.py --check   write nothing; name each file that differs, and fail
"""
import sys

import model
import rust_out


def main():
    for path in rust_out.write():
        print(path)


main()
