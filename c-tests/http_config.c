/* Service configuration: every id, exact and next queries, each error row; and what reservations and the listen list do.
 * gate: not-mingw (it chooses its own configuration file) */
#define _GNU_SOURCE
#include "http_server.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/nthttp-config-XXXXXX", file[64];

/* Before anything reads the configuration. */
__attribute__((constructor)) static void choose_file(void)
{
    if (mkdtemp(folder) == NULL)
        _exit(9);
    snprintf(file, sizeof(file), "%s/config.json", folder);
    setenv("NTHTTP_CONFIG", file, 1);
}

__attribute__((destructor)) static void remove_files(void)
{
    char path[80];
    unlink(file);
    snprintf(path, sizeof(path), "%s.lock", file);
    unlink(path);
    rmdir(folder);
}

static void open_config(void)
{
    unlink(file);
    REQUIRE(HttpInitialize(version(2, 0), HTTP_INITIALIZE_CONFIG, NULL) == NO_ERROR);
}

static void close_config(void)
{
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_CONFIG, NULL), NO_ERROR);
    unlink(file);
}

#define SET(ID, WHAT) HttpSetServiceConfiguration(NULL, ID, &(WHAT), sizeof(WHAT), NULL)
#define UPDATE(ID, WHAT) HttpUpdateServiceConfiguration(NULL, ID, &(WHAT), sizeof(WHAT), NULL)
#define DELETE_ENTRY(ID, WHAT) HttpDeleteServiceConfiguration(NULL, ID, &(WHAT), sizeof(WHAT), NULL)

static HTTP_SERVICE_CONFIG_URLACL_SET url_acl(PCWSTR url, PCWSTR sddl)
{
    HTTP_SERVICE_CONFIG_URLACL_SET set;
    memset(&set, 0, sizeof(set));
    set.KeyDesc.pUrlPrefix = (PWSTR)url;
    set.ParamDesc.pStringSecurityDescriptor = (PWSTR)sddl;
    return set;
}

static int same(PCWSTR got, const char *wanted)
{
    size_t at;
    for (at = 0; wanted[at]; at++)
        if (got[at] != (WCHAR)(unsigned char)wanted[at])
            return 0;
    return got[at] == 0;
}

