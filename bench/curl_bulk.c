/* libcurl's easy interface: one large download or upload, with its buffers as large as the other program's.
 *
 *   curl_bulk PORT down|up BYTES
 *
 * Prints bytes and CPU microseconds of this process as JSON.
 * Build: gcc -O2 -o curl_bulk curl_bulk.c -lcurl */
#define _GNU_SOURCE
#include "common.h"
#include <curl/curl.h>

static unsigned long long total, left;

static size_t keep(char *data, size_t size, size_t count, void *unused)
{
    (void)data;
    (void)unused;
    total += size * count;
    return size * count;
}

/* What is in the buffer is as good as anything else. */
static size_t give(char *room, size_t size, size_t count, void *unused)
{
    size_t most = size * count < left ? size * count : (size_t)left;
    (void)room;
    (void)unused;
    left -= most;
    return most;
}

int main(int argc, char **argv)
{
    char url[64];
    long status = 0;
    if (argc != 4)
        return 2;
    int up = strcmp(argv[2], "up") == 0;
    unsigned long long bytes = strtoull(argv[3], NULL, 10);
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof(url), "http://127.0.0.1:%s/%s", argv[1], up ? "upload" : "file");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "bench");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 64L * 1024);
    if (up) {
        /* No wait for "100 Continue", as the other program has none. */
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, curl_slist_append(NULL, "Expect:"));
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 64L * 1024);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);
        left = bytes;
    }
    double cpu = cpu_now();
    if (curl_easy_perform(curl) != CURLE_OK || curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
        status != 200) {
        fprintf(stderr, "curl_bulk: the transfer failed: %ld\n", status);
        return 1;
    }
    printf("{\"bytes\": %llu, \"cpu_us\": %.1f}\n", up ? bytes : total, cpu_now() - cpu);
    curl_easy_cleanup(curl);
    return 0;
}
