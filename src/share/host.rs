//! The side that has the engine: takes one guest's commands and answers them.
//!
//! One thread takes commands in the order they come and asks the engine; commands never wait there, they
//! pend (`running`). Another writes the answers that come late (`outbox`). When the channel
//! ends, for whatever reason, everything the guest created is closed.

use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::thread::{Builder, JoinHandle};

use super::codec::{Decoded, Decoder, Malformed};
use super::frames::{FrameReceiver, MAX_MESSAGE};
use super::message::{Answer, Ask, Command, Hello, Manage, Outcome, Traffic};
use super::outbox::Outbox;
use super::owned::Owned;
use super::running::{Fill, Link};
use crate::abi::error::{Error, Result};
use crate::net::fd_channel::FdChannel;
use crate::server::service::Service;
use crate::win32::last_error;

/// A guest being served. Dropping it ends the channel and waits until the guest's objects are closed.
pub struct Host {
    channel: Arc<FdChannel>,
    threads: Vec<JoinHandle<()>>,
    process: u32,
}

impl Host {
    /// Serves the guest at the other end of `channel` with `engine`.
    pub fn start(channel: FdChannel, engine: Arc<dyn Service>) -> io::Result<Host> {
        let channel = Arc::new(channel);
        let (outbox, writer) = Outbox::start(Arc::clone(&channel))?;
        let receiver = FrameReceiver::new(Arc::clone(&channel));
        let link = Arc::new(Link::new(engine, outbox));
        let served = Served { link, owned: Owned::default(), channel: Arc::clone(&channel) };
        let reader = Builder::new().name("nthttp-host-in".into()).spawn(move || served.run(receiver))?;
        Ok(Host { channel, threads: vec![reader, writer], process: std::process::id() })
    }

    /// Whether the channel has ended and the guest's objects are closed.
    pub fn is_over(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // A child of fork has neither the threads nor a right to end its parent's channel.
            return;
        }
        self.channel.shutdown();
        let current = std::thread::current().id();
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != current) {
            let _ = thread.join();
        }
    }
}

/// What the thread that takes commands has.
struct Served {
    link: Arc<Link>,
    owned: Owned,
    channel: Arc<FdChannel>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.channel.shutdown();
        self.owned.close_all(&*self.link.engine);
        self.link.outbox.stop();
    }
}

impl Served {
    fn run(mut self, mut receiver: FrameReceiver) {
        let outbox = &self.link.outbox;
        outbox.now((0_u64, Hello::OURS));
        if !Hello::receive(&mut receiver) {
            return;
        }
        while let Ok(Some((bytes, files))) = receiver.receive() {
            let Ok((tag, command)) = Decoder::whole(bytes, files) else { return };
            if self.take(tag, command).is_err() {
                return;
            }
            self.link.outbox.wait_for_room();
        }
    }

    fn take(&mut self, tag: u64, command: Command) -> Decoded<()> {
        if let Command::More(part) = command {
            return self.link.more(tag, part);
        }
        if !self.link.has_room(tag)? {
            self.answer(tag, Err(Error::NO_SYSTEM_RESOURCES));
            return Ok(());
        }
        match command {
            Command::Manage(manage) => {
                let outcome = self.manage(manage);
                self.answer(tag, outcome);
            }
            Command::Traffic(traffic) => self.traffic(tag, traffic),
            Command::Abort(call) => self.answer(tag, Ok(Outcome::Aborted(self.link.abort(call)))),
            Command::More(_) => return Err(Malformed),
        }
        Ok(())
    }

    /// Answers a command that this thread has carried out, with the words it left if it failed.
    fn answer(&self, tag: u64, outcome: Result<Outcome>) {
        if let (Some(words), Err(_)) = (last_error::take_words(), &outcome) {
            self.link.outbox.now((tag, Answer::Because(words)));
        }
        self.link.outbox.now((tag, Answer::Done(outcome)));
    }

