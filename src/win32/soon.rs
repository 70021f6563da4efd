//! A job for a thread of the pool, once: what must not be done on the thread that brings it.

use std::sync::Arc;

use parking_lot::Mutex;

use super::threadpool::Callbacks;

/// Runs `job` on a thread of the pool, or on this one if there is no other to be had.
pub fn run_soon(job: impl FnOnce() + Send + 'static) {
    let slot = Arc::new(Mutex::new(Some(job)));
    let theirs = Arc::clone(&slot);
    let work = Callbacks::work(move || run(&theirs));
    if work.submit().is_err() {
        run(&slot);
    }
}

fn run(slot: &Mutex<Option<impl FnOnce()>>) {
    let job = slot.lock().take();
    if let Some(job) = job {
        job();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_once_and_elsewhere() {
        let (tell, told) = std::sync::mpsc::channel();
        run_soon(move || tell.send(std::thread::current().id()).unwrap());
        assert_ne!(told.recv().unwrap(), std::thread::current().id());
        // Its end of the channel went with it.
        assert!(told.recv().is_err());
    }
}
