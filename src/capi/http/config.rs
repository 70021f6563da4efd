//! Service configuration: `HttpSetServiceConfiguration` and its like, over the file that `config` keeps.
//!
//! Structures are read in `config_read` and written in `config_query`.
#![expect(unsafe_code, reason = "functions called from C; read and write its structures")]
#![expect(non_snake_case, non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::{HANDLE, LPOVERLAPPED, PULONG, PVOID, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_status;
use crate::config::{Store, Trouble};
use crate::win32::last_error;

use super::config_query::query;
use super::config_read::{Input, Part, read_entry};
use super::init::ensure_config;
use super::property_buffers::Wanted;

/// Adds an entry to the service configuration, which is kept in a file and holds for every program of this user, or for the
/// machine if root does it: `$NTHTTP_CONFIG`, else `/etc/nthttp/config.json` for root, else
/// `$XDG_CONFIG_HOME/nthttp/config.json`.
///
/// `ServiceHandle` is NULL, `pOverlapped` NULL; `pConfigInformation` is the structure that belongs to `ConfigId`
/// (`HTTP_SERVICE_CONFIG_IP_LISTEN_PARAM`, `_SSL_SET`, `_URLACL_SET`, `_TIMEOUT_SET`, `_CACHE_SET`, `_SETTING_SET`,
/// `_SSL_SNI_SET`, `_SSL_CCS_SET`), `ConfigInformationLength` its bytes. Timeouts, cache parameters and settings are
/// overwritten. Blocks for the writing of a file.
///
/// Errors: `ERROR_ALREADY_EXISTS` (an entry with that key, or a reservation of another scheme on the port),
/// `ERROR_INVALID_PARAMETER` (unknown id, a malformed URL, SDDL, address or thumbprint), `ERROR_INSUFFICIENT_BUFFER` (input
/// too short), `ERROR_INVALID_HANDLE`, `ERROR_ACCESS_DENIED` (the file may not be written, or a reservation above does not
/// grant delegation), `ERROR_BADDB` (the file is malformed), `ERROR_REGISTRY_IO_FAILED`, `ERROR_DLL_INIT_FAILED` (no
/// `HttpInitialize` with `HTTP_INITIALIZE_CONFIG`). `nthttp_last_error_message()` tells the cause.
///
/// Differs from Windows: certificates are not looked up, so `ERROR_NO_SUCH_LOGON_SESSION` does not come; the `..Ex` ids give
/// `ERROR_INVALID_PARAMETER`.
///
/// MSDN: HttpSetServiceConfiguration function.
///
/// # Safety
/// `pConfigInformation` is NULL or valid for reads of `ConfigInformationLength` bytes, and so is what it points at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpSetServiceConfiguration(
    ServiceHandle: HANDLE,
    ConfigId: HTTP_SERVICE_CONFIG_ID,
    pConfigInformation: PVOID,
    ConfigInformationLength: ULONG,
    pOverlapped: LPOVERLAPPED,
) -> ULONG {
    returning_status(|| {
        check(ServiceHandle, pOverlapped)?;
        let input = Input { start: pConfigInformation, len: ConfigInformationLength };
        // SAFETY: C caller, per HttpSetServiceConfiguration: the structure of that id.
        let entry = unsafe { read_entry(ConfigId, input, Part::Whole)? };
        told(Store::of_this_user().add(entry))
    })
}

/// Changes an entry of the service configuration in place: certificates (`HttpServiceConfigSSLCertInfo`, `..SslSniCertInfo`,
/// `..SslCcsCertInfo`, `..SslScopedCcsCertInfo`) only.
///
/// Arguments and errors are those of `HttpSetServiceConfiguration`; `ERROR_FILE_NOT_FOUND` when there is no entry with that
/// key, `ERROR_INVALID_PARAMETER` for other ids.
///
/// MSDN: HttpUpdateServiceConfiguration function.
///
/// # Safety
/// `ConfigInfo` is NULL or valid for reads of `ConfigInfoLength` bytes, and so is what it points at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpUpdateServiceConfiguration(
    Handle: HANDLE,
    ConfigId: HTTP_SERVICE_CONFIG_ID,
    ConfigInfo: PVOID,
    ConfigInfoLength: ULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_status(|| {
        check(Handle, Overlapped)?;
        match ConfigId {
            HttpServiceConfigSSLCertInfo
            | HttpServiceConfigSslSniCertInfo
            | HttpServiceConfigSslCcsCertInfo
            | HttpServiceConfigSslScopedCcsCertInfo => {}
            _ => return Err(Error::INVALID_PARAMETER),
        }
        let input = Input { start: ConfigInfo, len: ConfigInfoLength };
        // SAFETY: C caller, per HttpUpdateServiceConfiguration: the structure of that id.
        let entry = unsafe { read_entry(ConfigId, input, Part::Whole)? };
        told(Store::of_this_user().update(entry))
    })
}

