//! The whole way, guest to engine and back, with an engine that does as it is told.

mod bodies;
mod broken;
mod commands;
mod completions;
mod engine;
mod listening;
mod properties;
mod real;

use std::sync::Arc;
use std::task::Poll;

use crossbeam_channel::{Receiver, bounded};

use self::engine::Fake;
use crate::abi::error::Result;
use crate::server::service::{OperationId, Pend, Reply, Service};

/// A fake engine and a guest of it.
fn fake() -> (Arc<Fake>, Arc<dyn Service>) {
    let engine = Arc::new(Fake::default());
    let guest = super::pair(Arc::clone(&engine) as Arc<dyn Service>).unwrap();
    (engine, guest)
}

/// What a command came to: at once, or later.
enum Came<T> {
    AtOnce(Result<T>),
    Later(Receiver<Result<T>>),
}

impl<T> Came<T> {
    fn outcome(self) -> Result<T> {
        match self {
            Came::AtOnce(result) => result,
            Came::Later(later) => later.recv().expect("the reply is called"),
        }
    }

    fn later(self) -> Receiver<Result<T>> {
        match self {
            Came::AtOnce(_) => panic!("the command does not wait"),
            Came::Later(later) => later,
        }
    }
}

/// Runs a command under an operation id.
fn start<T: Send + 'static>(operation: u64, call: impl FnOnce(Pend<'_, T>) -> Poll<Result<T>>) -> Came<T> {
    let mut later = None;
    let mut pend = || {
        let (outcome, receiver) = bounded(1);
        assert!(later.replace(receiver).is_none(), "asked twice for a reply");
        Reply::new(OperationId(operation), move |result| outcome.send(result).unwrap_or_default())
    };
    match call(&mut pend) {
        Poll::Ready(result) => {
            assert!(later.is_none(), "asked for a reply and did not wait");
            Came::AtOnce(result)
        }
        Poll::Pending => Came::Later(later.expect("asked for a reply")),
    }
}
