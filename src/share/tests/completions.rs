//! Commands that wait: completions late and early, aborts, and many threads at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::engine::Manner;
use super::{Came, fake, start};
use crate::abi::error::Error;
use crate::server::service::{ApiVersion, Body, ConnectionId, OperationId, RequestId, SendFlags};

#[test]
fn a_pending_receive_completes_when_a_request_comes() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.manner.lock() = Manner::Held;
    let later = start(1, |pend| guest.receive(queue, pend)).later();
    assert!(later.is_empty());
    engine.release();
    assert_eq!(later.recv().unwrap().unwrap().request.0, queue.0);
    assert!(!guest.abort(queue, OperationId(1)));
}

#[test]
fn early_completions_are_not_lost() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    for manner in [Manner::Early, Manner::Later] {
        *engine.manner.lock() = manner;
        for round in 0..2000 {
            let came = start(round, |pend| guest.wait_for_disconnect(queue, ConnectionId(round), pend));
            assert_eq!(came.outcome(), Ok(()));
        }
    }
}

#[test]
fn an_abort_ends_its_operation_and_no_other() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.manner.lock() = Manner::Held;
    let first = start(1, |pend| guest.receive(queue, pend)).later();
    let second = start(2, |pend| guest.receive(queue, pend)).later();
    let third =
        start(3, |pend| guest.send_body(queue, RequestId(1), SendFlags::default(), &mut Body::new(), pend));
    assert!(guest.abort(queue, OperationId(2)));
    assert_eq!(second.recv().unwrap().unwrap_err(), Error::OPERATION_ABORTED);
    assert!(!guest.abort(queue, OperationId(2)));
    assert!(!guest.abort(queue, OperationId(77)));
    assert!(first.is_empty());
    engine.wait_held(2);
    engine.release();
    assert!(first.recv().unwrap().is_ok());
    assert_eq!(third.outcome(), Ok(0));
}

#[test]
fn a_closed_queue_ends_what_waits_on_it() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.manner.lock() = Manner::Held;
    let waits: Vec<_> =
        (0..100).map(|round| start(round, |pend| guest.receive(queue, pend)).later()).collect();
    guest.close_queue(queue).unwrap();
    for later in waits {
        assert_eq!(later.recv().unwrap().unwrap_err(), Error::OPERATION_ABORTED);
    }
}

#[test]
fn a_completion_may_drop_the_last_reference_to_the_guest() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.manner.lock() = Manner::Held;
    let (dropped, told) = crossbeam_channel::bounded(1);
    let mut last = Some(Arc::clone(&guest));
    let mut pend = || {
        let (last, dropped) = (last.take(), dropped.clone());
        crate::server::service::Reply::new(OperationId(1), move |_| {
            drop(last);
            dropped.send(()).unwrap();
        })
    };
    assert!(guest.receive(queue, &mut pend).is_pending());
    drop(guest);
    engine.release();
    told.recv().unwrap();
    engine.wait_for("close_queue");
}

#[test]
fn a_completion_may_call_the_guest() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.manner.lock() = Manner::Held;
    let (told, tells) = crossbeam_channel::bounded(1);
    let caller = Arc::clone(&guest);
    let mut caller = Some(caller);
    let mut pend = || {
        let (caller, told) = (caller.take().unwrap(), told.clone());
        crate::server::service::Reply::new(OperationId(1), move |_| {
            let again = start(2, |pend| caller.receive(queue, pend)).later();
            assert!(caller.abort(queue, OperationId(2)));
            told.send((caller.receive_again(queue, RequestId(3)).unwrap().request, again)).unwrap();
        })
    };
    assert!(guest.receive(queue, &mut pend).is_pending());
    engine.release();
    let (request, again) = tells.recv().unwrap();
    assert_eq!(request, RequestId(3));
    assert_eq!(again.recv().unwrap().unwrap_err(), Error::OPERATION_ABORTED);
}

#[test]
fn a_completion_that_panics_harms_no_other() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.manner.lock() = Manner::Held;
    let mut pend = || {
        crate::server::service::Reply::new(OperationId(1), |_| std::panic::resume_unwind(Box::new("test")))
    };
    assert!(guest.receive(queue, &mut pend).is_pending());
    let other = start(2, |pend| guest.receive(queue, pend)).later();
    engine.release();
    assert!(other.recv().unwrap().is_ok());
    assert!(guest.create_session().is_ok());
}

#[test]
fn many_threads_get_their_own_answers() {
    let (engine, guest) = fake();
    let at_once = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..16_u64 {
            let (engine, guest, at_once) = (&engine, &guest, &at_once);
            scope.spawn(move || {
                let queue = guest.create_queue(ApiVersion::V2).unwrap();
                for round in 0..200 {
                    let manners = [Manner::AtOnce, Manner::Early, Manner::Later];
                    *engine.manner.lock() = manners[round as usize % 3];
                    let came = start(thread << 32 | round, |pend| guest.receive(queue, pend));
                    at_once.fetch_add(usize::from(matches!(came, Came::AtOnce(_))), Ordering::Relaxed);
                    assert_eq!(came.outcome().unwrap().request.0, queue.0);
                    let again = guest.receive_again(queue, RequestId(round)).unwrap();
                    assert_eq!(again.request.0, round);
                }
            });
        }
    });
    assert!(at_once.into_inner() > 0);
}
