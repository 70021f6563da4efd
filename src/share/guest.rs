//! The calling side: a [`crate::server::service::Service`] whose every command crosses to a host.
//!
//! A call is written by the thread that makes it; one lock orders the writers and is held for the writing
//! only. One thread receives the answers and does nothing that can wait, so that a full channel always drains.
//! Another does what the answers ask for: it writes the parts of long bodies and runs completions, which
//! may thus call the guest again.
//!
//! When the channel breaks, calls that wait end with `OPERATION_ABORTED`, and others give what a closed
//! queue or connection gives: `CONNECTION_INVALID` if they name a request or a connection, else
//! `INVALID_HANDLE`. So do all calls in a child of fork, which has no threads to hear answers with.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::task::Poll;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::body::Part;
use super::calls::{Calls, Due, First, Lent, Settled};
use super::codec::{Decoded, Decoder, Encoder, Malformed, Wire};
use super::frames::{FrameReceiver, FrameSender};
use super::host::Host;
use super::message::{Answer, Ask, Command, Hello, Manage, Outcome, Traffic};
use crate::abi::error::{Error, Result};
use crate::net::fd_channel::FdChannel;
use crate::server::service::{
    BodyPart, Delivery, Fact, FragmentPart, GroupId, OperationId, Pend, Property, QueueId, SessionId,
};

/// The engine of another process, or of this one seen through a channel.
pub struct Guest {
    link: Arc<Link>,
    threads: Vec<JoinHandle<()>>,
    process: u32,
    /// The host's end if it is in this process too; goes after the guest's own threads.
    _host: Option<Host>,
}

/// What the guest's threads share.
struct Link {
    channel: Arc<FdChannel>,
    frames: FrameSender,
    calls: Calls,
}

impl Guest {
    /// A guest of the host at the other end of `channel`.
    pub fn new(channel: FdChannel) -> io::Result<Guest> {
        Guest::start(channel, None)
    }

    /// A guest that brings its host along, to end with it.
    pub fn with_host(channel: FdChannel, host: Host) -> io::Result<Guest> {
        Guest::start(channel, Some(host))
    }

    fn start(channel: FdChannel, host: Option<Host>) -> io::Result<Guest> {
        let channel = Arc::new(channel);
        let frames = FrameSender::new(Arc::clone(&channel));
        let receiver = FrameReceiver::new(Arc::clone(&channel));
        let link = Arc::new(Link { channel, frames, calls: Calls::default() });
        let process = std::process::id();
        let mut guest = Guest { link: Arc::clone(&link), threads: Vec::new(), process, _host: host };

        link.write(0, &Hello::OURS)?;
        let (todo, work) = unbounded();
        let working = Arc::clone(&link);
        let worker = Builder::new().name("nthttp-guest-do".into());
        guest.threads.push(worker.spawn(move || working.work(work))?);
        let listener = Builder::new().name("nthttp-guest-in".into());
        guest.threads.push(listener.spawn(move || link.listen(receiver, todo))?);
        Ok(guest)
    }

    /// Makes a call that is answered at once.
    pub(super) fn ask<T: FromSettled>(&self, gone: Error, command: &Command) -> Result<T> {
        let tag = self.begin(gone, Lent::default(), command)?;
        T::from_settled(self.link.calls.outcome(tag))
    }

    /// The call an operation belongs to, if it is pending.
    pub(super) fn call_of(&self, operation: OperationId) -> Option<u64> {
        self.link.calls.tag_of(operation)
    }

    /// A command answered at once.
    pub(super) fn manage<T: FromSettled>(&self, manage: Manage) -> Result<T> {
        self.ask(Error::INVALID_HANDLE, &Command::Manage(manage))
    }

