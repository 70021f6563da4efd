"""Prints the model as C in the SDK's style: `include/nthttp/{http_types,winhttp_types,codes}.h`.

What is no number and no structure (identifiers, callbacks, version macros) stands in the folder `templates`.
"""
import os
import re

import model

INCLUDE = os.path.join(model.HERE, '..', 'include', 'nthttp')

CAPTIONS = {
    'hresult': 'HRESULT', 'ntstatus': 'NTSTATUS', 'sspi': 'SSPI status', 'wait': 'Results of waits',
    'win32-error': 'Win32 errors', 'winhttp-error': 'Errors of WinHTTP', 'access-type': 'WinHttpOpen: dwAccessType',
    'addreq': 'WinHttpAddRequestHeaders: dwModifiers', 'async-api-id': 'WINHTTP_ASYNC_RESULT.dwResult',
    'auth': 'Authentication', 'autoproxy': 'WINHTTP_AUTOPROXY_OPTIONS: flags',
    'autoproxy-reset': 'WinHttpResetAutoProxy: dwFlags', 'callback-filter': 'WinHttpSetStatusCallback: which notifications',
    'callback-status': 'Notifications: dwInternetStatus', 'client-misc': 'Of various functions',
    'decompression': 'WINHTTP_OPTION_DECOMPRESSION', 'feature': 'WINHTTP_OPTION_DISABLE_FEATURE and ENABLE_FEATURE',
    'feature-number': 'Feature numbers', 'handle-type': 'WINHTTP_OPTION_HANDLE_TYPE',
    'http-protocol': 'WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL', 'http-status': 'HTTP status codes',
    'internet': 'Ports and schemes', 'limit': 'Limits', 'null-macro': 'Names for an absent argument',
    'open-flag': 'Flags of WinHttpOpen, WinHttpOpenRequest and WinHttpCreateUrl', 'option': 'Options',
    'option-value': 'Values of options', 'proxy': 'Proxies', 'query-header': 'WinHttpQueryHeaders: dwInfoLevel',
    'query-modifier': 'WinHttpQueryHeaders: modifiers of dwInfoLevel', 'resolver-cache': 'WINHTTP_RESOLVER_CACHE_CONFIG',
    'retry': 'WINHTTP_FAILED_CONNECTION_RETRIES', 'secure-failure-flag': 'WINHTTP_CALLBACK_STATUS_SECURE_FAILURE',
    'security-flag': 'WINHTTP_OPTION_SECURITY_FLAGS', 'stat-flag': 'WINHTTP_REQUEST_STATS',
    'tls-protocol': 'WINHTTP_OPTION_SECURE_PROTOCOLS', 'url': 'WinHttpCrackUrl and WinHttpCreateUrl',
    'websocket': 'WebSocket', 'read-flag': 'WinHttpReadDataEx: ullFlags', 'channel-bind': 'HTTP_CHANNEL_BIND_INFO.Flags', 'init-flag': 'HttpInitialize: Flags',
    'web-socket-deflate': 'NTHTTP_OPTION_WEB_SOCKET_DEFLATE (our own)',
    'log-field': 'HTTP_LOGGING_INFO.Fields', 'log-flag': 'HTTP_LOGGING_INFO.LoggingFlags',
    'queue-flag': 'HttpCreateRequestQueue: Flags', 'receive-flag': 'Flags of the receiving functions',
    'request-flag': 'What a request says of itself', 'response-flag': 'HTTP_RESPONSE.Flags and HTTP_RESPONSE_INFO',
    'send-flag': 'HttpSendHttpResponse: Flags', 'server-misc': 'Of various functions',
    'ssl-config-flag': 'HTTP_SERVICE_CONFIG_SSL_PARAM.DefaultFlags', 'initializer-macro': 'Versions, to initialise with',
}

# Constants whose value in the SDK is an expression that says more than the number.
SPELLED = {
    'HTTP_NULL_ID': '0ULL',
    'HTTP_BYTE_RANGE_TO_EOF': '((ULONGLONG)-1)',
    'WINHTTP_INVALID_STATUS_CALLBACK': '((WINHTTP_STATUS_CALLBACK)(LONG_PTR)-1)',
    'WAIT_FAILED': '((DWORD)0xFFFFFFFF)',
    'STATUS_PENDING': '((DWORD)0x00000103)',
    'STATUS_TIMEOUT': '((DWORD)0x00000102)',
    'SEC_E_OK': '((HRESULT)0x00000000)',
}

# Spellings that Microsoft's pages use beside the header's own.
ALIASES = {
    'HTTP_LOG_FIELD_STREAMID': 'HTTP_LOG_FIELD_STREAM_ID',
    'WINHTTP_MATCH_CONNECTION_GUID_FLAG_REQUIRED': 'WINHTTP_MATCH_CONNECTION_GUID_FLAG_REQUIRE_MARKED_CONNECTION',
    'WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT_CONTEXT': 'WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT',
}


