//! The Win32 base types both headers are built from: numbers, pointers, handles, and the structures callers hand over.
//!
//! `DWORD`, `LONG` and `ULONG` are 32 bits and `WCHAR` is one UTF-16 code unit, as on 64-bit Windows. The error and
//! status codes are in `codes`; the types of the two APIs are in `http` and `winhttp`.

#![expect(missing_docs, reason = "Windows names; what each one means is on its MSDN page")]
#![expect(non_camel_case_types, non_snake_case, reason = "Windows spelling")]

pub use super::codes::*;
use core::ffi::{c_char, c_int, c_short, c_uchar, c_uint, c_ushort, c_void};

// Numbers
pub type VOID = c_void;
pub type CHAR = c_char;
pub type UCHAR = c_uchar;
pub type BYTE = u8;
pub type BOOLEAN = u8;
pub type BOOL = c_int;
pub type SHORT = c_short;
pub type USHORT = c_ushort;
pub type WORD = u16;
/// One UTF-16 code unit.
pub type WCHAR = u16;
pub type INT = c_int;
pub type UINT = c_uint;
pub type LONG = i32;
pub type ULONG = u32;
pub type DWORD = u32;
pub type LONGLONG = i64;
pub type ULONGLONG = u64;
pub type DWORD64 = u64;
pub type INT_PTR = isize;
pub type LONG_PTR = isize;
pub type UINT_PTR = usize;
pub type ULONG_PTR = usize;
pub type DWORD_PTR = usize;
pub type SIZE_T = usize;
pub type HRESULT = i32;
pub type NTSTATUS = i32;
pub type SECURITY_STATUS = i32;
pub type ALG_ID = u32;

pub const FALSE: BOOL = 0;
pub const TRUE: BOOL = 1;
pub const INFINITE: DWORD = 0xFFFF_FFFF;

// Pointers
pub type PVOID = *mut c_void;
pub type LPVOID = *mut c_void;
pub type LPCVOID = *const c_void;
pub type PCHAR = *mut CHAR;
pub type PUCHAR = *mut UCHAR;
pub type PBYTE = *mut BYTE;
pub type LPBYTE = *mut BYTE;
pub type PBOOL = *mut BOOL;
pub type LPBOOL = *mut BOOL;
pub type PUSHORT = *mut USHORT;
pub type PWORD = *mut WORD;
pub type LPWORD = *mut WORD;
pub type PINT = *mut INT;
pub type PUINT = *mut UINT;
pub type PLONG = *mut LONG;
pub type LPLONG = *mut LONG;
pub type PULONG = *mut ULONG;
pub type PDWORD = *mut DWORD;
pub type LPDWORD = *mut DWORD;
pub type PULONGLONG = *mut ULONGLONG;
pub type PULONG_PTR = *mut ULONG_PTR;
pub type PDWORD_PTR = *mut DWORD_PTR;
pub type PSIZE_T = *mut SIZE_T;
pub type PSTR = *mut CHAR;
pub type LPSTR = *mut CHAR;
pub type PCSTR = *const CHAR;
pub type LPCSTR = *const CHAR;
pub type PCCH = *const CHAR;
pub type LPCCH = *const CHAR;
pub type PWCHAR = *mut WCHAR;
pub type PWSTR = *mut WCHAR;
pub type LPWSTR = *mut WCHAR;
pub type PCWSTR = *const WCHAR;
pub type LPCWSTR = *const WCHAR;
pub type PCWCH = *const WCHAR;
pub type LPCWCH = *const WCHAR;

// Handles
pub type HANDLE = *mut c_void;
pub type PHANDLE = *mut HANDLE;
pub type LPHANDLE = *mut HANDLE;
pub type HMODULE = *mut c_void;
pub type HINSTANCE = *mut c_void;
pub type HGLOBAL = *mut c_void;
pub type HLOCAL = *mut c_void;
pub type HCERTSTORE = *mut c_void;
pub type HCRYPTPROV_LEGACY = ULONG_PTR;
pub type PSECURITY_DESCRIPTOR = *mut c_void;