    /// Makes a call that may wait.
    pub(super) fn traffic<T: FromSettled + 'static>(
        &self,
        gone: Error,
        lent: Lent,
        queue: QueueId,
        ask: Ask,
        pend: Pend<'_, T>,
    ) -> Poll<Result<T>> {
        let command = Command::Traffic(Traffic { queue, ask });
        let tag = match self.begin(gone, lent, &command) {
            Ok(tag) => tag,
            Err(error) => return Poll::Ready(Err(error)),
        };
        match self.link.calls.first(tag) {
            First::Settled(settled) => Poll::Ready(T::from_settled(settled)),
            First::Pending => {
                let reply = pend();
                let complete = reply.complete;
                let completion = Box::new(|settled| complete(T::from_settled(settled)));
                self.link.calls.register(tag, reply.operation, completion);
                Poll::Pending
            }
        }
    }

    /// Enters a call and writes its command.
    fn begin(&self, gone: Error, lent: Lent, command: &Command) -> Result<u64> {
        if self.process != std::process::id() {
            return Err(gone);
        }
        let tag = self.link.calls.begin(gone, lent)?;
        match self.link.write(tag, command) {
            // Too long for a message, and therefore not written.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let _ = self.link.calls.settle(tag, Err(Error::NOT_ENOUGH_MEMORY));
            }
            // The thread that listens notices and settles all calls.
            Err(_) => self.link.channel.shutdown(),
            Ok(()) => {}
        }
        Ok(tag)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        self.link.channel.shutdown();
        let current = std::thread::current().id();
        if self.threads.iter().any(|thread| thread.thread().id() == current) {
            // A completion dropped the last reference: the threads end once it has returned.
            return;
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Link {
    fn write(&self, tag: u64, message: &impl Wire) -> io::Result<()> {
        let mut encoder = Encoder::default();
        tag.encode(&mut encoder);
        message.encode(&mut encoder);
        self.frames.send(&encoder.bytes, &encoder.files)
    }

    /// Does what answers ask for, until the thread that listens is gone and all is done.
    fn work(&self, work: Receiver<Todo>) {
        for todo in work {
            match todo {
                Todo::Complete(due) => due.run(),
                Todo::Write(tag, part) => {
                    if self.write(tag, &Command::More(part)).is_err() {
                        self.channel.shutdown();
                    }
                }
            }
        }
    }

    /// Receives answers until the channel ends, then settles what is open.
    fn listen(&self, mut receiver: FrameReceiver, todo: Sender<Todo>) {
        let broken = Broken { link: self, todo };
        if !Hello::receive(&mut receiver) {
            return;
        }
        while let Ok(Some((bytes, files))) = receiver.receive() {
            let handled = Decoder::whole(bytes, files).and_then(|(tag, answer)| self.hear(tag, answer));
            match handled {
                Ok(None) => {}
                // Goes through: the worker takes until this thread is gone.
                Ok(Some(todo)) => broken.todo.send(todo).unwrap_or_default(),
                Err(Malformed) => return,
            }
        }
    }

    fn hear(&self, tag: u64, answer: Answer) -> Decoded<Option<Todo>> {
        match answer {
            Answer::Pending => self.calls.pending(tag).map(|()| None),
            Answer::Data(bytes) => self.calls.data(tag, &bytes.0).map(|()| None),
            Answer::Because(words) => self.calls.because(tag, words).map(|()| None),
            Answer::Done(outcome) => self.calls.settle(tag, outcome).map(|due| due.map(Todo::Complete)),
            Answer::Pull => self.calls.next_part(tag).map(|part| Some(Todo::Write(tag, part))),
        }
    }
}

/// What an answer asks for.
enum Todo {
    /// The outcome of a call that waits has come.
    Complete(Due),
    /// The host has pulled a part of the body the call sends.
    Write(u64, Part),
}

/// Breaks everything off when the thread that listens ends, be it by a panic.
struct Broken<'a> {
    link: &'a Link,
    todo: Sender<Todo>,
}

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        self.link.channel.shutdown();
        for due in self.link.calls.break_off() {
            self.todo.send(Todo::Complete(due)).unwrap_or_default();
        }
    }
}

/// What a call returns, from its settled form. An outcome of another kind is the host's fault.
pub(super) trait FromSettled: Sized {
    /// The value, or the error.
    fn from_settled(settled: Settled) -> Result<Self>;
}

macro_rules! from_outcome {
    ($($type:ty: $pattern:pat => $value:expr;)*) => { $(
        impl FromSettled for $type {
            fn from_settled(settled: Settled) -> Result<$type> {
                match settled.outcome? {
                    $pattern => Ok($value),
                    _ => Err(Error::INTERNAL_ERROR),
                }
            }
        }
    )* };
}

from_outcome! {
    (): Outcome::Nothing => ();
    bool: Outcome::Aborted(was_pending) => was_pending;
    u64: Outcome::Sent(bytes) => bytes;
    SessionId: Outcome::Created(id) => SessionId(id);
    GroupId: Outcome::Created(id) => GroupId(id);
    QueueId: Outcome::Created(id) => QueueId(id);
    Property: Outcome::Property(property) => property;
    Delivery: Outcome::Delivery(delivery) => delivery;
    FragmentPart: Outcome::Fragment(part) => part;
    Fact: Outcome::Fact(fact) => fact;
    Arc<File>: Outcome::Descriptor(file) => file;
    String: Outcome::Text(text) => text;
}

impl FromSettled for BodyPart {
    fn from_settled(settled: Settled) -> Result<BodyPart> {
        match (settled.outcome?, settled.read) {
            (Outcome::Read(_, more_body), Some((buffer, len))) => Ok(BodyPart { buffer, len, more_body }),
            _ => Err(Error::INTERNAL_ERROR),
        }
    }
}