def define(name, value):
    return f'#define {name:<55} {value}' if len(name) < 55 else f'#define {name} {value}'


def spelled(c):
    if c.name in SPELLED:
        return SPELLED[c.name]
    number = int(c.value, 16) if c.value.startswith('0x') else 0
    if c.kind == 'brace initializer':
        return '{ ' + ', '.join(re.findall(r'\d+', c.value)) + ' }'
    if c.kind == 'ptr':
        return 'NULL'
    if c.kind in ('HRESULT', 'NTSTATUS'):
        return f'(({c.kind}){c.value})'
    if c.group == 'winhttp-error' and 12000 < number:
        return f'(WINHTTP_ERROR_BASE + {number - 12000})'
    if c.group in model.COUNTED or c.group == 'wait':
        return str(number)
    return c.value if c.width != '64' else c.value + 'ULL'


def constants(api):
    out, group = [], None
    for c in model.constants(api):
        if c.group in ('docs-only', 'guid') or c.name == 'WINHTTP_ERROR_BASE':
            continue
        if c.group != group:
            group = c.group
            out += ['', f'/* {CAPTIONS[group]} */']
            if group == 'winhttp-error':
                out.append(define('WINHTTP_ERROR_BASE', '12000'))
        out.append(define(c.name, spelled(c)))
    names = {c.name for c in model.constants(api)}
    aliases = [define(a, b) for a, b in ALIASES.items() if b in names]
    return out + (['', '/* Spellings of the documentation */'] + aliases if aliases else [])


def enumerations(api):
    out = []
    for enum in model.enums(api):
        lines = [f'    {name} = {value}' for name, value in enum.values]
        out += ['', f'typedef enum _{enum.name} {{', ',\n'.join(lines), f'}} {enum.name}, *P{enum.name};']
    return out


def declaration(member, indent):
    """One member, or a nested structure or union with its own members."""
    if member.kind == 'plain':
        array = re.match(r'(.+?)(\[\w+\])$', member.ctype)
        ctype, suffix = (array[1], array[2]) if array else (member.ctype, '')
        bits = f' : {member.bits}' if member.bits else ''
        star = '' if ctype.endswith('*') else ' '
        return [f'{indent}{ctype}{star}{member.name}{suffix}{bits};']
    inner = [line for m in member.members for line in declaration(m, indent + '    ')]
    end = f'}} {member.name};' if member.name else '};'
    return [f'{indent}{member.kind} {{', *inner, indent + end]


def members_of(struct, skipping=()):
    return [line for m in struct.members if m.name not in skipping for line in declaration(m, '    ')]


LONG_POINTERS = {'HTTP_VERSION_INFO', 'URL_COMPONENTS', 'WINHTTP_ASYNC_RESULT', 'WINHTTP_PROXY_INFO'}


def structures(api):
    out = []
    every = model.structs(api)
    for struct in every:
        pointers = f'*P{struct.name}' + (f', *LP{struct.name}' if struct.name in LONG_POINTERS else '')
        base = model.BASES.get(struct.name)
        start = [f'typedef {struct.kind} _{struct.name} {{', *members_of(struct)]
        if base:
            inherited = next(s for s in every if s.name == base)
            names = {m.name for m in inherited.members}
            own = members_of(struct, names)
            start = ['#ifdef __cplusplus', f'typedef struct _{struct.name} : _{base} {{', '#else',
                     f'typedef struct _{struct.name} {{', *members_of(inherited), '#endif', *own]
        out += ['', *start, f'}} {struct.name}, {pointers};']
    return out


def template(name):
    with open(os.path.join(model.HERE, 'templates', name)) as text:
        return text.read().rstrip('\n').split('\n')


def header(name, doc, body):
    guard = f'NTHTTP_{name.upper()}_H'
    lines = ['/*', *[' * ' + line if line else ' *' for line in doc.split('\n')], ' *',
             ' * Generated by abi/generate.py from the tables beside it: edit those.', ' */',
             f'#ifndef {guard}', f'#define {guard}', '']
    return '\n'.join(lines + body + ['', '#endif']) + '\n'


def files():
    yield 'codes', header('codes', 'Codes of the Win32 base: errors, NTSTATUS, HRESULT and the results of waits.',
                          ['#include "base.h"'] + constants('base'))
    yield 'http_types', header(
        'http_types', 'Types and constants of http.h. The functions are in http_functions.h.',
        ['#include "base.h"', '#include "sockets.h"', ''] + template('http_ids.h') + enumerations('server') + constants('server')
        + structures('server') + [''] + template('http_macros.h'))
    yield 'winhttp_types', header(
        'winhttp_types', 'Types and constants of winhttp.h. The functions are in winhttp_functions.h.',
        ['#include "base.h"', '#include "security.h"', '#include "sockets.h"', ''] + template('winhttp_ids.h') + enumerations('client')
        + constants('client') + structures('client') + [''] + template('winhttp_macros.h'))


def outputs():
    for name, text in files():
        yield os.path.normpath(os.path.join(INCLUDE, name + '.h')), text
