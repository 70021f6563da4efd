/* The version a program means when it does not say */
#if defined(_WIN32_WINNT) && _WIN32_WINNT < 0x0600
typedef HTTP_REQUEST_V1 HTTP_REQUEST;
typedef HTTP_RESPONSE_V1 HTTP_RESPONSE;
#else
typedef HTTP_REQUEST_V2 HTTP_REQUEST;
typedef HTTP_RESPONSE_V2 HTTP_RESPONSE;
#endif
typedef HTTP_REQUEST *PHTTP_REQUEST;
typedef HTTP_RESPONSE *PHTTP_RESPONSE;

#ifdef UNICODE
#define HTTP_SERVICE_BINDING HTTP_SERVICE_BINDING_W
#else
#define HTTP_SERVICE_BINDING HTTP_SERVICE_BINDING_A
#endif

/* Identifiers */
#define HTTP_IS_NULL_ID(pid) (HTTP_NULL_ID == *(pid))
#define HTTP_SET_NULL_ID(pid) (*(pid) = HTTP_NULL_ID)

/* Versions */
#define HTTP_SET_VERSION(version, major, minor) \
    do { (version).MajorVersion = (major); (version).MinorVersion = (minor); } while (0)
#define HTTP_EQUAL_VERSION(version, major, minor) \
    ((version).MajorVersion == (major) && (version).MinorVersion == (minor))
#define HTTP_GREATER_VERSION(version, major, minor) \
    ((version).MajorVersion > (major) || ((version).MajorVersion == (major) && (version).MinorVersion > (minor)))
#define HTTP_LESS_VERSION(version, major, minor) \
    ((version).MajorVersion < (major) || ((version).MajorVersion == (major) && (version).MinorVersion < (minor)))
#define HTTP_NOT_EQUAL_VERSION(version, major, minor) (!HTTP_EQUAL_VERSION(version, major, minor))
#define HTTP_GREATER_EQUAL_VERSION(version, major, minor) (!HTTP_LESS_VERSION(version, major, minor))
#define HTTP_LESS_EQUAL_VERSION(version, major, minor) (!HTTP_GREATER_VERSION(version, major, minor))

#define HTTPAPI_EQUAL_VERSION(version, major, minor) \
    ((version).HttpApiMajorVersion == (major) && (version).HttpApiMinorVersion == (minor))
#define HTTPAPI_GREATER_VERSION(version, major, minor) \
    ((version).HttpApiMajorVersion > (major) || \
     ((version).HttpApiMajorVersion == (major) && (version).HttpApiMinorVersion > (minor)))
#define HTTPAPI_LESS_VERSION(version, major, minor) \
    ((version).HttpApiMajorVersion < (major) || \
     ((version).HttpApiMajorVersion == (major) && (version).HttpApiMinorVersion < (minor)))
#define HTTPAPI_VERSION_GREATER_OR_EQUAL(version, major, minor) (!HTTPAPI_LESS_VERSION(version, major, minor))