TEST(test_config__needs_its_own_initialize)
{
    USHORT seconds = 0;
    HTTP_SERVICE_CONFIG_TIMEOUT_KEY key = IdleConnectionTimeout;
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigTimeout, &key, sizeof(key), &seconds, sizeof(seconds), NULL, NULL),
             ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpDeleteServiceConfiguration(NULL, HttpServiceConfigTimeout, &key, sizeof(key), NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpInitialize(version(2, 0), HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
    CHECK_EQ(HttpSetServiceConfiguration(NULL, HttpServiceConfigTimeout, &key, sizeof(key), NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpUpdateServiceConfiguration(NULL, HttpServiceConfigSSLCertInfo, &key, sizeof(key), NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

TEST(test_config__common_arguments)
{
    HTTP_SERVICE_CONFIG_URLACL_SET set = url_acl(W("http://+:80/a/"), W("D:(A;;GX;;;WD)"));
    OVERLAPPED overlapped;
    memset(&overlapped, 0, sizeof(overlapped));
    open_config();
    CHECK_EQ(HttpSetServiceConfiguration((HANDLE)8, HttpServiceConfigUrlAclInfo, &set, sizeof(set), NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(HttpSetServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &set, sizeof(set), &overlapped), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, NULL, sizeof(set), NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &set, sizeof(set) - 1, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(HttpSetServiceConfiguration(NULL, HttpServiceConfigMax, &set, sizeof(set), NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpUpdateServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &set, sizeof(set), NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpDeleteServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &set, sizeof(set), NULL), ERROR_FILE_NOT_FOUND);
    close_config();
}

TEST(test_config__url_reservations)
{
    HTTP_SERVICE_CONFIG_URLACL_SET set = url_acl(W("http://+:80/App"), W("D:(A;;GX;;;WD)"));
    HTTP_SERVICE_CONFIG_URLACL_SET bad = url_acl(W("http://+/"), W("D:(A;;GX;;;WD)"));
    HTTP_SERVICE_CONFIG_URLACL_QUERY query;
    union {
        HTTP_SERVICE_CONFIG_URLACL_SET set;
        char bytes[256];
    } out;
    ULONG needed = 0, again = 0;
    open_config();
    CHECK_EQ(SET(HttpServiceConfigUrlAclInfo, set), NO_ERROR);
    CHECK_EQ(SET(HttpServiceConfigUrlAclInfo, set), ERROR_ALREADY_EXISTS);
    CHECK_EQ(SET(HttpServiceConfigUrlAclInfo, bad), ERROR_INVALID_PARAMETER);
    bad = url_acl(W("http://+:80/b/"), W("everyone"));
    CHECK_EQ(SET(HttpServiceConfigUrlAclInfo, bad), ERROR_INVALID_PARAMETER);
    bad = url_acl(W("http://+:80/b/"), NULL);
    CHECK_EQ(SET(HttpServiceConfigUrlAclInfo, bad), ERROR_INVALID_PARAMETER);
    bad = url_acl(W("https://+:80/b/"), W("D:(A;;GX;;;WD)"));
    CHECK_EQ(SET(HttpServiceConfigUrlAclInfo, bad), ERROR_ALREADY_EXISTS);

    memset(&query, 0, sizeof(query));
    query.QueryDesc = HttpServiceConfigQueryExact;
    query.KeyDesc.pUrlPrefix = (PWSTR)W("http://+:80/APP/");
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), NULL, 0, &needed, NULL),
             ERROR_INSUFFICIENT_BUFFER);
    CHECK(needed > sizeof(out.set) && needed <= sizeof(out));
    memset(&out, 0xEE, sizeof(out));
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), &out, needed - 1, &again, NULL),
             ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(again, needed);
    CHECK_EQ((unsigned char)out.bytes[0], 0xEE);
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), &out, needed, &again, NULL), NO_ERROR);
    CHECK((char *)out.set.KeyDesc.pUrlPrefix >= out.bytes && (char *)out.set.KeyDesc.pUrlPrefix < out.bytes + needed);
    CHECK(same(out.set.KeyDesc.pUrlPrefix, "http://+:80/App/"));
    CHECK(same(out.set.ParamDesc.pStringSecurityDescriptor, "D:(A;;GX;;;WD)"));

    query.KeyDesc.pUrlPrefix = (PWSTR)W("http://+:80/other/");
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), &out, sizeof(out), NULL, NULL),
             ERROR_FILE_NOT_FOUND);
    query.QueryDesc = HttpServiceConfigQueryMax;
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), &out, sizeof(out), NULL, NULL),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigUrlAclInfo, set), NO_ERROR);
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigUrlAclInfo, set), ERROR_FILE_NOT_FOUND);
    close_config();
}

TEST(test_config__next_queries_go_through_in_order)
{
    HTTP_SERVICE_CONFIG_URLACL_QUERY query;
    union {
        HTTP_SERVICE_CONFIG_URLACL_SET set;
        char bytes[256];
    } out;
    char wanted[64];
    DWORD token;
    open_config();
    for (token = 0; token < 5; token++) {
        HTTP_SERVICE_CONFIG_URLACL_SET set = url_acl(wide("http://+:80/%c/", 'e' - (int)token), W("D:(A;;GA;;;BA)"));
        REQUIRE(SET(HttpServiceConfigUrlAclInfo, set) == NO_ERROR);
    }
    memset(&query, 0, sizeof(query));
    query.QueryDesc = HttpServiceConfigQueryNext;
    for (token = 0; token < 5; token++) {
        query.dwToken = token;
        REQUIRE(HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), &out, sizeof(out), NULL, NULL) == NO_ERROR);
        snprintf(wanted, sizeof(wanted), "http://+:80/%c/", 'e' - (int)token);
        CHECK(same(out.set.KeyDesc.pUrlPrefix, wanted));
    }
    query.dwToken = 5;
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), &out, sizeof(out), NULL, NULL),
             ERROR_NO_MORE_ITEMS);
    close_config();
}

