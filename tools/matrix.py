#!/usr/bin/env python3
"""Writes the README's list of functions: which work and which do not yet, from the headers against the tables.

  matrix.py           rewrite the block between the markers of README.md
  matrix.py --check   write nothing; fail when the block is stale

A function works when a header declares it; `symbols.py` holds the headers to what the library exports.
"""
import csv
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
BEGIN, END = '<!-- matrix:begin -->', '<!-- matrix:end -->'
FUNCTION_HEADERS = {'server': 'http_functions.h', 'client': 'winhttp_functions.h', 'win32': 'win32_functions.h'}
TITLES = {'server': 'HTTP Server API (`http.h`)', 'client': 'WinHTTP (`winhttp.h`)', 'win32': 'Win32 base (`windows.h`)'}


def text_of(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def table(name):
    with open(os.path.join(ROOT, 'abi', name)) as file:
        return list(csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE))


def declared(header):
    """The functions a generated header declares, in its order."""
    text = re.sub(r'/\*.*?\*/|//[^\n]*|^\s*#[^\n]*', '', text_of('include', 'nthttp', header), flags=re.S | re.M)
    text = text.replace('extern "C" {', '')
    names = (re.search(r'(\w+)\s*\(', statement) for statement in text.split(';'))
    return [name[1] for name in names if name]


def in_headers():
    """Names that the hand-written headers define themselves: macros and static inline functions."""
    names = set()
    for folder in 'include', 'include/nthttp':
        for file in os.listdir(os.path.join(ROOT, folder)):
            if file.endswith('.h') and not file.endswith('_functions.h'):
                text = text_of(folder, file)
                names |= set(re.findall(r'^\s*(?:#define|static inline [\w *]+?[ *])\s*(\w+)\(?', text, flags=re.M))
                names |= set(re.findall(r'^#define (\w+)', text, flags=re.M))
                for pattern, suffixes in ((r'(\w+)##AW\(', 'AW'), (r'(\w+)##suffix\(', ('', '64'))):
                    names |= {name + suffix for name in re.findall(pattern, text) for suffix in suffixes}
    return names


def documented():
    """(api, group, name) of every function the matrix must have a word on."""
    for row in table('functions.tsv'):
        if row['api'] in TITLES and row['category'] not in ('macro', 'callback') and row['documented'] == 'y':
            yield row['api'], row['category'], row['name']
    for row in table('win32.tsv'):
        yield 'win32', row['group'], row['name']


def working():
    """api -> the functions that work, by export or, for the Win32 base, by header."""
    works = {api: declared(header) for api, header in FUNCTION_HEADERS.items()}
    from_headers = in_headers()
    works['win32'] += [n for api, _, n in documented() if api == 'win32' and n in from_headers and n not in works['win32']]
    return works


def section(api, works):
    groups, listed = {}, set()
    for of, group, name in documented():
        if of == api:
            groups.setdefault(group, []).append(name)
            listed.add(name)
    further = [name for name in works if name not in listed and not name.startswith('nthttp_')]
    done = sum(name in works for name in listed)
    lines = [f'#### {TITLES[api]}: {done} of {len(listed)}', '', '| Group | Works | Not yet |', '|---|---|---|']
    for group, names in groups.items():
        yes = ', '.join(f'`{n}`' for n in names if n in works)
        no = ', '.join(f'`{n}`' for n in names if n not in works)
        lines.append(f'| {group} | {yes} | {no} |')
    if further:
        lines.append('| further | ' + ', '.join(f'`{n}`' for n in further) + ' | |')
    return lines + ['']


def block():
    works = working()
    lines = [BEGIN, '']
    for api in TITLES:
        lines += section(api, works[api])
    return '\n'.join(lines + [END])


def main():
    readme = text_of('README.md')
    if BEGIN not in readme or END not in readme:
        sys.exit(f'README.md has no {BEGIN} ... {END}')
    start, stop = readme.index(BEGIN), readme.index(END) + len(END)
    wanted = readme[:start] + block() + readme[stop:]
    if readme == wanted:
        return
    if '--check' in sys.argv:
        sys.exit('README.md: the list of functions is stale: run tools/matrix.py')
    with open(os.path.join(ROOT, 'README.md'), 'w') as file:
        file.write(wanted)


if __name__ == '__main__':
    main()
