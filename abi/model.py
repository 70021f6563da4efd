"""The tables beside this file as Python objects: what `generate.py` prints as Rust and as C.

Read here: structures with their nested and anonymous parts, enumerations, constants. Nothing is printed here.
"""
import csv
import os
import re
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))

# A member is plain (type and name), a `struct` or `union` with members, or a `union` without a name.
Member = namedtuple('Member', 'name ctype offset size bits kind members')
Struct = namedtuple('Struct', 'name kind api size align members')
Enum = namedtuple('Enum', 'name api values')
Constant = namedtuple('Constant', 'name value width group api kind note')

# Rust and cbindgen know no anonymous unions: (structure, offset) -> the type and the member that stand for one.
ANONYMOUS = {
    ('HTTP_DATA_CHUNK', 8): ('HTTP_DATA_CHUNK_SOURCE', 'Source'),
    ('HTTP_SERVICE_CONFIG_SSL_PARAM_EX', 16): ('HTTP_SERVICE_CONFIG_SSL_PARAM_EX_VALUE', 'Value'),
    ('WINHTTP_EXTENDED_HEADER', 0): ('WINHTTP_EXTENDED_HEADER_NAME', 'Name'),
    ('WINHTTP_EXTENDED_HEADER', 8): ('WINHTTP_EXTENDED_HEADER_VALUE', 'Value'),
    ('WINHTTP_CONNECTION_PROXY_INFO', 24): ('WINHTTP_CONNECTION_PROXY_INFO_SOURCE', 'Source'),
}

# Structures that begin with another one: in C++ they inherit it, in C they repeat its members, in Rust they hold it.
BASES = {'HTTP_REQUEST_V2': 'HTTP_REQUEST_V1', 'HTTP_RESPONSE_V2': 'HTTP_RESPONSE_V1'}


def rows(name):
    with open(os.path.join(HERE, name)) as table:
        return list(csv.DictReader(table, delimiter='\t', quoting=csv.QUOTE_NONE))


def member_of(row):
    bits = re.search(r'first_bit=(\d+);width=(\d+)', row['flags'])
    ctype = re.sub(r'\s*\(\w+\)$|:\d+$', '', row['c_type'])
    kind = 'plain'
    if '(unnamed type)' in row['c_type']:
        kind = row['c_type'].split()[0]
    return Member(row['field'], ctype, int(row['offset']), int(row['size']), int(bits[2]) if bits else 0, kind, [])


def nest(flat):
    """Moves `A.B` into the members of `A`, dropping the prefix."""
    top, by_path = [], {}
    for member in flat:
        by_path[member.name] = member
        parent, _, leaf = member.name.rpartition('.')
        inside = by_path[parent].members if parent else top
        by_path[member.name] = member._replace(name=leaf)
        inside.append(by_path[member.name])
    return top


def join_overlaps(members):
    """Members that share bytes become one anonymous union, as the SDK writes them."""
    groups, end = [], -1
    for member in members:
        if groups and member.offset < end and not member.bits:
            groups[-1].append(member)
        else:
            groups.append([member])
        end = max(end, member.offset + member.size)
    return [g[0] if len(g) == 1 else
            Member('', '', g[0].offset, max(m.size for m in g), 0, 'union', g) for g in groups]


def structs(*apis):
    fields = {}
    for row in rows('fields.tsv'):
        fields.setdefault(row['struct'], []).append(member_of(row))
    found = {}
    for row in rows('structs.tsv'):
        if row['api'] in apis:
            members = nest(fields[row['struct']])
            if row['kind'] == 'struct':
                members = join_overlaps(members)
            found[row['struct']] = Struct(row['struct'], row['kind'], row['api'], int(row['size']),
                                          int(row['align']), members)
    return in_order_of_use(found)


def names_in(members):
    for member in members:
        yield from re.findall(r'\w+', member.ctype)
        yield from names_in(member.members)


def in_order_of_use(found):
    """A structure comes after those it names, pointed at or embedded, and otherwise in the order of the table."""
    ordered, seen = [], set()

    def visit(name):
        if name in seen:
            return
        seen.add(name)
        for used in names_in(found[name].members):
            target = used if used in found else used[1:]
            if target in found:
                visit(target)
        ordered.append(found[name])

    for name in found:
        visit(name)
    return ordered


def enums(*apis):
    found = {}
    for row in rows('enums.tsv'):
        if row['api'] in apis:
            enum = found.setdefault(row['enum'], Enum(row['enum'], row['api'], []))
            enum.values.append((row['name'], int(row['value_dec'])))
    return list(found.values())


# Constants that the tables know by name only; the numbers are those of the WinHTTP digest.
NUMBERED = {
    'SECURITY_FLAG_IGNORE_WEAK_SIGNATURE': ('0x00010000', '32', 'security-flag'),
    'WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER': ('0x0000000000000001', '64', 'read-flag'),
}


def constants(*apis):
    found = []
    for r in rows('constants.tsv'):
        if r['api'] in apis:
            value, width, group = NUMBERED.get(r['name'], (r['value_hex'] or r['value_dec'], r['width_bits'], r['group']))
            found.append(Constant(r['name'], value, width, group, r['api'], r['c_kind'], r['note']))
    return found


# Groups whose values are counted, not combined: they read best in decimal.
COUNTED = {'win32-error', 'winhttp-error', 'option', 'http-status', 'query-header', 'feature-number', 'access-type',
           'async-api-id', 'handle-type', 'limit', 'websocket', 'internet'}