TEST(test_config__timeouts_have_defaults_and_are_overwritten)
{
    HTTP_SERVICE_CONFIG_TIMEOUT_SET set;
    HTTP_SERVICE_CONFIG_TIMEOUT_KEY key = HeaderWaitTimeout;
    USHORT seconds = 0;
    ULONG needed = 0;
    memset(&set, 0, sizeof(set));
    open_config();
#define QUERY_SECONDS HttpQueryServiceConfiguration(NULL, HttpServiceConfigTimeout, &key, sizeof(key), &seconds, sizeof(seconds), &needed, NULL)
    CHECK_EQ(QUERY_SECONDS, NO_ERROR);
    CHECK_EQ(seconds, 120);
    CHECK_EQ(needed, 2);
    set.KeyDesc = HeaderWaitTimeout;
    set.ParamDesc = 7;
    CHECK_EQ(SET(HttpServiceConfigTimeout, set), NO_ERROR);
    set.ParamDesc = 8;
    CHECK_EQ(SET(HttpServiceConfigTimeout, set), NO_ERROR);
    CHECK_EQ(QUERY_SECONDS, NO_ERROR);
    CHECK_EQ(seconds, 8);
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigTimeout, &key, sizeof(key), &seconds, 1, &needed, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigTimeout, key), NO_ERROR);
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigTimeout, set), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(QUERY_SECONDS, NO_ERROR);
    CHECK_EQ(seconds, 120);
    key = (HTTP_SERVICE_CONFIG_TIMEOUT_KEY)9;
    CHECK_EQ(QUERY_SECONDS, ERROR_INVALID_PARAMETER);
    close_config();
}

TEST(test_config__cache_parameters_and_settings)
{
    HTTP_SERVICE_CONFIG_CACHE_SET cache;
    HTTP_SERVICE_CONFIG_SETTING_SET setting;
    ULONG value = 0;
    memset(&cache, 0, sizeof(cache));
    memset(&setting, 0, sizeof(setting));
    open_config();
    cache.KeyDesc = MaxCacheResponseSize;
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigCache, &cache.KeyDesc, sizeof(cache.KeyDesc), &value, sizeof(value), NULL, NULL), NO_ERROR);
    CHECK_EQ(value, 262144);
    cache.ParamDesc = 4096;
    CHECK_EQ(SET(HttpServiceConfigCache, cache), NO_ERROR);
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigCache, &cache.KeyDesc, sizeof(cache.KeyDesc), &value, sizeof(value), NULL, NULL), NO_ERROR);
    CHECK_EQ(value, 4096);
    cache.KeyDesc = (HTTP_SERVICE_CONFIG_CACHE_KEY)5;
    CHECK_EQ(SET(HttpServiceConfigCache, cache), ERROR_INVALID_PARAMETER);

    setting.KeyDesc = HttpTlsThrottle;
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigSetting, &setting.KeyDesc, sizeof(setting.KeyDesc), &value, sizeof(value), NULL, NULL), ERROR_FILE_NOT_FOUND);
    setting.ParamDesc = 3;
    CHECK_EQ(SET(HttpServiceConfigSetting, setting), NO_ERROR);
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigSetting, &setting.KeyDesc, sizeof(setting.KeyDesc), &value, sizeof(value), NULL, NULL), NO_ERROR);
    CHECK_EQ(value, 3);
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigSetting, setting.KeyDesc), NO_ERROR);
    setting.KeyDesc = HttpNone;
    CHECK_EQ(SET(HttpServiceConfigSetting, setting), ERROR_INVALID_PARAMETER);
    close_config();
}

TEST(test_config__ip_listen_list)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    HTTP_SERVICE_CONFIG_IP_LISTEN_PARAM param;
    union {
        HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY query;
        char bytes[8 + 2 * 128];
    } out;
    ULONG needed = 0;
    client_address(&v4, 0);
    memset(&v6, 0, sizeof(v6));
    v6.sin6_family = AF_INET6;
    v6.sin6_addr.s6_addr[15] = 1;
    open_config();
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigIPListenList, NULL, 0, &out, sizeof(out), &needed, NULL), ERROR_FILE_NOT_FOUND);
    param.AddrLength = sizeof(v4);
    param.pAddress = (PSOCKADDR)&v4;
    CHECK_EQ(SET(HttpServiceConfigIPListenList, param), NO_ERROR);
    CHECK_EQ(SET(HttpServiceConfigIPListenList, param), ERROR_ALREADY_EXISTS);
    param.AddrLength = 4;
    CHECK_EQ(SET(HttpServiceConfigIPListenList, param), ERROR_INVALID_PARAMETER);
    param.AddrLength = sizeof(v6);
    param.pAddress = (PSOCKADDR)&v6;
    CHECK_EQ(SET(HttpServiceConfigIPListenList, param), NO_ERROR);
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigIPListenList, NULL, 0, &out, sizeof(out) - 1, &needed, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(needed, sizeof(out));
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigIPListenList, NULL, 0, &out, sizeof(out), &needed, NULL), NO_ERROR);
    CHECK_EQ(out.query.AddrCount, 2);
    CHECK(memcmp(&((struct sockaddr_in *)(void *)&out.query.AddrList[0])->sin_addr, &v4.sin_addr, 4) == 0);
    CHECK(memcmp(&((struct sockaddr_in6 *)(void *)(out.bytes + 8 + 128))->sin6_addr, &v6.sin6_addr, 16) == 0);
    v6.sin6_family = 99;
    CHECK_EQ(SET(HttpServiceConfigIPListenList, param), ERROR_INVALID_PARAMETER);
    v6.sin6_family = AF_INET6;
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigIPListenList, param), NO_ERROR);
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigIPListenList, param), ERROR_FILE_NOT_FOUND);
    close_config();
}

