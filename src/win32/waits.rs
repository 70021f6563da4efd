//! `WaitForSingleObject` and `WaitForMultipleObjects`, in Rust words.
//!
//! Events, threads, semaphores and devices can be waited for; ports and tokens cannot. A wait drives the
//! engine if operations are pending on one of the objects; else the thread sleeps. A wait on an object whose
//! last handle is closed meanwhile fails with `INVALID_HANDLE`.

use smallvec::SmallVec;

use super::handles::Handle;
use super::object::{self, Object};
use super::signal::{Outcome, Signal, deadline, wait_all, wait_any};
use crate::abi::error::{Error, Result};

/// The most objects one wait may name (`MAXIMUM_WAIT_OBJECTS`).
pub const MAXIMUM_WAIT_OBJECTS: usize = 64;

/// `WAIT_TIMEOUT` as the result of a wait, which is not an error.
pub const WAIT_TIMEOUT: u32 = 258;

impl Object {
    fn signal(&self) -> Result<&Signal> {
        match self {
            Object::Event(event) => Ok(&event.signal),
            Object::Thread(thread) => Ok(&thread.signal),
            Object::Semaphore(semaphore) => Ok(&semaphore.signal),
            Object::Device(device) => Ok(&device.signal),
            Object::Port(_) | Object::Token(_) => Err(Error::INVALID_HANDLE),
        }
    }

    fn has_operations(&self) -> bool {
        match self {
            Object::Event(event) => event.has_operations(),
            Object::Device(device) => device.has_operations(),
            _ => false,
        }
    }
}

/// Waits for one object: 0 or [`WAIT_TIMEOUT`].
pub fn wait_for_single_object(handle: Handle, milliseconds: u32) -> Result<u32> {
    let object = object::find(handle)?;
    let signals = [object.signal()?];
    result(wait_any(&signals, deadline(milliseconds), object.has_operations()))
}

/// Waits for one or all of several objects: the index of the first one that released the wait (0 for all), or
/// [`WAIT_TIMEOUT`]. `INVALID_PARAMETER` for none, more than 64, or one object twice in a wait for all.
pub fn wait_for_multiple_objects(handles: &[Handle], all: bool, milliseconds: u32) -> Result<u32> {
    if handles.is_empty() || handles.len() > MAXIMUM_WAIT_OBJECTS {
        return Err(Error::INVALID_PARAMETER);
    }
    let objects =
        handles.iter().map(|&handle| object::find(handle)).collect::<Result<SmallVec<[Object; 8]>>>()?;
    let signals = objects.iter().map(Object::signal).collect::<Result<SmallVec<[&Signal; 8]>>>()?;
    let drive = objects.iter().any(Object::has_operations);
    let deadline = deadline(milliseconds);
    if !all || signals.len() == 1 {
        return result(wait_any(&signals, deadline, drive));
    }
    let twice = |(index, signal): (usize, &&Signal)| {
        signals[..index].iter().any(|other| std::ptr::eq(*other, *signal))
    };
    if signals.iter().enumerate().any(twice) {
        return Err(Error::INVALID_PARAMETER);
    }
    result(wait_all(&signals, deadline, drive))
}

fn result(outcome: Outcome) -> Result<u32> {
    match outcome {
        Outcome::Signalled(index) => Ok(index as u32),
        Outcome::TimedOut => Ok(WAIT_TIMEOUT),
        Outcome::Closed => Err(Error::INVALID_HANDLE),
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Event;
    use super::super::port::Port;
    use super::super::thread::Thread;
    use super::*;

    fn event(manual: bool, signalled: bool) -> Handle {
        object::open(Object::Event(Event::new(manual, signalled))).unwrap()
    }

    #[test]
    fn single_waits_tell_signal_time_and_error() {
        let handle = event(false, true);
        assert_eq!(wait_for_single_object(handle, 0), Ok(0));
        assert_eq!(wait_for_single_object(handle, 0), Ok(WAIT_TIMEOUT));
        assert_eq!(wait_for_single_object(handle, 2), Ok(WAIT_TIMEOUT));
        object::close(handle).unwrap();
        assert_eq!(wait_for_single_object(handle, 0), Err(Error::INVALID_HANDLE));
        let port = object::open(Object::Port(Port::new())).unwrap();
        assert_eq!(wait_for_single_object(port, 0), Err(Error::INVALID_HANDLE));
        object::close(port).unwrap();
    }

    #[test]
    fn multiple_waits_check_their_arguments() {
        let handle = event(true, true);
        assert_eq!(wait_for_multiple_objects(&[], false, 0), Err(Error::INVALID_PARAMETER));
        assert_eq!(wait_for_multiple_objects(&[handle; 65], false, 0), Err(Error::INVALID_PARAMETER));
        assert_eq!(wait_for_multiple_objects(&[handle; 2], true, 0), Err(Error::INVALID_PARAMETER));
        assert_eq!(wait_for_multiple_objects(&[handle; 64], false, 0), Ok(0));
        object::close(handle).unwrap();
    }

    #[test]
    fn a_wait_for_all_takes_a_thread_and_an_event_together() {
        let thread = Thread::new(false);
        let handles = [event(false, true), object::open(Object::Thread(thread.clone())).unwrap()];
        assert_eq!(wait_for_multiple_objects(&handles, true, 1), Ok(WAIT_TIMEOUT));
        let ender = std::thread::spawn(move || thread.ended(3));
        assert_eq!(wait_for_multiple_objects(&handles, true, u32::MAX), Ok(0));
        ender.join().unwrap();
        assert_eq!(wait_for_multiple_objects(&handles, false, 0), Ok(1));
        handles.iter().for_each(|&handle| object::close(handle).unwrap());
    }

    #[test]
    fn closing_the_last_handle_ends_the_wait() {
        let handle = event(false, false);
        let waiting = std::thread::spawn(move || wait_for_single_object(handle, u32::MAX));
        std::thread::yield_now();
        object::close(handle).unwrap();
        assert_eq!(waiting.join().unwrap(), Err(Error::INVALID_HANDLE));
    }
}
