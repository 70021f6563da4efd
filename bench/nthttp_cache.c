/* nthttp, answering from its response cache: the first request is answered here, every later one by the engine.
 *
 *   nthttp_cache PORT
 *
 * Build: gcc -O2 -Iinclude -o nthttp_cache nthttp_cache.c -lnthttp */
#include "nthttp_common.h"

int main(int argc, char **argv)
{
    union {
        HTTP_REQUEST request;
        char bytes[REQUEST_BUFFER_BYTES];
    } buffer;
    HTTP_CACHE_POLICY keep = {.Policy = HttpCachePolicyUserInvalidates};
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HANDLE queue;
    ULONG result, got;

    if (argc < 2)
        return 2;
    queue = open_queue(argv[1]);
    fill_answer(&response, &chunk);
    /* Without a type nothing is kept. */
    response.Headers.KnownHeaders[HttpHeaderContentType].pRawValue = "text/plain";
    response.Headers.KnownHeaders[HttpHeaderContentType].RawValueLength = 10;
    for (;;) {
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), &got, NULL);
        if (result == ERROR_CONNECTION_INVALID)
            continue;
        check(result, "HttpReceiveHttpRequest");
        HttpSendHttpResponse(queue, buffer.request.RequestId, 0, &response, &keep, &got, NULL, 0, NULL, NULL);
    }
}