static unsigned char hash[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0xFF};

static void fill_param(HTTP_SERVICE_CONFIG_SSL_PARAM *param)
{
    memset(param, 0, sizeof(*param));
    param->SslHashLength = sizeof(hash);
    param->pSslHash = hash;
    param->AppId.Data1 = 0x01234567;
    param->AppId.Data2 = 0x89AB;
    param->AppId.Data3 = 0xCDEF;
    memcpy(param->AppId.Data4, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    param->pSslCertStoreName = (PWSTR)W("Root");
    param->DefaultCertCheckMode = 2;
    param->DefaultFlags = HTTP_SERVICE_CONFIG_SSL_FLAG_NEGOTIATE_CLIENT_CERT;
}

TEST(test_config__certificates_of_addresses)
{
    struct sockaddr_in address;
    HTTP_SERVICE_CONFIG_SSL_SET set;
    HTTP_SERVICE_CONFIG_SSL_QUERY query;
    union {
        HTTP_SERVICE_CONFIG_SSL_SET set;
        char bytes[512];
    } out;
    client_address(&address, 443);
    set.KeyDesc.pIpPort = (PSOCKADDR)&address;
    fill_param(&set.ParamDesc);
    open_config();
    CHECK_EQ(UPDATE(HttpServiceConfigSSLCertInfo, set), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(SET(HttpServiceConfigSSLCertInfo, set), NO_ERROR);
    CHECK_EQ(SET(HttpServiceConfigSSLCertInfo, set), ERROR_ALREADY_EXISTS);
    set.ParamDesc.DefaultCertCheckMode = 1;
    CHECK_EQ(UPDATE(HttpServiceConfigSSLCertInfo, set), NO_ERROR);
    set.ParamDesc.SslHashLength = 19;
    CHECK_EQ(UPDATE(HttpServiceConfigSSLCertInfo, set), ERROR_INVALID_PARAMETER);
    set.ParamDesc.SslHashLength = 20;
    set.ParamDesc.pSslHash = NULL;
    CHECK_EQ(UPDATE(HttpServiceConfigSSLCertInfo, set), ERROR_INVALID_PARAMETER);

    memset(&query, 0, sizeof(query));
    query.QueryDesc = HttpServiceConfigQueryExact;
    query.KeyDesc.pIpPort = (PSOCKADDR)&address;
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigSSLCertInfo, &query, sizeof(query), &out, sizeof(out), NULL, NULL), NO_ERROR);
    CHECK_EQ(out.set.ParamDesc.SslHashLength, 20);
    CHECK(memcmp(out.set.ParamDesc.pSslHash, hash, 20) == 0);
    CHECK(memcmp(&out.set.ParamDesc.AppId, &set.ParamDesc.AppId, sizeof(GUID)) == 0);
    CHECK(same(out.set.ParamDesc.pSslCertStoreName, "Root"));
    CHECK_EQ(out.set.ParamDesc.DefaultCertCheckMode, 1);
    CHECK_EQ(out.set.ParamDesc.DefaultFlags, HTTP_SERVICE_CONFIG_SSL_FLAG_NEGOTIATE_CLIENT_CERT);
    CHECK(out.set.ParamDesc.pDefaultSslCtlIdentifier == NULL);
    CHECK(memcmp(out.set.KeyDesc.pIpPort, &address, sizeof(address)) == 0);
    query.QueryDesc = HttpServiceConfigQueryNext;
    query.dwToken = 1;
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigSSLCertInfo, &query, sizeof(query), &out, sizeof(out), NULL, NULL), ERROR_NO_MORE_ITEMS);
    CHECK_EQ(DELETE_ENTRY(HttpServiceConfigSSLCertInfo, set), NO_ERROR);
    close_config();
}

