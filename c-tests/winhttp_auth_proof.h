/* What the tests of Digest share: whether a request proves who it is as RFC 7616 says, by MD5, and a proxy to prove it to. */
#ifndef WINHTTP_AUTH_PROOF_H
#define WINHTTP_AUTH_PROOF_H

#include "winhttp_auth.h"
#include "http_auth_digest.h"

static const char *telling(const char *text, const char *what, char *room)
{
    const char *at = strstr(text, what);
    size_t length = 0;
    room[0] = 0;
    if (!at)
        return room;
    at += strlen(what);
    while (at[length] && !strchr("\",\r", at[length]) && length < 100)
        length++;
    memcpy(room, at, length);
    room[length] = 0;
    return room;
}

/* CHECKs that a request answers a challenge of realm r with MD5 and a count; with a body, for auth-int. */
static void check_proof(const char *request, const char *verb, const char *uri, const char *wanted_nonce, const char *wanted_count,
                        const char *body)
{
    char nonce[128], own[128], count[128], proof[128], text[600], key[33], asked[33], sum[33];
    const char *field = strstr(request, "uthorization: Digest username=\"user\", realm=\"r\"");
    CHECK(field != NULL);
    if (!field)
        return;
    telling(field, "nonce=\"", nonce);
    telling(field, "cnonce=\"", own);
    telling(field, "nc=", count);
    telling(field, "response=\"", proof);
    CHECK_BYTES(nonce, strlen(nonce), wanted_nonce);
    CHECK_BYTES(count, strlen(count), wanted_count);
    md5_text("user:r:pass", key);
    sprintf(text, "%s:%s", verb, uri);
    if (body) {
        md5_text(body, asked);
        sprintf(text + strlen(text), ":%s", asked);
    }
    md5_text(text, asked);
    sprintf(text, "%s:%s:%s:%s:%s:%s", key, nonce, count, own, body ? "auth-int" : "auth", asked);
    md5_text(text, sum);
    CHECK_BYTES(proof, strlen(proof), sum);
    sprintf(text, "uri=\"%s\"", uri);
    CHECK_HAS(field, text);
    CHECK_HAS(field, body ? ", qop=auth-int, " : ", qop=auth, ");
}

static void check_digest(const char *request, const char *verb, const char *uri, const char *nonce, const char *count)
{
    check_proof(request, verb, uri, nonce, count, NULL);
}

__attribute__((unused)) static void use_proxy(struct trio *it, int port)
{
    WCHAR proxy[32];
    char text[32];
    size_t at;
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy, NULL};
    sprintf(text, "127.0.0.1:%d", port);
    for (at = 0; at <= strlen(text); at++)
        proxy[at] = (WCHAR)text[at];
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_PROXY, &info, sizeof(info)));
}

#endif
