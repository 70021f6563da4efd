"""Prints the comparison with the `windows-sys` crate: `tests/windows_sys.rs`."""
import os
import subprocess

import model

ROOT = os.path.normpath(os.path.join(model.HERE, '..'))
# api -> our module and the crate's
MODULES = {'base': ('base', 'foundation'), 'server': ('http', 'http_sys'), 'client': ('winhttp', 'winhttp_sys')}


def known(table, api, column):
    """Names in the crate under the same name, of a type that fits 32 bits; schemes have another name there."""
    for row in model.rows(table):
        fits = row.get('width_bits', '32') in ('16', '32') and row.get('c_kind') not in ('ptr', 'GUID')
        if row['api'] == api and row['in_windows_sys'] == 'y' and fits and not row[column].startswith('INTERNET_SCHEME_'):
            yield row[column]


def compare(macro, api, names):
    ours, theirs = MODULES[api]
    lines = [f'    {macro}! {{ {ours}, {theirs}:']
    for name in names:
        if len(lines[-1]) + len(name) > 106 or len(lines) == 1:
            lines.append('       ')
        lines[-1] += ' ' + name
    return lines + ['    }'] if len(lines) > 1 else []


def outputs():
    with open(os.path.join(model.HERE, 'templates', 'windows_sys.rs')) as template:
        lines = template.read().rstrip('\n').split('\n')
    for api, (ours, _) in MODULES.items():
        lines += ['', '#[test]', f'fn values_of_{ours}_agree() {{',
                  *compare('same_values', api, known('enums.tsv', api, 'name')),
                  *compare('same_values', api, known('constants.tsv', api, 'name')), '}']
        if api != 'base':
            lines += ['', '#[test]', f'fn layouts_of_{ours}_agree() {{',
                      *compare('same_layouts', api, known('structs.tsv', api, 'struct')), '}']
    text = subprocess.run(['rustfmt', '--edition', '2024', '--config-path', os.path.join(ROOT, 'rustfmt.toml')],
                          input='\n'.join(lines) + '\n', check=True, capture_output=True, text=True).stdout
    yield os.path.join(ROOT, 'tests', 'windows_sys.rs'), text
