//! `nthttp_event_fd`: a descriptor for a program's own event loop. An addition of this library.
#![expect(unsafe_code, reason = "function called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::os::fd::AsRawFd;
use std::os::raw::c_int;

use crate::abi::base::HANDLE;
use crate::abi::error::{Error, Result};
use crate::capi::guard::returning;
use crate::win32::last_error;
use crate::win32::object::{self, Object};

use super::queue::Queue;

/// Gives a file descriptor for a request queue, a completion port, an event or a semaphore: readable (POLLIN) while there is
/// something to take, so that a program's own poll, epoll, libuv or asyncio loop can serve requests without a thread that
/// waits. For a queue: a request waits, and `HttpReceiveHttpRequest` with an OVERLAPPED has it at once. For a port: a packet
/// waits, and `GetQueuedCompletionStatus` with a time-out of 0 has it. For an event or semaphore: a wait would be granted.
/// It is readable too once the object is closed or the queue shut down. An addition of this library.
///
/// Level-triggered: it stays readable until everything was taken. The descriptor belongs to the handle: do not read from it or
/// close it; it is closed with the object's last handle. The same one is given every time. Any thread.
///
/// Returns -1 and sets the last error: `ERROR_INVALID_HANDLE` (no handle, or of another kind), `ERROR_NO_SYSTEM_RESOURCES`
/// (no descriptors left).
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nthttp_event_fd(Handle: HANDLE) -> c_int {
    returning(-1, || match descriptor(Handle) {
        Ok(descriptor) => descriptor,
        Err(error) => {
            last_error::set(error.0);
            -1
        }
    })
}

fn descriptor(handle: HANDLE) -> Result<c_int> {
    let made = match object::find(handle.addr())? {
        Object::Event(event) => event.signal.descriptor(),
        Object::Semaphore(semaphore) => semaphore.signal.descriptor(),
        Object::Port(port) => port.descriptor(),
        Object::Device(device) => {
            let queue = device.backend::<Queue>().ok_or(Error::INVALID_HANDLE)?;
            if queue.descriptor.get().is_none() {
                let file = queue.service.queue_descriptor(queue.id)?;
                let _ = queue.descriptor.set(file);
            }
            return queue.descriptor.get().map(|file| file.as_raw_fd()).ok_or(Error::NO_SYSTEM_RESOURCES);
        }
        _ => return Err(Error::INVALID_HANDLE),
    };
    // The object keeps it; the handle keeps the object.
    made.map(|file| file.as_raw_fd()).map_err(|_| Error::NO_SYSTEM_RESOURCES)
}