/// `INVALID_HANDLE_VALUE`, the handle -1.
pub const INVALID_HANDLE_VALUE: HANDLE = core::ptr::without_provenance_mut(usize::MAX);

/// A function of unknown signature, as `GetProcAddress` returns it.
pub type FARPROC = Option<unsafe extern "C" fn() -> INT_PTR>;

/// Declares a `repr(C)` structure or union together with its Windows pointer names.
macro_rules! record {
    ($($(#[$doc:meta])* $kind:ident $name:ident ($($pointer:ident),*) { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub $kind $name { $(pub $field: $type),* }
        $(pub type $pointer = *mut $name;)*
    )*};
}

record! {
    struct GUID (PGUID, LPGUID) { Data1: u32, Data2: u16, Data3: u16, Data4: [u8; 8] }
    struct FILETIME (PFILETIME, LPFILETIME) { dwLowDateTime: DWORD, dwHighDateTime: DWORD }
    struct SYSTEMTIME (PSYSTEMTIME, LPSYSTEMTIME) {
        wYear: WORD, wMonth: WORD, wDayOfWeek: WORD, wDay: WORD,
        wHour: WORD, wMinute: WORD, wSecond: WORD, wMilliseconds: WORD,
    }
    struct LARGE_INTEGER_PARTS () { LowPart: DWORD, HighPart: LONG }
    union LARGE_INTEGER (PLARGE_INTEGER) { u: LARGE_INTEGER_PARTS, QuadPart: LONGLONG }
    struct ULARGE_INTEGER_PARTS () { LowPart: DWORD, HighPart: DWORD }
    union ULARGE_INTEGER (PULARGE_INTEGER) { u: ULARGE_INTEGER_PARTS, QuadPart: ULONGLONG }
    struct SECURITY_ATTRIBUTES (PSECURITY_ATTRIBUTES, LPSECURITY_ATTRIBUTES) {
        nLength: DWORD, lpSecurityDescriptor: LPVOID, bInheritHandle: BOOL,
    }
}

// Asynchronous operations
record! {
    struct OVERLAPPED_OFFSET () { Offset: DWORD, OffsetHigh: DWORD }
    union OVERLAPPED_POSITION () { Parts: OVERLAPPED_OFFSET, Pointer: PVOID }
    /// `Internal` holds an NTSTATUS and `InternalHigh` the byte count. `Position` is an anonymous union in C.
    struct OVERLAPPED (POVERLAPPED, LPOVERLAPPED) {
        Internal: ULONG_PTR, InternalHigh: ULONG_PTR, Position: OVERLAPPED_POSITION, hEvent: HANDLE,
    }
    struct OVERLAPPED_ENTRY (POVERLAPPED_ENTRY, LPOVERLAPPED_ENTRY) {
        lpCompletionKey: ULONG_PTR, lpOverlapped: LPOVERLAPPED,
        Internal: ULONG_PTR, dwNumberOfBytesTransferred: DWORD,
    }
}

// Addresses: the platform's own families and layouts
record! {
    struct SOCKADDR (PSOCKADDR, LPSOCKADDR) { sa_family: u16, sa_data: [c_char; 14] }
    /// As large and aligned as any address; read it through the platform's `sockaddr` types.
    struct SOCKADDR_STORAGE (PSOCKADDR_STORAGE, LPSOCKADDR_STORAGE) {
        ss_family: u16, __ss_pad1: [c_char; 6], __ss_align: i64, __ss_pad2: [c_char; 112],
    }
    struct tcp_keepalive () { onoff: ULONG, keepalivetime: ULONG, keepaliveinterval: ULONG }
    struct TCP_INFO_v0 (PTCP_INFO_v0) {
        State: c_int, Mss: ULONG, ConnectionTimeMs: ULONGLONG, TimestampsEnabled: BOOLEAN,
        RttUs: ULONG, MinRttUs: ULONG, BytesInFlight: ULONG, Cwnd: ULONG, SndWnd: ULONG, RcvWnd: ULONG,
        RcvBuf: ULONG, BytesOut: ULONGLONG, BytesIn: ULONGLONG, BytesReordered: ULONG, BytesRetrans: ULONG,
        FastRetrans: ULONG, DupAcksIn: ULONG, TimeoutEpisodes: ULONG, SynRetrans: UCHAR,
    }
    struct TCP_INFO_v1 (PTCP_INFO_v1) {
        State: c_int, Mss: ULONG, ConnectionTimeMs: ULONGLONG, TimestampsEnabled: BOOLEAN,
        RttUs: ULONG, MinRttUs: ULONG, BytesInFlight: ULONG, Cwnd: ULONG, SndWnd: ULONG, RcvWnd: ULONG,
        RcvBuf: ULONG, BytesOut: ULONGLONG, BytesIn: ULONGLONG, BytesReordered: ULONG, BytesRetrans: ULONG,
        FastRetrans: ULONG, DupAcksIn: ULONG, TimeoutEpisodes: ULONG, SynRetrans: UCHAR,
        SndLimTransRwin: ULONG, SndLimTimeRwin: ULONG, SndLimBytesRwin: ULONGLONG,
        SndLimTransCwnd: ULONG, SndLimTimeCwnd: ULONG, SndLimBytesCwnd: ULONGLONG,
        SndLimTransSnd: ULONG, SndLimTimeSnd: ULONG, SndLimBytesSnd: ULONGLONG,
    }
    struct TCP_INFO_v2 (PTCP_INFO_v2) {
        State: c_int, Mss: ULONG, ConnectionTimeMs: ULONGLONG, TimestampsEnabled: BOOLEAN,
        RttUs: ULONG, MinRttUs: ULONG, BytesInFlight: ULONG, Cwnd: ULONG, SndWnd: ULONG, RcvWnd: ULONG,
        RcvBuf: ULONG, BytesOut: ULONGLONG, BytesIn: ULONGLONG, BytesReordered: ULONG, BytesRetrans: ULONG,
        FastRetrans: ULONG, DupAcksIn: ULONG, TimeoutEpisodes: ULONG, SynRetrans: UCHAR,
        SndLimTransRwin: ULONG, SndLimTimeRwin: ULONG, SndLimBytesRwin: ULONGLONG,
        SndLimTransCwnd: ULONG, SndLimTimeCwnd: ULONG, SndLimBytesCwnd: ULONGLONG,
        SndLimTransSnd: ULONG, SndLimTimeSnd: ULONG, SndLimBytesSnd: ULONGLONG,
        OutOfOrderPktsIn: ULONG, EcnNegotiated: BOOLEAN, EceAcksIn: ULONG, PtoEpisodes: ULONG,
    }
}

// Certificates and TLS
record! {
    struct CRYPT_INTEGER_BLOB (PCRYPT_INTEGER_BLOB, PCERT_NAME_BLOB, PCRYPT_DATA_BLOB) { cbData: DWORD, pbData: *mut BYTE }
    /// `pbCertEncoded` is the certificate in DER. `pCertInfo` points at a `CERT_INFO`.
    struct CERT_CONTEXT (PCERT_CONTEXT) {
        dwCertEncodingType: DWORD, pbCertEncoded: *mut BYTE, cbCertEncoded: DWORD,
        pCertInfo: PVOID, hCertStore: HCERTSTORE,
    }
    struct SEC_CHANNEL_BINDINGS (PSEC_CHANNEL_BINDINGS) {
        dwInitiatorAddrType: ULONG, cbInitiatorLength: ULONG, dwInitiatorOffset: ULONG,
        dwAcceptorAddrType: ULONG, cbAcceptorLength: ULONG, dwAcceptorOffset: ULONG,
        cbApplicationDataLength: ULONG, dwApplicationDataOffset: ULONG,
    }
    struct SecPkgContext_Bindings (PSecPkgContext_Bindings) {
        BindingsLength: ULONG, Bindings: *mut SEC_CHANNEL_BINDINGS,
    }
    struct SecPkgContext_ConnectionInfo (PSecPkgContext_ConnectionInfo) {
        dwProtocol: DWORD, aiCipher: ALG_ID, dwCipherStrength: DWORD, aiHash: ALG_ID,
        dwHashStrength: DWORD, aiExch: ALG_ID, dwExchStrength: DWORD,
    }
    struct SecPkgContext_CipherInfo (PSecPkgContext_CipherInfo) {
        dwVersion: DWORD, dwProtocol: DWORD, dwCipherSuite: DWORD, dwBaseCipherSuite: DWORD,
        szCipherSuite: [WCHAR; 64], szCipher: [WCHAR; 64], dwCipherLen: DWORD, dwCipherBlockLen: DWORD,
        szHash: [WCHAR; 64], dwHashLen: DWORD, szExchange: [WCHAR; 64], dwMinExchangeLen: DWORD,
        dwMaxExchangeLen: DWORD, szCertificate: [WCHAR; 64], dwKeyType: DWORD,
    }
    struct SecPkgContext_IssuerListInfoEx (PSecPkgContext_IssuerListInfoEx) {
        aIssuers: PCERT_NAME_BLOB, cIssuers: DWORD,
    }
}
pub type PCCERT_CONTEXT = *const CERT_CONTEXT;

// Threads, thread-pool I/O and completion callbacks
/// An opaque object that only a pointer ever names.
macro_rules! opaque {
    ($($name:ident ($pointer:ident))*) => {$(
        #[repr(C)]
        pub struct $name { _private: [u8; 0] }
        pub type $pointer = *mut $name;
    )*};
}
opaque! { TP_IO (PTP_IO) TP_POOL (PTP_POOL) TP_CLEANUP_GROUP (PTP_CLEANUP_GROUP) TP_CALLBACK_INSTANCE (PTP_CALLBACK_INSTANCE) }
opaque! { TP_WORK (PTP_WORK) TP_CALLBACK_ENVIRON (PTP_CALLBACK_ENVIRON) }

pub type LPTHREAD_START_ROUTINE = Option<unsafe extern "C" fn(lpThreadParameter: LPVOID) -> DWORD>;
pub type PTP_WIN32_IO_CALLBACK = Option<
    unsafe extern "C" fn(
        Instance: PTP_CALLBACK_INSTANCE,
        Context: PVOID,
        Overlapped: PVOID,
        IoResult: ULONG,
        NumberOfBytesTransferred: ULONG_PTR,
        Io: PTP_IO,
    ),
>;
pub type LPOVERLAPPED_COMPLETION_ROUTINE = Option<
    unsafe extern "C" fn(dwErrorCode: DWORD, dwNumberOfBytesTransfered: DWORD, lpOverlapped: LPOVERLAPPED),
>;

record! {
    struct SRWLOCK (PSRWLOCK) { Ptr: PVOID }
    /// The library keeps its own lock behind `DebugInfo`; the other members are there for the size.
    struct CRITICAL_SECTION (PCRITICAL_SECTION, LPCRITICAL_SECTION) {
        DebugInfo: PVOID, LockCount: LONG, RecursionCount: LONG,
        OwningThread: HANDLE, LockSemaphore: HANDLE, SpinCount: ULONG_PTR,
    }
    struct CONDITION_VARIABLE (PCONDITION_VARIABLE) { Ptr: PVOID }
    struct SYSTEM_INFO (LPSYSTEM_INFO) {
        wProcessorArchitecture: WORD, wReserved: WORD, dwPageSize: DWORD,
        lpMinimumApplicationAddress: LPVOID, lpMaximumApplicationAddress: LPVOID,
        dwActiveProcessorMask: DWORD_PTR, dwNumberOfProcessors: DWORD, dwProcessorType: DWORD,
        dwAllocationGranularity: DWORD, wProcessorLevel: WORD, wProcessorRevision: WORD,
    }
}
