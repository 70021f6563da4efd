/* Compiled without -fshort-wchar: u"" strings fit PCWSTR, and the macros of http.h work. Also run, as C11 and C++17. */
#include <http.h>
#include <winhttp.h>
#include <strsafe.h>
#ifdef __cplusplus
#include <string>
#include <vector>
#else
#include <uchar.h>
#endif

static PCWSTR agent = (PCWSTR)u"agent";

int main(void) {
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_VERSION one_one = HTTP_VERSION_1_1;
    HTTP_REQUEST request;
    HTTP_OPAQUE_ID id = 7;
    WCHAR text[16];
    LONG count = 1;
    OVERLAPPED overlapped;
    memset(&request, 0, sizeof request);
    memset(&overlapped, 0, sizeof overlapped);
    request.Version = one_one;
    request.RequestInfoCount = 1;
    if (!HTTP_EQUAL_VERSION(request.Version, 1, 1) || HTTP_LESS_VERSION(one_one, 1, 1)) return 1;
    if (!HTTPAPI_VERSION_GREATER_OR_EQUAL(version, 2, 0) || HTTPAPI_GREATER_VERSION(version, 2, 0)) return 2;
    if (HTTP_IS_NULL_ID(&id)) return 3;
    HTTP_SET_NULL_ID(&id);
    if (!HTTP_IS_NULL_ID(&id)) return 4;
    if (StringCchPrintfW(text, 16, (PCWSTR)u"%s-%d", agent, 7) != S_OK || text[6] != u'7' || text[7] != 0) return 5;
    if (InterlockedIncrement(&count) != 2 || InterlockedCompareExchange(&count, 9, 2) != 2 || count != 9) return 6;
    overlapped.Internal = STATUS_PENDING;
    if (HasOverlappedIoCompleted(&overlapped)) return 7;
    if (HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED) != E_ACCESSDENIED || !FAILED(E_FAIL)) return 8;
    return 0;
}
