/* libcurl's easy interface, one handle kept alive, one request at a time.
 *
 *   curl_client PORT REQUESTS
 *
 * Prints requests and CPU microseconds of this process as JSON, after a warm-up of a tenth.
 * Build: gcc -O2 -o curl_client curl_client.c -lcurl */
#define _GNU_SOURCE
#include "common.h"
#include <curl/curl.h>

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    *(size_t *)context += size * count;
    return size * count;
}

static void fetch(CURL *curl, size_t *received)
{
    *received = 0;
    if (curl_easy_perform(curl) != CURLE_OK || *received == 0) {
        fprintf(stderr, "curl_client: a request failed\n");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    char url[64];
    size_t received;
    if (argc != 3)
        return 2;
    snprintf(url, sizeof(url), "http://127.0.0.1:%s/plain", argv[1]);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "bench");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    long count = atol(argv[2]);
    for (long i = 0; i < count / 10; i++)
        fetch(curl, &received);
    double cpu = cpu_now();
    for (long i = 0; i < count; i++)
        fetch(curl, &received);
    printf("{\"requests\": %ld, \"cpu_us\": %.1f}\n", count, cpu_now() - cpu);
    curl_easy_cleanup(curl);
    return 0;
}
