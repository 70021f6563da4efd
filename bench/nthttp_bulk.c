/* nthttp with large bodies, one thread, synchronous calls.
 *
 *   nthttp_bulk PORT BODY_BYTES FILE
 *
 * GET /file: FILE by file chunk. Any other GET: BODY_BYTES from memory. POST: reads the body through a buffer of 128 KiB
 * and answers 200 with none.
 * Build: gcc -O2 -Iinclude -o nthttp_bulk nthttp_bulk.c -lnthttp */
#include "nthttp_common.h"

#define PIECE (128 * 1024)

static HANDLE queue, file;
static char *memory, piece[PIECE];
static ULONG memory_bytes;

static void swallow(HTTP_REQUEST_ID request)
{
    ULONG got;
    while (HttpReceiveRequestEntityBody(queue, request, 0, piece, PIECE, &got, NULL) == NO_ERROR)
        continue;
}

static void choose(const HTTP_REQUEST *request, HTTP_RESPONSE *response, HTTP_DATA_CHUNK *chunk)
{
    fill_answer(response, chunk);
    if (request->Verb == HttpVerbPOST) {
        swallow(request->RequestId);
        response->EntityChunkCount = 0;
    } else if (strcmp(request->pRawUrl, "/file") == 0) {
        chunk->DataChunkType = HttpDataChunkFromFileHandle;
        chunk->FromFileHandle.ByteRange.StartingOffset.QuadPart = 0;
        chunk->FromFileHandle.ByteRange.Length.QuadPart = HTTP_BYTE_RANGE_TO_EOF;
        chunk->FromFileHandle.FileHandle = file;
    } else {
        chunk->FromMemory.pBuffer = memory;
        chunk->FromMemory.BufferLength = memory_bytes;
    }
}

int main(int argc, char **argv)
{
    union {
        HTTP_REQUEST request;
        char bytes[REQUEST_BUFFER_BYTES];
    } buffer;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    ULONG result, got;

    if (argc != 4)
        return 2;
    memory_bytes = (ULONG)atol(argv[2]);
    memory = malloc(memory_bytes);
    file = CreateFileA(argv[3], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (memory == NULL || file == INVALID_HANDLE_VALUE)
        return 1;
    memset(memory, 'x', memory_bytes);
    queue = open_queue(argv[1]);
    for (;;) {
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), &got, NULL);
        if (result == ERROR_CONNECTION_INVALID)
            continue;
        check(result, "HttpReceiveHttpRequest");
        choose(&buffer.request, &response, &chunk);
        HttpSendHttpResponse(queue, buffer.request.RequestId, 0, &response, NULL, &got, NULL, 0, NULL, NULL);
    }
}
