//! The options about threads and callbacks (digest §2.7): how many workers, and what the application promises of its
//! callbacks. The promise is kept with nothing: a callback that blocks never holds up another request.

use super::handle::Object;
use super::options::{Given, Value};
use crate::abi::base::BOOL;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::set_worker_limit;

/// Sets an option of this topic; `None` for others. `object` `None` is the process.
pub(super) fn set(object: Option<&Object>, option: u32, given: &Given) -> Option<Result<()>> {
    match option {
        WINHTTP_OPTION_WORKER_THREAD_COUNT => {
            Some(given.number().and_then(|count| set_workers(object, count)))
        }
        WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS => match object {
            Some(Object::Session(_)) => Some(given.plain::<BOOL>().map(|_| ())),
            Some(_) => Some(Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE)),
            None => Some(Err(Error::INVALID_HANDLE)),
        },
        _ => None,
    }
}

/// One number for the process, before it has workers.
fn set_workers(object: Option<&Object>, count: u32) -> Result<()> {
    match object {
        Some(_) => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        None if set_worker_limit(count) => Ok(()),
        None => Err(Error::WINHTTP_INCORRECT_HANDLE_STATE),
    }
}

/// Reads an option of this topic; `None` for others.
pub(super) fn query(option: u32) -> Option<Result<Value>> {
    (option == WINHTTP_OPTION_WORKER_THREAD_COUNT).then_some(Ok(Value::Number(0)))
}