    fn manage(&mut self, manage: Manage) -> Result<Outcome> {
        let engine = &self.link.engine;
        let owned = &mut self.owned;
        match manage {
            Manage::CreateSession => {
                let session = engine.create_session()?;
                owned.add_session(session);
                return Ok(Outcome::Created(session.0));
            }
            Manage::CloseSession(session) => {
                engine.close_session(owned.session(session))?;
                owned.forget_session(session);
            }
            Manage::CreateGroup(session) => {
                let group = engine.create_group(owned.session(session))?;
                owned.add_group(group, session);
                return Ok(Outcome::Created(group.0));
            }
            Manage::CloseGroup(group) => {
                engine.close_group(owned.group(group))?;
                owned.forget_group(group);
            }
            Manage::BindGroup(group, queue) => {
                engine.bind_group(owned.group(group), queue.map(|queue| owned.queue(queue)))?;
            }
            Manage::AddUrl(owner, url, context) => engine.add_url(owned.url_owner(owner), &url.0, context)?,
            Manage::RemoveUrl(owner, url) => {
                engine.remove_url(owned.url_owner(owner), url.as_ref().map(|url| &url.0[..]))?;
            }
            Manage::Listen(group, listen, given) => engine.listen(owned.group(group), listen, given)?,
            Manage::StopListening(group, address) => engine.stop_listening(owned.group(group), address)?,
            Manage::SetProperty(holder, property) => engine.set_property(owned.holder(holder), property)?,
            Manage::Property(holder, kind) => {
                return engine.property(owned.holder(holder), kind).map(Outcome::Property);
            }
            Manage::AddFragment(queue, url, part, policy) => {
                engine.add_fragment(owned.queue(queue), &url.0, part.into_body(), policy)?;
            }
            Manage::ReadFragment(queue, url, range, room) => {
                // What does not fit a message does not fit the guest's buffer either: it is told the length.
                let room = room.min(MAX_MESSAGE as u64 / 2);
                let part = engine.read_fragment(owned.queue(queue), &url.0, range, room)?;
                return Ok(Outcome::Fragment(part));
            }
            Manage::FlushCache(queue, url, recursive) => {
                engine.flush_cache(owned.queue(queue), &url.0, recursive)?;
            }
            Manage::CreateQueue(version) => {
                let queue = engine.create_queue(version)?;
                owned.add_queue(queue);
                return Ok(Outcome::Created(queue.0));
            }
            Manage::ShutdownQueue(queue) => engine.shutdown_queue(owned.queue(queue))?,
            Manage::Metrics => return engine.metrics().map(Outcome::Text),
            Manage::CloseQueue(queue) => {
                self.link.queue_closes(owned.queue(queue));
                engine.close_queue(owned.queue(queue))?;
                owned.forget_queue(queue);
            }
        }
        Ok(Outcome::Nothing)
    }

    fn traffic(&self, tag: u64, traffic: Traffic) {
        let link = &self.link;
        let engine = &link.engine;
        let queue = self.owned.queue(traffic.queue);
        match traffic.ask {
            Ask::Receive => link.single(tag, queue, Outcome::Delivery, |pend| engine.receive(queue, pend)),
            Ask::ReceiveAgain(request) => link
                .single(tag, queue, Outcome::Delivery, |_| Poll::Ready(engine.receive_again(queue, request))),
            Ask::ReadBody(request, mode, left) => {
                link.read(tag, Fill { queue, request, mode, left, begun: false });
            }
            Ask::SendResponse(response) => link.send_response(tag, queue, response),
            Ask::SendBody(request, flags, part) => link.send_body(tag, queue, request, flags, part),
            Ask::LogResponse(request, fields) => {
                self.answer(tag, engine.log_response(queue, request, fields).map(|()| Outcome::Nothing));
            }
            Ask::TellIdentity(request, identity) => {
                self.answer(tag, engine.tell_identity(queue, request, identity).map(|()| Outcome::Nothing));
            }
            Ask::Descriptor => self.answer(tag, engine.queue_descriptor(queue).map(Outcome::Descriptor)),
            Ask::AskRequest(request, question) => {
                self.answer(tag, engine.ask_request(queue, request, question).map(Outcome::Fact));
            }
            Ask::TellRequest(request, fact) => {
                self.answer(tag, engine.tell_request(queue, request, fact).map(|()| Outcome::Nothing));
            }
            Ask::FindGroup(url) => {
                let found = engine.find_group(queue, &url.0);
                self.answer(tag, found.map(|group| Outcome::Created(group.0)));
            }
            Ask::CancelRequest(request) => {
                self.answer(tag, link.cancel_request(queue, request).map(|()| Outcome::Nothing));
            }
            Ask::WaitForDisconnect(connection) => {
                let into = |()| Outcome::Nothing;
                link.single(tag, queue, into, |pend| engine.wait_for_disconnect(queue, connection, pend));
            }
        }
    }
}
