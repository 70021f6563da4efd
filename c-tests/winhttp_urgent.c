/* Urgent data of a server are data like any other: nothing waits for them in vain. */
#include "winhttp_server.h"

#define REQUESTS 5

/* A server that sends the last but two bytes of each answer as urgent, on one connection. */
static DWORD WINAPI urgent_serve(void *argument)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe";
    char text[4096];
    int count, peer = (int)accept(*(int *)argument, NULL, NULL);
    for (count = 0; count < REQUESTS; count++) {
        if (recv(peer, text, sizeof(text), 0) <= 0)
            break;
        CHECK(send(peer, head, sizeof(head) - 1, MSG_NOSIGNAL) > 0);
        CHECK(send(peer, "l", 1, MSG_OOB | MSG_NOSIGNAL) > 0);
        CHECK(send(peer, "lo", 2, MSG_NOSIGNAL) > 0);
    }
    close(peer);
    return 0;
}

static void read_async(HINTERNET request, DWORD_PTR context)
{
    char body[8] = "";
    DWORD have = 0, got = 0;
    int reads = 0;
    CHECK(WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, context));
    CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(request, NULL));
    CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    while (have < 5) {
        int at;
        CHECK(WinHttpReadData(request, body + have, 5 - have, NULL));
        if (!note_wait(context, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, ++reads)) {
            CHECK(!"read in time");
            break;
        }
        AcquireSRWLockShared(&note_lock);
        for (at = 0; at < note_count; at++)
            if (notes[at].context == context && notes[at].status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE)
                got = notes[at].number;
        ReleaseSRWLockShared(&note_lock);
        if (!got)
            break;
        have += got;
    }
    CHECK_BYTES(body, have, "hello");
}

static void read_urgent(DWORD flags)
{
    struct trio it;
    int port, count, listener = loopback_listener(&port, 4);
    char body[64];
    HANDLE thread = CreateThread(NULL, 0, urgent_serve, &listener, 0, NULL);
    DWORD limit = 5000;
    notes_clear(NULL);
    trio_open(&it, port, NULL, NULL, flags);
    for (count = 0; count < REQUESTS; count++) {
        HINTERNET request = WinHttpOpenRequest(it.connect, NULL, W("/"), NULL, NULL, NULL, 0);
        DWORD_PTR context = 40 + (DWORD_PTR)count;
        CHECK(WinHttpSetOption(request, WINHTTP_OPTION_RECEIVE_TIMEOUT, &limit, sizeof(limit)));
        if (flags) {
            WinHttpSetStatusCallback(request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
            read_async(request, context);
        } else {
            CHECK(exchange(request));
            CHECK_EQ(read_body(request, body, sizeof(body)), 5);
            CHECK_BYTES(body, 5, "hello");
        }
        CHECK(WinHttpCloseHandle(request));
        if (flags)
            CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    }
    trio_close(&it);
    shutdown(listener, 2);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CloseHandle(thread);
    close(listener);
}

TEST(test_urgent__data_are_read_in_their_place)
{
    read_urgent(0);
}

TEST(test_urgent__data_are_read_in_their_place_by_a_worker)
{
    read_urgent(WINHTTP_FLAG_ASYNC);
}
