/* Several overlapped sends for one request at once go out in order.
 *
 * gate: not-mingw (ssize_t) gate: thread */
#include "http_server.h"

#define SIZE (64u << 20)

static struct server server;
static HTTP_REQUEST_ID id;
static char *big;

/* However long the first is and whoever carries it, what is sent later comes later. */
TEST(test_racing__overlapped_sends_go_out_in_order)
{
    static char scratch[1 << 16];
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK first, second;
    OVERLAPPED sends[3];
    size_t got = 0;
    ssize_t part;
    int client, at;
    big = calloc(1, SIZE);
    REQUIRE(big != NULL);
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &first, 200, "OK", "");
    set_known(&response, HttpHeaderTransferEncoding, "chunked");
    first.FromMemory.pBuffer = big;
    first.FromMemory.BufferLength = SIZE;
    memset(sends, 0, sizeof(sends));
    for (at = 0; at < 3; at++)
        sends[at].hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    memset(&second, 0, sizeof(second));
    second.FromMemory.pBuffer = "last";
    second.FromMemory.BufferLength = 4;
    CHECK_EQ(HttpSendHttpResponse(server.queue, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL, NULL, NULL, 0, &sends[0], NULL),
             ERROR_IO_PENDING);
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, 1, &first, NULL, NULL, 0, &sends[1], NULL),
             ERROR_IO_PENDING);
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, HTTP_SEND_RESPONSE_FLAG_DISCONNECT, 1, &second, NULL, NULL, 0, &sends[2], NULL),
             ERROR_IO_PENDING);
    /* The end of what came is kept, however it was cut. */
    while ((part = recv(client, scratch + 4, sizeof(scratch) - 4, 0)) > 0) {
        got += (size_t)part;
        memmove(scratch, scratch + part, 4);
    }
    CHECK_BYTES(scratch, 4, "last");
    for (at = 0; at < 3; at++) {
        CHECK_EQ(WaitForSingleObject(sends[at].hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(sends[at].Internal, 0);
        CloseHandle(sends[at].hEvent);
    }
    CHECK(sends[0].InternalHigh > SIZE);
    CHECK_EQ(sends[1].InternalHigh, SIZE);
    CHECK_EQ(sends[2].InternalHigh, 4);
    CHECK_EQ(got, sends[0].InternalHigh + SIZE + 4);
    close(client);
    server_close(&server);
    free(big);
}