TEST(test_config__certificates_of_names_and_ports)
{
    HTTP_SERVICE_CONFIG_SSL_SNI_SET sni;
    HTTP_SERVICE_CONFIG_SSL_CCS_SET ccs;
    struct sockaddr_in any;
    HTTP_SERVICE_CONFIG_SSL_SNI_QUERY query;
    union {
        HTTP_SERVICE_CONFIG_SSL_SNI_SET set;
        char bytes[768];
    } out;
    client_address(&any, 443);
    any.sin_addr.s_addr = 0;
    memset(&sni, 0, sizeof(sni));
    memset(&ccs, 0, sizeof(ccs));
    memcpy(&sni.KeyDesc.IpPort, &any, sizeof(any));
    memcpy(&ccs.KeyDesc.LocalAddress, &any, sizeof(any));
    sni.KeyDesc.Host = (PWSTR)W("Example.org");
    fill_param(&sni.ParamDesc);
    fill_param(&ccs.ParamDesc);
    ccs.ParamDesc.SslHashLength = 0;
    open_config();
    CHECK_EQ(SET(HttpServiceConfigSslSniCertInfo, sni), NO_ERROR);
    CHECK_EQ(SET(HttpServiceConfigSslScopedCcsCertInfo, sni), NO_ERROR);
    CHECK_EQ(SET(HttpServiceConfigSslCcsCertInfo, ccs), NO_ERROR);
    CHECK_EQ(SET(HttpServiceConfigSslCcsCertInfo, ccs), ERROR_ALREADY_EXISTS);
    memset(&query, 0, sizeof(query));
    query.QueryDesc = HttpServiceConfigQueryExact;
    query.KeyDesc = sni.KeyDesc;
    query.KeyDesc.Host = (PWSTR)W("EXAMPLE.ORG");
    CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigSslSniCertInfo, &query, sizeof(query), &out, sizeof(out), NULL, NULL), NO_ERROR);
    CHECK(same(out.set.KeyDesc.Host, "Example.org"));
    CHECK(memcmp(&out.set.KeyDesc.IpPort, &any, sizeof(any)) == 0);
    sni.KeyDesc.Host = NULL;
    CHECK_EQ(SET(HttpServiceConfigSslSniCertInfo, sni), ERROR_INVALID_PARAMETER);
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&ccs.KeyDesc.LocalAddress, &any, sizeof(any));
    CHECK_EQ(SET(HttpServiceConfigSslCcsCertInfo, ccs), ERROR_INVALID_PARAMETER);
    close_config();
}

TEST(test_config__a_malformed_file_is_left_alone)
{
    HTTP_SERVICE_CONFIG_URLACL_SET set = url_acl(W("http://+:80/a/"), W("D:(A;;GX;;;WD)"));
    FILE *out;
    char text[32] = "";
    open_config();
    out = fopen(file, "w");
    REQUIRE(out != NULL);
    fputs("{ not json", out);
    fclose(out);
    CHECK_EQ(SET(HttpServiceConfigUrlAclInfo, set), ERROR_BADDB);
    CHECK_HAS(nthttp_last_error_message(), "config.json");
    out = fopen(file, "r");
    REQUIRE(out != NULL && fgets(text, sizeof(text), out) != NULL);
    fclose(out);
    CHECK_BYTES(text, strlen(text), "{ not json");
    close_config();
}

