/* Sends that wait for a client when something ends them: the client, CancelIoEx, HttpCancelHttpRequest, the queue's end,
 * a file that became shorter. */
#include "http_server.h"

#define SIZE (64u << 20)

static char *big;
static struct server server;
static HTTP_REQUEST_ID id;
static OVERLAPPED sending;

/* Begins an overlapped send of more than a client that does not read will take. Its client. */
static int begin(ULONG flags)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    int client;
    server_open(&server);
    big = calloc(1, SIZE);
    REQUIRE(big != NULL);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", "");
    set_known(&response, HttpHeaderContentLength, "99999999");
    chunk.FromMemory.pBuffer = big;
    chunk.FromMemory.BufferLength = SIZE;
    memset(&sending, 0, sizeof(sending));
    sending.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    REQUIRE(HttpSendHttpResponse(server.queue, id, flags, &response, NULL, NULL, NULL, 0, &sending, NULL) == ERROR_IO_PENDING);
    return client;
}

/* How the send ended, and that its request is no more. */
static void ended(ULONG error)
{
    DWORD bytes = 77;
    REQUIRE(WaitForSingleObject(sending.hEvent, 20000) == WAIT_OBJECT_0);
    CHECK(!GetOverlappedResult(server.queue, &sending, &bytes, FALSE));
    CHECK_EQ(GetLastError(), error);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(send_body(&server, id, 0, "more"), ERROR_CONNECTION_INVALID);
    CloseHandle(sending.hEvent);
    free(big);
}

static void reads_an_end(int client)
{
    static char scratch[1 << 16];
    size_t got = 0;
    long part;
    while ((part = (long)recv(client, scratch, sizeof(scratch), 0)) > 0)
        got += (size_t)part;
    CHECK(got < SIZE);
    close(client);
}

TEST(test_broken_sends__a_client_that_leaves)
{
    int client = begin(HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    client_reset(client);
    ended(ERROR_NETNAME_DELETED);
    server_close(&server);
}

TEST(test_broken_sends__a_cancelled_one_takes_the_connection_along)
{
    int client = begin(0);
    /* The request itself is over for the program since the last send began. */
    CHECK_EQ(HttpCancelHttpRequest(server.queue, id, NULL), ERROR_CONNECTION_INVALID);
    CHECK(CancelIoEx(server.queue, &sending));
    ended(ERROR_OPERATION_ABORTED);
    reads_an_end(client);
    server_close(&server);
}

TEST(test_broken_sends__a_cancelled_request)
{
    int client = begin(HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    CHECK_EQ(HttpCancelHttpRequest(server.queue, id, NULL), NO_ERROR);
    ended(ERROR_OPERATION_ABORTED);
    reads_an_end(client);
    server_close(&server);
}

TEST(test_broken_sends__a_queue_that_closes)
{
    int client = begin(HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    CHECK_EQ(HttpCloseRequestQueue(server.queue), NO_ERROR);
    REQUIRE(WaitForSingleObject(sending.hEvent, 20000) == WAIT_OBJECT_0);
    CHECK_EQ(sending.Internal, 0xC0000120);
    CloseHandle(sending.hEvent);
    free(big);
    reads_an_end(client);
    CHECK_EQ(HttpCloseServerSession(server.session), NO_ERROR);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

TEST(test_broken_sends__several_end_together)
{
    OVERLAPPED second;
    HTTP_DATA_CHUNK chunk;
    int client = begin(HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    memset(&chunk, 0, sizeof(chunk));
    chunk.FromMemory.pBuffer = "last";
    chunk.FromMemory.BufferLength = 4;
    memset(&second, 0, sizeof(second));
    second.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, 0, 1, &chunk, NULL, NULL, 0, &second, NULL), ERROR_IO_PENDING);
    client_reset(client);
    CHECK_EQ(WaitForSingleObject(second.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(second.Internal, 0xC000020D);
    ended(ERROR_NETNAME_DELETED);
    CloseHandle(second.hEvent);
    server_close(&server);
}

TEST(test_broken_sends__a_file_that_became_shorter)
{
    PCWSTR path = wide("nthttp-shorter-%d.tmp", free_port());
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    LARGE_INTEGER end, start;
    HANDLE file;
    int client;
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    start.QuadPart = 0;
    end.QuadPart = SIZE;
    REQUIRE(SetFilePointerEx(file, end, NULL, FILE_BEGIN) && SetEndOfFile(file));
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", "");
    chunk.DataChunkType = HttpDataChunkFromFileHandle;
    chunk.FromFileHandle.ByteRange.StartingOffset.QuadPart = 0;
    chunk.FromFileHandle.ByteRange.Length.QuadPart = HTTP_BYTE_RANGE_TO_EOF;
    chunk.FromFileHandle.FileHandle = file;
    memset(&sending, 0, sizeof(sending));
    sending.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    big = NULL;
    REQUIRE(HttpSendHttpResponse(server.queue, id, 0, &response, NULL, NULL, NULL, 0, &sending, NULL) == ERROR_IO_PENDING);
    REQUIRE(SetFilePointerEx(file, start, NULL, FILE_BEGIN) && SetEndOfFile(file));
    reads_an_end(client);
    ended(ERROR_HANDLE_EOF);
    CHECK(CloseHandle(file));
    CHECK(DeleteFileW(path));
    server_close(&server);
}
