//! Which transfer a notification is for: the context of a request is a number here, under which its listener is kept.
//!
//! HANDLE_CLOSING is the last notification of a request, so the listener is let go there, and nowhere else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use crate::client::notify::{Event, Notifier};
use crate::client::request::Request;

/// Who hears of a request.
pub(super) trait Listener: Send + Sync {
    /// Called on whichever thread brought the request on, one call after the other except for calls from inside a call.
    fn hear(&self, event: &Event<'_>);
}

static LISTENERS: LazyLock<Mutex<HashMap<usize, Arc<dyn Listener>>>> = LazyLock::new(Mutex::default);

/// Nobody is told; what sessions and connects of this command have.
pub(super) fn silence() -> Notifier {
    Notifier::new(deliver)
}

/// Tells the listener everything about a request that has not been started.
pub(super) fn listen(request: &Request, listener: Arc<impl Listener + 'static>) {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let context = NEXT.fetch_add(1, Ordering::Relaxed);
    LISTENERS.lock().insert(context, listener);
    request.with_notifier(|notifier| {
        (notifier.function, notifier.mask, notifier.context) = (1, u32::MAX, context);
    });
}

fn deliver(notifier: &Notifier, event: &Event<'_>) {
    let listener = match event {
        Event::HandleClosing => LISTENERS.lock().remove(&notifier.context),
        _ => LISTENERS.lock().get(&notifier.context).cloned(),
    };
    if let Some(listener) = listener {
        listener.hear(event);
    }
}
