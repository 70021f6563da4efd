/* Properties that are kept and read back, or kept only: channel binding, listening endpoint, protection level,
 * delegation; and which property belongs to whom.
 *
 * gate: not-mingw (its headers lack several of the structures) */
#include "http_server.h"

static void make_binding(HTTP_BINDING_INFO *info, HANDLE queue)
{
    memset(info, 0, sizeof(*info));
    info->Flags.Present = 1;
    info->RequestQueueHandle = queue;
}

TEST(test_stored__channel_binding_is_read_back)
{
    static union {
        HTTP_CHANNEL_BIND_INFO info;
        char bytes[512];
    } got;
    struct server server;
    HTTP_CHANNEL_BIND_INFO info;
    HTTP_SERVICE_BINDING_W wide_name;
    HTTP_SERVICE_BINDING_A narrow_name;
    PHTTP_SERVICE_BINDING_BASE names[2];
    HTTP_SERVICE_BINDING_W *first;
    HTTP_SERVICE_BINDING_A *second;
    ULONG size = 0, at;
    server_open(&server);
    memset(&got, 0xAA, sizeof(got));
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerChannelBindProperty, &got, sizeof(got), &size), NO_ERROR);
    CHECK_EQ(size, sizeof(info));
    CHECK_EQ(got.info.Hardening, HttpAuthenticationHardeningLegacy);
    CHECK_EQ(got.info.NumberOfServiceNames, 0);
    memset(&wide_name, 0, sizeof(wide_name));
    wide_name.Base.Type = HttpServiceBindingTypeW;
    wide_name.Buffer = (PWCHAR)(uintptr_t)W("HTTP/one");
    wide_name.BufferSize = 16;
    memset(&narrow_name, 0, sizeof(narrow_name));
    narrow_name.Base.Type = HttpServiceBindingTypeA;
    narrow_name.Buffer = (PCHAR)(uintptr_t)"HTTP/two";
    narrow_name.BufferSize = 8;
    names[0] = &wide_name.Base;
    names[1] = &narrow_name.Base;
    memset(&info, 0, sizeof(info));
    info.Hardening = HttpAuthenticationHardeningMedium;
    info.Flags = HTTP_CHANNEL_BIND_PROXY | HTTP_CHANNEL_BIND_SECURE_CHANNEL_TOKEN;
    info.ServiceNames = names;
    info.NumberOfServiceNames = 2;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, &info, sizeof(info)), NO_ERROR);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerChannelBindProperty, NULL, 0, &size), ERROR_MORE_DATA);
    CHECK(size > sizeof(info) && size <= sizeof(got));
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerChannelBindProperty, &got, size - 1, &at), ERROR_MORE_DATA);
    CHECK_EQ(at, size);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerChannelBindProperty, &got, size, NULL), NO_ERROR);
    CHECK_EQ(got.info.Hardening, HttpAuthenticationHardeningMedium);
    CHECK_EQ(got.info.Flags, info.Flags);
    REQUIRE(got.info.NumberOfServiceNames == 2);
    first = (HTTP_SERVICE_BINDING_W *)(void *)got.info.ServiceNames[0];
    second = (HTTP_SERVICE_BINDING_A *)(void *)got.info.ServiceNames[1];
    CHECK((char *)first > got.bytes && (char *)first < got.bytes + size);
    CHECK_EQ(first->Base.Type, HttpServiceBindingTypeW);
    CHECK_EQ(first->BufferSize, 16);
    CHECK(memcmp(first->Buffer, W("HTTP/one"), 16) == 0);
    CHECK_EQ(second->Base.Type, HttpServiceBindingTypeA);
    CHECK_BYTES(second->Buffer, second->BufferSize, "HTTP/two");
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerChannelBindProperty, &info, sizeof(info)), NO_ERROR);
    CHECK_EQ(HttpQueryServerSessionProperty(server.session, HttpServerChannelBindProperty, &got, sizeof(got), &size), NO_ERROR);
    CHECK_EQ(got.info.NumberOfServiceNames, 2);
    server_close(&server);
}

