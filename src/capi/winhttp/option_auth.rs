//! The options about authentication and Passport (digest §7, §11).

use zeroize::Zeroizing;

use super::handle::Object;
use super::options::{Given, Value};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::auth::Target;
use crate::client::request::Request;
use crate::client::session::Session;

const PROXY_SCHEMES: u32 = WINHTTP_PROXY_DISABLE_SCHEME_BASIC
    | WINHTTP_PROXY_DISABLE_SCHEME_DIGEST
    | WINHTTP_PROXY_DISABLE_SCHEME_NTLM
    | WINHTTP_PROXY_DISABLE_SCHEME_KERBEROS
    | WINHTTP_PROXY_DISABLE_SCHEME_NEGOTIATE
    | WINHTTP_PROXY_DISABLE_AUTH_LOCAL_SERVICE;

const PASSPORT: u32 =
    WINHTTP_ENABLE_PASSPORT_AUTH | WINHTTP_DISABLE_PASSPORT_KEYRING | WINHTTP_ENABLE_PASSPORT_KEYRING;

/// Credentials of the process are pushed by WinINet, and only where an administrator allows it: here is neither.
pub(super) fn set_of_process(option: u32) -> Option<Result<()>> {
    let mine = matches!(
        option,
        WINHTTP_OPTION_GLOBAL_PROXY_CREDS
            | WINHTTP_OPTION_GLOBAL_SERVER_CREDS
            | WINHTTP_OPTION_USE_GLOBAL_SERVER_CREDENTIALS
    );
    mine.then_some(Err(Error::WINHTTP_INVALID_OPTION))
}

/// Sets an option of this topic; `None` for another.
pub(super) fn set(object: &Object, option: u32, given: &Given) -> Option<Result<()>> {
    let mine = match option {
        WINHTTP_OPTION_USERNAME
        | WINHTTP_OPTION_PASSWORD
        | WINHTTP_OPTION_PROXY_USERNAME
        | WINHTTP_OPTION_PROXY_PASSWORD
        | WINHTTP_OPTION_AUTOLOGON_POLICY
        | WINHTTP_OPTION_SPN => of_request(object).and_then(|request| set_request(request, option, given)),
        WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES
        | WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH
        | WINHTTP_OPTION_PASSPORT_SIGN_OUT => {
            of_session(object).and_then(|session| set_session(session, option, given))
        }
        WINHTTP_OPTION_SERVER_SPN_USED
        | WINHTTP_OPTION_PROXY_SPN_USED
        | WINHTTP_OPTION_PASSPORT_COBRANDING_TEXT
        | WINHTTP_OPTION_PASSPORT_COBRANDING_URL
        | WINHTTP_OPTION_PASSPORT_RETURN_URL => Err(Error::WINHTTP_OPTION_NOT_SETTABLE),
        _ => return set_of_process(option),
    };
    Some(mine)
}

/// Reads an option of this topic; `None` for another.
pub(super) fn query(object: &Object, option: u32) -> Option<Result<Value>> {
    Some(match option {
        WINHTTP_OPTION_USERNAME
        | WINHTTP_OPTION_PASSWORD
        | WINHTTP_OPTION_PROXY_USERNAME
        | WINHTTP_OPTION_PROXY_PASSWORD => {
            of_request(object).map(|request| Value::Text(read_name(request, option)))
        }
        // Only Negotiate has such names, and nothing has come of Passport: there is nothing to tell yet.
        WINHTTP_OPTION_SERVER_SPN_USED
        | WINHTTP_OPTION_PROXY_SPN_USED
        | WINHTTP_OPTION_PASSPORT_COBRANDING_TEXT
        | WINHTTP_OPTION_PASSPORT_COBRANDING_URL
        | WINHTTP_OPTION_PASSPORT_RETURN_URL => {
            of_request(object).and(Err(Error::WINHTTP_INCORRECT_HANDLE_STATE))
        }
        _ => return None,
    })
}

fn of_request(object: &Object) -> Result<&Request> {
    match object {
        Object::Request(request) => Ok(request),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    }
}

fn of_session(object: &Object) -> Result<&Session> {
    match object {
        Object::Session(session) => Ok(session),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    }
}

fn set_request(request: &Request, option: u32, given: &Given) -> Result<()> {
    match option {
        // No scheme that could use them is built in; a program may say what it wants all the same.
        WINHTTP_OPTION_AUTOLOGON_POLICY => at_most(given, WINHTTP_AUTOLOGON_SECURITY_LEVEL_MAX),
        WINHTTP_OPTION_SPN => at_most(given, WINHTTP_ENABLE_SPN_SERVER_PORT),
        _ => {
            let units = Zeroizing::new(given.text());
            let text = Zeroizing::new(String::from_utf16_lossy(&units));
            let (target, is_password) = name_of(option);
            request.with_named_login(target, |login| match is_password {
                true => login.password = text,
                false => login.user = Some(text),
            });
            Ok(())
        }
    }
}

fn at_most(given: &Given, most: u32) -> Result<()> {
    if given.number()? <= most { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

/// Whose name or password an option is.
fn name_of(option: u32) -> (Target, bool) {
    match option {
        WINHTTP_OPTION_USERNAME => (Target::Server, false),
        WINHTTP_OPTION_PASSWORD => (Target::Server, true),
        WINHTTP_OPTION_PROXY_USERNAME => (Target::Proxy, false),
        _ => (Target::Proxy, true),
    }
}

fn read_name(request: &Request, option: u32) -> Vec<u16> {
    let (target, is_password) = name_of(option);
    request.with_named_login(target, |login| {
        let text = if is_password { Some(&login.password) } else { login.user.as_ref() };
        text.map(|text| text.encode_utf16().collect()).unwrap_or_default()
    })
}

fn set_session(session: &Session, option: u32, given: &Given) -> Result<()> {
    match option {
        WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES => {
            let schemes = given.number()?;
            if schemes & !PROXY_SCHEMES != 0 {
                return Err(Error::INVALID_PARAMETER);
            }
            session.with(|state| state.settings.disabled_proxy_schemes = schemes);
        }
        WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH => {
            let wanted = given.number()?;
            if wanted & !PASSPORT != 0 {
                return Err(Error::INVALID_PARAMETER);
            }
            let on = wanted & WINHTTP_ENABLE_PASSPORT_AUTH != 0;
            session.with(|state| state.settings.passport = on);
        }
        // Nobody can have signed in, so there is nothing to forget.
        _ => drop(given.text()),
    }
    Ok(())
}
