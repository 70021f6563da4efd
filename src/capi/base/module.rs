//! Modules: the Windows libraries this library stands for, and the functions in them.
//!
//! `httpapi.dll`, `winhttp.dll`, `kernel32.dll` and their like are all this one library; a module handle says
//! which of them is meant, so that programs which look functions up at run time find exactly those the
//! library exports.
#![expect(unsafe_code, reason = "exports, strings of C, and the dynamic linker")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ffi::{CStr, CString, c_void};
use std::ptr::{null_mut, without_provenance_mut};

use super::read::{optional, terminated};
use crate::abi::base::{BOOL, DWORD, FARPROC, HANDLE, HMODULE, LPCSTR, LPCWSTR, TRUE};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning_last_error, returning_or};

/// A Windows library this one stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// The program.
    Program,
    /// The HTTP Server API.
    HttpApi,
    /// WinHTTP.
    WinHttp,
    /// The Win32 base, and whatever else of it is exported here.
    Base,
}

const MODULES: [(Module, usize); 4] = [
    (Module::Program, 0x40_0000),
    (Module::HttpApi, 0x1000_0000),
    (Module::WinHttp, 0x1100_0000),
    (Module::Base, 0x1200_0000),
];

/// The libraries whose functions are in `Module::Base`.
const BASE_NAMES: [&str; 9] =
    ["kernel32", "kernelbase", "ntdll", "advapi32", "crypt32", "ole32", "oleaut32", "secur32", "rpcrt4"];

impl Module {
    /// The module a handle means.
    pub(super) fn of(handle: HMODULE) -> Result<Module> {
        let known = MODULES.iter().find(|(_, value)| *value == handle.addr());
        known.map(|(module, _)| *module).ok_or(Error::MOD_NOT_FOUND)
    }

    fn handle(self) -> HMODULE {
        let value = MODULES.iter().find(|(module, _)| *module == self).map_or(0, |(_, value)| *value);
        without_provenance_mut(value)
    }

    /// The module of a file name, with or without directory and extension, in any case.
    fn named(name: &str) -> Result<Module> {
        let file = name.rsplit(['\\', '/']).next().unwrap_or(name).to_ascii_lowercase();
        match file.strip_suffix(".dll").unwrap_or(&file) {
            "httpapi" => Ok(Module::HttpApi),
            "winhttp" => Ok(Module::WinHttp),
            base if BASE_NAMES.contains(&base) => Ok(Module::Base),
            _ => Err(Error::MOD_NOT_FOUND),
        }
    }

    fn may_hold(self, function: &str) -> bool {
        match self {
            Module::Program => true,
            Module::HttpApi => function.starts_with("Http"),
            Module::WinHttp => function.starts_with("WinHttp"),
            Module::Base => !function.starts_with("Http") && !function.starts_with("WinHttp"),
        }
    }
}

/// # Safety
/// `name` is NULL or ends in NUL.
unsafe fn named_wide(name: LPCWSTR) -> Result<Module> {
    // SAFETY: as this function's contract.
    match unsafe { optional(name) } {
        None => Ok(Module::Program),
        Some(name) => Module::named(&String::from_utf16_lossy(name)),
    }
}

/// # Safety
/// `name` is NULL or ends in NUL.
unsafe fn named_narrow(name: LPCSTR) -> Result<Module> {
    // SAFETY: as this function's contract.
    match unsafe { optional(name.cast::<u8>()) } {
        None => Ok(Module::Program),
        Some(name) => Module::named(&String::from_utf8_lossy(name)),
    }
}

/// The handle of `httpapi.dll`, `winhttp.dll`, `kernel32.dll` and their like (any case, extension optional),
/// or of the program (NULL). It is never to be closed. Returns NULL with ERROR_MOD_NOT_FOUND for other names.
/// MSDN: GetModuleHandleW.
///
/// # Safety
/// `lpModuleName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetModuleHandleW(lpModuleName: LPCWSTR) -> HMODULE {
    // SAFETY: C caller, per GetModuleHandleW.
    returning_last_error(|| unsafe { named_wide(lpModuleName) }.map(Module::handle))
}

/// As GetModuleHandleW. MSDN: GetModuleHandleA.
///
/// # Safety
/// `lpModuleName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetModuleHandleA(lpModuleName: LPCSTR) -> HMODULE {
    // SAFETY: C caller, per GetModuleHandleA.
    returning_last_error(|| unsafe { named_narrow(lpModuleName) }.map(Module::handle))
}

/// As GetModuleHandleW: the libraries known here are always loaded. Returns NULL with ERROR_INVALID_PARAMETER
/// for NULL, ERROR_MOD_NOT_FOUND for other libraries, which are not searched for. MSDN: LoadLibraryW.
///
/// # Safety
/// `lpLibFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LoadLibraryW(lpLibFileName: LPCWSTR) -> HMODULE {
    returning_last_error(|| {
        // SAFETY: C caller, per LoadLibraryW.
        let name = unsafe { terminated(lpLibFileName) }?;
        Module::named(&String::from_utf16_lossy(name)).map(Module::handle)
    })
}