TEST(test_stored__channel_binding_that_cannot_be)
{
    struct server server;
    HTTP_CHANNEL_BIND_INFO info;
    PHTTP_SERVICE_BINDING_BASE none = NULL;
    server_open(&server);
    memset(&info, 0, sizeof(info));
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, &info, sizeof(info) - 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, NULL, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.Hardening = (HTTP_AUTHENTICATION_HARDENING_LEVELS)3;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.Hardening = HttpAuthenticationHardeningStrict;
    info.Flags = 0x40;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.Flags = 0;
    info.NumberOfServiceNames = 1;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.ServiceNames = &none;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.NumberOfServiceNames = 0;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerChannelBindProperty, &info, sizeof(info)), NO_ERROR);
    CHECK_EQ(HttpSetUrlGroupProperty(0xDEAD, HttpServerChannelBindProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    server_close(&server);
}

TEST(test_stored__endpoint_and_protection_level_of_groups)
{
    struct server server;
    HTTP_LISTEN_ENDPOINT_INFO endpoint;
    HTTP_PROTECTION_LEVEL_INFO level;
    ULONG size;
    server_open(&server);
    memset(&endpoint, 0, sizeof(endpoint));
    endpoint.Flags.Present = 1;
    endpoint.EnableSharing = TRUE;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerListenEndpointProperty, &endpoint, sizeof(endpoint)), NO_ERROR);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerListenEndpointProperty, &endpoint, sizeof(endpoint) - 1),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerListenEndpointProperty, &endpoint, sizeof(endpoint)),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerListenEndpointProperty, &endpoint, sizeof(endpoint), &size),
             ERROR_INVALID_PARAMETER);
    memset(&level, 0, sizeof(level));
    level.Flags.Present = 1;
    level.Level = HttpProtectionLevelRestricted;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerProtectionLevelProperty, &level, sizeof(level)), NO_ERROR);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerProtectionLevelProperty, &level, sizeof(level)),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerProtectionLevelProperty, &level, sizeof(level), &size),
             ERROR_INVALID_PARAMETER);
    level.Level = (HTTP_PROTECTION_LEVEL_TYPE)3;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerProtectionLevelProperty, &level, sizeof(level)), ERROR_INVALID_PARAMETER);
    level.Flags.Present = 0;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerProtectionLevelProperty, &level, sizeof(level)), NO_ERROR);
    server_close(&server);
}

TEST(test_stored__delegation_names_a_queue)
{
    struct server server;
    HTTP_BINDING_INFO info;
    HANDLE other, old;
    int client;
    server_open(&server);
    REQUIRE(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, &other) == NO_ERROR);
    REQUIRE(HttpCreateHttpHandle(&old, 0) == NO_ERROR);
    make_binding(&info, other);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerDelegationProperty, &info, sizeof(info)), NO_ERROR);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerDelegationProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerDelegationProperty, &info, sizeof(info) - 1), ERROR_INVALID_PARAMETER);
    make_binding(&info, old);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerDelegationProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    make_binding(&info, (HANDLE)(uintptr_t)0x1230);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerDelegationProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    /* Requests go where the group is bound all the same. */
    client = client_get(&server, "/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    close(client);
    CHECK(CloseHandle(old));
    CHECK_EQ(HttpCloseRequestQueue(other), NO_ERROR);
    server_close(&server);
}

TEST(test_stored__every_property_has_its_holders)
{
    /* Bits: session set, session query, group set, group query, queue set, queue query (digest, section 6.1). */
    static const struct {
        HTTP_SERVER_PROPERTY property;
        int holders;
    } rows[] = {
        {HttpServerAuthenticationProperty, 15}, {HttpServerLoggingProperty, 5},        {HttpServerQosProperty, 15},
        {HttpServerTimeoutsProperty, 15},       {HttpServerQueueLengthProperty, 48},   {HttpServerStateProperty, 63},
        {HttpServer503VerbosityProperty, 48},   {HttpServerBindingProperty, 4},        {HttpServerExtendedAuthenticationProperty, 5},
        {HttpServerListenEndpointProperty, 4},  {HttpServerChannelBindProperty, 15},   {HttpServerProtectionLevelProperty, 4},
        {HttpServerDelegationProperty, 4},      {(HTTP_SERVER_PROPERTY)99, 0},
    };
    struct server server;
    ULONG size;
    size_t at;
    server_open(&server);
    for (at = 0; at < sizeof(rows) / sizeof(rows[0]); at++) {
        static ULONGLONG zeros[64];
        HTTP_SERVER_PROPERTY it = rows[at].property;
        char text[64];
        int may;
        /* A property that does not belong there is refused whatever the buffer; one that does is asked for its size. */
        for (may = 0; may < 3; may++) {
            int query = rows[at].holders >> (2 * may + 1) & 1, set = rows[at].holders >> (2 * may) & 1;
            ULONG told = may == 0   ? HttpQueryServerSessionProperty(server.session, it, NULL, 0, &size)
                         : may == 1 ? HttpQueryUrlGroupProperty(server.group, it, NULL, 0, &size)
                                    : HttpQueryRequestQueueProperty(server.queue, it, NULL, 0, 0, &size, NULL);
            ULONG taken = may == 0   ? HttpSetServerSessionProperty(server.session, it, zeros, sizeof(zeros))
                          : may == 1 ? HttpSetUrlGroupProperty(server.group, it, zeros, sizeof(zeros))
                                     : HttpSetRequestQueueProperty(server.queue, it, zeros, sizeof(zeros), 0, NULL);
            /* Zeros are no setting of these two. */
            int zero_is_none = it == HttpServerQosProperty || it == HttpServerQueueLengthProperty;
            snprintf(text, sizeof(text), "property %d of holder %d: query %u, set %u", (int)it, may, (unsigned)told, (unsigned)taken);
            if (told != (query ? (ULONG)ERROR_MORE_DATA : (ULONG)ERROR_INVALID_PARAMETER)
                || taken != (set && !zero_is_none ? (ULONG)NO_ERROR : (ULONG)ERROR_INVALID_PARAMETER))
                harness_fail(__FILE__, __LINE__, text);
        }
    }
    server_close(&server);
}