TEST(test_config__writers_in_several_processes_take_turns)
{
    HTTP_SERVICE_CONFIG_URLACL_QUERY query;
    char out[512];
    int process, entry, status;
    DWORD found = 0;
    open_config();
    for (process = 0; process < 4; process++) {
        if (fork() == 0) {
            for (entry = 0; entry < 20; entry++) {
                HTTP_SERVICE_CONFIG_URLACL_SET set = url_acl(wide("http://+:80/%d/%d/", process, entry), W("D:(A;;GX;;;WD)"));
                if (SET(HttpServiceConfigUrlAclInfo, set) != NO_ERROR)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (process = 0; process < 4; process++) {
        REQUIRE(wait(&status) > 0);
        CHECK_EQ(status, 0);
    }
    memset(&query, 0, sizeof(query));
    query.QueryDesc = HttpServiceConfigQueryNext;
    while (HttpQueryServiceConfiguration(NULL, HttpServiceConfigUrlAclInfo, &query, sizeof(query), out, sizeof(out), NULL, NULL) == NO_ERROR)
        query.dwToken = ++found;
    CHECK_EQ(found, 80);
    close_config();
}

TEST(test_config__a_killed_writer_leaves_a_whole_file)
{
    HTTP_SERVICE_CONFIG_TIMEOUT_SET set;
    HTTP_SERVICE_CONFIG_TIMEOUT_KEY key = IdleConnectionTimeout;
    USHORT seconds;
    int round, status;
    memset(&set, 0, sizeof(set));
    open_config();
    for (round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0) {
            for (;; set.ParamDesc++)
                SET(HttpServiceConfigTimeout, set);
        }
        usleep(3000 + 700 * (useconds_t)round);
        kill(child, SIGKILL);
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK_EQ(HttpQueryServiceConfiguration(NULL, HttpServiceConfigTimeout, &key, sizeof(key), &seconds, sizeof(seconds), NULL, NULL), NO_ERROR);
        CHECK_EQ(SET(HttpServiceConfigTimeout, set), NO_ERROR);
    }
    close_config();
}

TEST(test_config__reservations_decide_who_may_register)
{
    struct server server;
    HTTP_SERVICE_CONFIG_URLACL_SET other, everyone;
    static struct reply reply;
    PCWSTR url;
    int client;
    open_config();
    server_open_bare(&server);
    other = url_acl(wide("http://localhost:%d/theirs/", server.port), W("D:(A;;GX;;;S-1-22-1-54321)"));
    everyone = url_acl(wide("http://localhost:%d/reserved/", server.port), W("D:(A;;GX;;;WD)"));
    REQUIRE(SET(HttpServiceConfigUrlAclInfo, other) == NO_ERROR);
    REQUIRE(SET(HttpServiceConfigUrlAclInfo, everyone) == NO_ERROR);
    url = wide("http://localhost:%d/theirs/below/", server.port);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, url, 0, 0), ERROR_ACCESS_DENIED);
    CHECK_HAS(nthttp_last_error_message(), "nthttp add urlacl");
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://*:%d/", server.port), 0, 0), NO_ERROR);
    client = client_get(&server, "/reserved/x");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 503);
    close(client);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/reserved/", server.port), 9, 0), NO_ERROR);
    client = client_get(&server, "/reserved/x");
    CHECK_EQ(receive(&server)->UrlContext, 9);
    close(client);
    REQUIRE(DELETE_ENTRY(HttpServiceConfigUrlAclInfo, other) == NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, url, 0, 0), NO_ERROR);
    server_close(&server);
    close_config();
}

TEST(test_config__only_the_owner_writes_even_where_no_mask_says_so)
{
    HTTP_SERVICE_CONFIG_TIMEOUT_SET set = {IdleConnectionTimeout, 7};
    char deep[80], path[96], lock[104];
    struct stat facts;
    mode_t mask;
    snprintf(deep, sizeof(deep), "%s/deep", folder);
    snprintf(path, sizeof(path), "%s/config.json", deep);
    snprintf(lock, sizeof(lock), "%s.lock", path);
    setenv("NTHTTP_CONFIG", path, 1);
    mask = umask(0);
    open_config();
    CHECK_EQ(SET(HttpServiceConfigTimeout, set), NO_ERROR);
    umask(mask);
    CHECK(stat(path, &facts) == 0 && (facts.st_mode & 022) == 0);
    CHECK(stat(deep, &facts) == 0 && (facts.st_mode & 022) == 0);
    CHECK(stat(lock, &facts) == 0 && (facts.st_mode & 07) == 0);
    close_config();
    unlink(path);
    unlink(lock);
    rmdir(deep);
    setenv("NTHTTP_CONFIG", file, 1);
}

TEST(test_config__ports_are_opened_on_the_listed_addresses)
{
    struct server server;
    struct sockaddr_in address;
    HTTP_SERVICE_CONFIG_IP_LISTEN_PARAM param = {sizeof(address), (PSOCKADDR)&address};
    struct sockaddr_in elsewhere;
    int it;
    client_address(&address, 0);
    address.sin_addr.s_addr = htonl(0x7F000002);
    open_config();
    REQUIRE(SET(HttpServiceConfigIPListenList, param) == NO_ERROR);
    server_open(&server);
    client_address(&elsewhere, server.port);
    it = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(it, (struct sockaddr *)&elsewhere, sizeof(elsewhere)) != 0);
    close(it);
    elsewhere.sin_addr.s_addr = htonl(0x7F000002);
    it = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(it, (struct sockaddr *)&elsewhere, sizeof(elsewhere)) == 0);
    close(it);
    server_close(&server);
    close_config();
}