/// As LoadLibraryW. MSDN: LoadLibraryA.
///
/// # Safety
/// `lpLibFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LoadLibraryA(lpLibFileName: LPCSTR) -> HMODULE {
    returning_last_error(|| {
        // SAFETY: C caller, per LoadLibraryA.
        let name = unsafe { terminated(lpLibFileName.cast::<u8>()) }?;
        Module::named(&String::from_utf8_lossy(name)).map(Module::handle)
    })
}

/// As LoadLibraryW; hFile must be NULL (ERROR_INVALID_PARAMETER), flags have no effect. MSDN: LoadLibraryExW.
///
/// # Safety
/// `lpLibFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LoadLibraryExW(lpLibFileName: LPCWSTR, hFile: HANDLE, dwFlags: DWORD) -> HMODULE {
    let _ = dwFlags;
    let name = if hFile.is_null() { lpLibFileName } else { std::ptr::null() };
    // SAFETY: C caller, per LoadLibraryExW.
    unsafe { LoadLibraryW(name) }
}

/// As LoadLibraryExW. MSDN: LoadLibraryExA.
///
/// # Safety
/// `lpLibFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LoadLibraryExA(lpLibFileName: LPCSTR, hFile: HANDLE, dwFlags: DWORD) -> HMODULE {
    let _ = dwFlags;
    let name = if hFile.is_null() { lpLibFileName } else { std::ptr::null() };
    // SAFETY: C caller, per LoadLibraryExA.
    unsafe { LoadLibraryA(name) }
}

/// Gives a module of LoadLibrary back; it stays loaded. Returns TRUE, or FALSE with ERROR_MOD_NOT_FOUND.
/// MSDN: FreeLibrary.
#[unsafe(no_mangle)]
pub extern "C" fn FreeLibrary(hLibModule: HMODULE) -> BOOL {
    returning_last_error(|| Module::of(hLibModule).map(|_| TRUE))
}

/// The address of a function this library exports under that module: Http... in httpapi.dll, WinHttp... in
/// winhttp.dll, all others in kernel32.dll. In the program itself (a module handle of NULL or
/// GetModuleHandle(NULL)): any symbol it exports.
/// Returns NULL with ERROR_MOD_NOT_FOUND, ERROR_PROC_NOT_FOUND; look-up by number (lpProcName below 65536)
/// always fails.
/// MSDN: GetProcAddress.
///
/// # Safety
/// `lpProcName` is below 65536 or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetProcAddress(hModule: HMODULE, lpProcName: LPCSTR) -> FARPROC {
    returning_or(None, || {
        let module = if hModule.is_null() { Module::Program } else { Module::of(hModule)? };
        if lpProcName.addr() < 0x1_0000 {
            return Err(Error::PROC_NOT_FOUND);
        }
        // SAFETY: C caller, per GetProcAddress: ends in NUL.
        let name = unsafe { CStr::from_ptr(lpProcName) };
        let may_hold = name.to_str().is_ok_and(|name| module.may_hold(name));
        let address = if may_hold { symbol(module, name) } else { null_mut() };
        if address.is_null() {
            return Err(Error::PROC_NOT_FOUND);
        }
        // SAFETY: the address of a function; the program casts it to the function's own type before it calls
        // it.
        Ok(unsafe { std::mem::transmute::<*mut c_void, FARPROC>(address) })
    })
}

/// The address of a symbol of this library, or of the program.
fn symbol(module: Module, name: &CStr) -> *mut c_void {
    // SAFETY: `name` ends in NUL.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if module == Module::Program || (!address.is_null() && base_of(address) == own_base()) {
        return address;
    }
    // Loaded privately (dlopen without RTLD_GLOBAL), or another library has the name first.
    let Some(own) = image(own_address()).and_then(|image| image.path) else { return null_mut() };
    // SAFETY: the path ends in NUL; the library is loaded, so only its count changes; `name` ends in NUL.
    let address = unsafe {
        let library = libc::dlopen(own.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if library.is_null() {
            return null_mut();
        }
        let address = libc::dlsym(library, name.as_ptr());
        libc::dlclose(library);
        address
    };
    if base_of(address) == own_base() { address } else { null_mut() }
}

struct Image {
    base: usize,
    path: Option<CString>,
}

/// The loaded file an address lies in.
fn image(address: *const c_void) -> Option<Image> {
    // SAFETY: all members are integers and pointers; dladdr fills them.
    let (found, info) = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        (libc::dladdr(address, &raw mut info), info)
    };
    if found == 0 {
        return None;
    }
    // SAFETY: dladdr gave NULL or a string that lives as long as the library is loaded.
    let path = (!info.dli_fname.is_null()).then(|| unsafe { CStr::from_ptr(info.dli_fname) }.to_owned());
    Some(Image { base: info.dli_fbase.addr(), path })
}

fn base_of(address: *const c_void) -> usize {
    image(address).map_or(0, |image| image.base)
}

fn own_address() -> *const c_void {
    GetProcAddress as *const c_void
}

fn own_base() -> usize {
    base_of(own_address())
}