/// Deletes an entry of the service configuration. Of the structure only the key counts; for timeouts, cache parameters and
/// settings the key alone is enough, and the default holds again.
///
/// Arguments and errors are those of `HttpSetServiceConfiguration`; `ERROR_FILE_NOT_FOUND` when there is no such entry.
///
/// MSDN: HttpDeleteServiceConfiguration function.
///
/// # Safety
/// `pConfigInformation` is NULL or valid for reads of `ConfigInformationLength` bytes, and so is what its key points at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpDeleteServiceConfiguration(
    ServiceHandle: HANDLE,
    ConfigId: HTTP_SERVICE_CONFIG_ID,
    pConfigInformation: PVOID,
    ConfigInformationLength: ULONG,
    pOverlapped: LPOVERLAPPED,
) -> ULONG {
    returning_status(|| {
        check(ServiceHandle, pOverlapped)?;
        let input = Input { start: pConfigInformation, len: ConfigInformationLength };
        // SAFETY: C caller, per HttpDeleteServiceConfiguration: the structure of that id.
        let entry = unsafe { read_entry(ConfigId, input, Part::Key)? };
        told(Store::of_this_user().delete(&entry))
    })
}

/// Reads the service configuration: one entry by its key (`HttpServiceConfigQueryExact`), or the one of number `dwToken`
/// (`HttpServiceConfigQueryNext`, counted from 0 by the caller).
///
/// `pInput` is the `_QUERY` structure of `ConfigId`; for timeouts, cache parameters and settings the key; for the IP listen
/// list it is not looked at. `pOutput` gets the `_SET` structure (`HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY`, a `USHORT`, a
/// `ULONG`) with everything it points at behind it. `*pReturnLength`, unless NULL, is the size in bytes, also when the
/// buffer is too small.
///
/// Errors: `ERROR_FILE_NOT_FOUND` (no entry with that key; an empty IP listen list), `ERROR_NO_MORE_ITEMS` (no entry of that
/// number), `ERROR_INSUFFICIENT_BUFFER` (input or output too small), `ERROR_INVALID_PARAMETER`, `ERROR_INVALID_HANDLE`,
/// `ERROR_BADDB`, `ERROR_REGISTRY_IO_FAILED`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpQueryServiceConfiguration function.
///
/// # Safety
/// `pInput` is NULL or valid for reads of `InputLength` bytes, and so is what it points at; `pOutput` is NULL or valid for
/// writes of `OutputLength` bytes; `pReturnLength` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpQueryServiceConfiguration(
    ServiceHandle: HANDLE,
    ConfigId: HTTP_SERVICE_CONFIG_ID,
    pInput: PVOID,
    InputLength: ULONG,
    pOutput: PVOID,
    OutputLength: ULONG,
    pReturnLength: PULONG,
    pOverlapped: LPOVERLAPPED,
) -> ULONG {
    returning_status(|| {
        check(ServiceHandle, pOverlapped)?;
        let input = Input { start: pInput, len: InputLength };
        let wanted = Wanted { start: pOutput, len: OutputLength, size: pReturnLength };
        let config = Store::of_this_user().read();
        let config = config.or_else(|fault| told(Err(Trouble::from(fault))).map(|()| Default::default()))?;
        // SAFETY: C caller, per HttpQueryServiceConfiguration: buffers of those lengths.
        unsafe { query(ConfigId, &config, input, wanted) }
    })
}

fn check(handle: HANDLE, overlapped: LPOVERLAPPED) -> Result<()> {
    ensure_config()?;
    if !handle.is_null() {
        return Err(Error::INVALID_HANDLE);
    }
    if overlapped.is_null() { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

/// The outcome as a code; the words behind it go to `nthttp_last_error_message()`.
fn told(outcome: std::result::Result<(), Trouble>) -> Result<()> {
    outcome.map_err(|trouble| {
        last_error::explain(format_args!("service configuration: {trouble}"));
        trouble.code()
    })
}
