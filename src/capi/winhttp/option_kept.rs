//! Options of newer WinHTTP versions that are more than numbers of `Settings`: code page and encoding of URLs,
//! allowed protocols, annotations, tracing (digest §11).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::handle::Object;
use super::options::{Given, Value};
use super::target::escape_again;
use crate::abi::base::BOOL;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::base::string::code_page;
use crate::client::kept::Kept;
use crate::client::request::Request;

const WRONG_KIND: Error = Error::WINHTTP_INCORRECT_HANDLE_TYPE;

/// WINHTTP_OPTION_ENABLETRACING of the process, which nothing depends on: the log is asked for by NTHTTP_LOG.
static TRACING: AtomicU32 = AtomicU32::new(0);

/// Options of the process; `None`: not one of these.
pub(super) fn set_of_process(option: u32, given: &Given) -> Option<Result<()>> {
    (option == WINHTTP_OPTION_ENABLETRACING)
        .then(|| given.number().map(|wanted| TRACING.store(wanted, Ordering::Relaxed)))
}

/// Options of the process; `None`: not one of these.
pub(super) fn query_of_process(option: u32) -> Option<Result<Value>> {
    (option == WINHTTP_OPTION_ENABLETRACING).then(|| Ok(Value::Number(TRACING.load(Ordering::Relaxed))))
}

/// Sets one of these options; `None`: not mine.
pub(super) fn set(object: &Object, option: u32, given: &Given) -> Option<Result<()>> {
    Some(match option {
        WINHTTP_OPTION_ENABLETRACING => Err(WRONG_KIND),
        WINHTTP_OPTION_CODEPAGE => match object {
            Object::Session(_) => set_code_page(object, given),
            _ => Err(WRONG_KIND),
        },
        WINHTTP_OPTION_ENCODE_EXTRA => set_encode_extra(object, given),
        WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL => with_kept(object, |kept| {
            let protocols = given.number()?;
            let known = WINHTTP_PROTOCOL_FLAG_HTTP2 | WINHTTP_PROTOCOL_FLAG_HTTP3;
            if protocols & !known != 0 {
                return Err(Error::INVALID_PARAMETER);
            }
            kept.protocols = protocols;
            Ok(())
        }),
        WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED => with_kept(object, |kept| {
            kept.protocols_only = given.plain::<BOOL>()? != 0;
            Ok(())
        }),
        WINHTTP_OPTION_REQUEST_ANNOTATION => match object {
            Object::Request(request) => annotate(request, given),
            _ => Err(WRONG_KIND),
        },
        _ => return None,
    })
}

/// Reads one of these options; `None`: not mine.
pub(super) fn query(object: &Object, option: u32) -> Option<Result<Value>> {
    Some(match (option, object) {
        (WINHTTP_OPTION_REQUEST_ANNOTATION, Object::Request(request)) => {
            let words = request.with_settings(|settings| settings.kept.annotation.clone());
            Ok(Value::Text(words.map_or(Vec::new(), |words| words.to_vec())))
        }
        (WINHTTP_OPTION_REQUEST_ANNOTATION | WINHTTP_OPTION_ENABLETRACING, _) => Err(WRONG_KIND),
        _ => return None,
    })
}

/// Changes the settings of a session or request.
fn with_kept(object: &Object, change: impl FnOnce(&mut Kept) -> Result<()>) -> Result<()> {
    match object {
        Object::Session(session) => session.with(|state| change(&mut state.settings.kept)),
        Object::Request(request) => request.with_settings(|settings| change(&mut settings.kept)),
        _ => Err(WRONG_KIND),
    }
}

fn set_code_page(object: &Object, given: &Given) -> Result<()> {
    let page = given.number()?;
    code_page(page)?;
    with_kept(object, |kept| {
        kept.code_page = page;
        Ok(())
    })
}

/// On a session for requests opened later; on a request at once, for its next send.
fn set_encode_extra(object: &Object, given: &Given) -> Result<()> {
    let wanted = given.plain::<BOOL>();
    with_kept(object, |kept| {
        kept.encode_extra = wanted? != 0;
        Ok(())
    })?;
    if let (Object::Request(request), Ok(1..)) = (object, wanted) {
        request.with_plan(|plan| plan.url.target = escape_again(&plan.url.target));
    }
    Ok(())
}

fn annotate(request: &Request, given: &Given) -> Result<()> {
    let words = given.text();
    if words.len() > WINHTTP_OPTION_REQUEST_ANNOTATION_MAX_LENGTH as usize {
        return Err(Error::INVALID_PARAMETER);
    }
    let words = (!words.is_empty()).then(|| Arc::from(words));
    request.with_settings(|settings| settings.kept.annotation = words);
    Ok(())
}
