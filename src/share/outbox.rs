//! The host's way out: answers that come late are queued here and written by a thread of their own.
//!
//! Completions run on the engine's threads and must not wait for a guest that does not listen; so the queue
//! has no end, and it is the thread that takes the guest's commands that waits ([`Outbox::wait_for_room`])
//! when too much is queued. The same writing thread does what has to be done after an answer has left (see
//! [`Outbox::after`]), which keeps a long read at the pace of its reader.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::{Condvar, Mutex};

use super::codec::{Bytes, Encoder, Wire};
use super::frames::FrameSender;
use super::message::{Answer, Outcome};
use crate::net::fd_channel::FdChannel;

/// Bytes that may be queued before no more commands are taken.
const ENOUGH: usize = 8 << 20;

enum Work {
    Answer(u64, Answer),
    Step(Box<dyn FnOnce() + Send>),
    Stop,
}

/// The queue of one channel.
pub(super) struct Outbox {
    queue: Sender<Work>,
    shared: Arc<Shared>,
}

struct Shared {
    channel: Arc<FdChannel>,
    frames: FrameSender,
    queued: Mutex<Queued>,
    room: Condvar,
}

#[derive(Default)]
struct Queued {
    bytes: usize,
    over: bool,
}

impl Outbox {
    /// Starts the writing thread.
    pub(super) fn start(channel: Arc<FdChannel>) -> io::Result<(Outbox, JoinHandle<()>)> {
        let (queue, work) = unbounded();
        let frames = FrameSender::new(Arc::clone(&channel));
        let shared = Arc::new(Shared { channel, frames, queued: Mutex::default(), room: Condvar::new() });
        let writing = Arc::clone(&shared);
        let thread =
            Builder::new().name("nthttp-host-out".into()).spawn(move || Shared::write(&writing, work))?;
        Ok((Outbox { queue, shared }, thread))
    }

    /// Queues an answer; never waits. After the end of the channel it is dropped.
    pub(super) fn later(&self, tag: u64, answer: Answer) {
        self.shared.queued.lock().bytes += weight(&answer);
        let _ = self.queue.send(Work::Answer(tag, answer));
    }

    /// Writes something on the calling thread, waiting while the channel is full. Only for a message that
    /// no queued one has to precede, and with no lock held.
    pub(super) fn now(&self, message: impl Wire) {
        self.shared.send(message);
    }

    /// Does `step` on the writing thread once all answers queued so far have left. Dropped, not done, when
    /// the channel has ended.
    pub(super) fn after(&self, step: impl FnOnce() + Send + 'static) {
        let _ = self.queue.send(Work::Step(Box::new(step)));
    }

    /// Waits until the guest has taken enough of what is queued, or the channel has ended.
    pub(super) fn wait_for_room(&self) {
        let mut queued = self.shared.queued.lock();
        while queued.bytes > ENOUGH && !queued.over {
            self.shared.room.wait(&mut queued);
        }
    }

    /// Lets the writing thread end.
    pub(super) fn stop(&self) {
        let _ = self.queue.send(Work::Stop);
    }
}

impl Shared {
    fn write(shared: &Arc<Shared>, work: Receiver<Work>) {
        let _over = Over(shared);
        for work in work {
            match work {
                Work::Stop => return,
                Work::Step(step) => step(),
                Work::Answer(tag, answer) => {
                    let bytes = weight(&answer);
                    shared.send((tag, answer));
                    shared.queued.lock().bytes -= bytes;
                    shared.room.notify_one();
                }
            }
        }
    }

    fn send(&self, message: impl Wire) {
        let mut encoder = Encoder::default();
        message.encode(&mut encoder);
        // The guest may answer the request once it hears of it; by then its head must be let go.
        drop(message);
        if self.frames.send(&encoder.bytes, &encoder.files).is_err() {
            self.channel.shutdown();
        }
    }
}

/// Ends the channel when the writing thread ends, be it by a panic.
struct Over<'a>(&'a Arc<Shared>);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.channel.shutdown();
        self.0.queued.lock().over = true;
        self.0.room.notify_one();
    }
}

/// About how much memory an answer holds.
fn weight(answer: &Answer) -> usize {
    let held = match answer {
        Answer::Data(Bytes(bytes)) | Answer::Done(Ok(Outcome::Read(Bytes(bytes), _))) => bytes.len(),
        Answer::Done(Ok(Outcome::Delivery(delivery))) => delivery.head.bytes.len(),
        _ => 0,
    };
    held + size_of::<Answer>()
}
