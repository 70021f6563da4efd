/* The client's side of Digest (RFC 7616): MD5, and an Authorization field for a challenge. */
#ifndef HTTP_AUTH_DIGEST_H
#define HTTP_AUTH_DIGEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t md5_turn(uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

/* One block of RFC 1321; the sines come from its table, as 4294967296 * abs(sin(i + 1)). */
static void md5_block(uint32_t state[4], const unsigned char *block)
{
    static const uint32_t sine[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af,
        0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
        0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
        0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97,
        0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
        0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
    static const int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], mix, word, old;
    int step, at;
    for (step = 0; step < 64; step++) {
        switch (step / 16) {
        case 0: mix = (b & c) | (~b & d), at = step; break;
        case 1: mix = (d & b) | (~d & c), at = (5 * step + 1) % 16; break;
        case 2: mix = b ^ c ^ d, at = (3 * step + 5) % 16; break;
        default: mix = c ^ (b | ~d), at = 7 * step % 16; break;
        }
        word = block[4 * at] | (uint32_t)block[4 * at + 1] << 8 | (uint32_t)block[4 * at + 2] << 16 | (uint32_t)block[4 * at + 3] << 24;
        old = d, d = c, c = b;
        b += md5_turn(a + mix + sine[step] + word, turns[step / 16][step % 4]);
        a = old;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

/* The sum of a text of at most 4000 bytes, in hexadecimal. */
static void md5_text(const char *text, char out[33])
{
    static unsigned char padded[4096];
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    size_t size = strlen(text), whole = (size + 8) / 64 * 64 + 64, at;
    memset(padded, 0, sizeof(padded));
    memcpy(padded, text, size);
    padded[size] = 0x80;
    for (at = 0; at < 8; at++)
        padded[whole - 8 + at] = (unsigned char)((uint64_t)size * 8 >> 8 * at);
    for (at = 0; at < whole; at += 64)
        md5_block(state, padded + at);
    for (at = 0; at < 16; at++)
        sprintf(out + 2 * at, "%02x", (unsigned)(state[at / 4] >> at % 4 * 8 & 255));
}

/* Copies the quoted value of a parameter of a challenge; empty if there is none. */
static void challenge_value(const char *challenge, const char *name, char *out, size_t size)
{
    char pattern[64];
    const char *start, *end;
    out[0] = 0;
    snprintf(pattern, sizeof(pattern), "%s=\"", name);
    start = strstr(challenge, pattern);
    if (start && (end = strchr(start + strlen(pattern), '"')) != NULL)
        snprintf(out, size, "%.*s", (int)(end - start - (long)strlen(pattern)), start + strlen(pattern));
}

/* The value of Authorization that answers a challenge, and the server's proof it should get for it. */
__attribute__((unused)) static void digest_answer(const char *challenge, const char *user, const char *password, const char *uri, unsigned count,
                          char *out, size_t size, char rspauth[33])
{
    char realm[128], nonce[128], text[1024], ha1[33], ha2[33], response[33];
    challenge_value(challenge, "realm", realm, sizeof(realm));
    challenge_value(challenge, "nonce", nonce, sizeof(nonce));
    snprintf(text, sizeof(text), "%s:%s:%s", user, realm, password);
    md5_text(text, ha1);
    snprintf(text, sizeof(text), "GET:%s", uri);
    md5_text(text, ha2);
    snprintf(text, sizeof(text), "%s:%s:%08x:clientnonce:auth:%s", ha1, nonce, count, ha2);
    md5_text(text, response);
    snprintf(text, sizeof(text), ":%s", uri);
    md5_text(text, ha2);
    snprintf(text, sizeof(text), "%s:%s:%08x:clientnonce:auth:%s", ha1, nonce, count, ha2);
    md5_text(text, rspauth);
    snprintf(out, size,
             "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", algorithm=MD5, qop=auth, nc=%08x, "
             "cnonce=\"clientnonce\", response=\"%s\"",
             user, realm, nonce, uri, count, response);
}

#endif
