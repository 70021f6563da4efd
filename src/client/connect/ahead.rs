//! Connections opened along with the first to a server, for the requests that follow
//! (`WINHTTP_OPTION_BACKGROUND_CONNECTIONS`).

use std::sync::Arc;
use std::thread;

use crate::client::settings::Settings;
use crate::net::client_stream::Cancel;
use crate::net::dial::{Course, race};
use crate::net::resolve::Addresses;
use crate::net::tuning::Tuning;

use super::connection::{Connection, Origin};
use super::dialling::plan;
use super::pool;
use super::waiting::{Slot, try_acquire};

/// No more than this are opened at once, whatever is asked for.
const MOST: u32 = 64;

/// Opens the others, each on a thread that ends when it is there. Nobody is told, and failures are no matter.
pub(super) fn open(origin: &Arc<Origin>, addresses: &Addresses, settings: &Settings) {
    let network = settings.network();
    for _ in 1..network.background.min(MOST) {
        let Some(slot) = try_acquire(origin, network.limits) else { return };
        let (addresses, settings) = (addresses.clone(), settings.clone());
        let opener = thread::Builder::new().name("nthttp-ahead".into());
        if opener.spawn(move || open_one(slot, &addresses, &settings)).is_err() {
            return;
        }
    }
}

fn open_one(slot: Slot, addresses: &Addresses, settings: &Settings) {
    let (attempts, stagger) = plan(addresses, settings);
    let tuning = slot.origin.path.as_deref().map_or_else(Tuning::default, |path| path.tuning);
    let cancel = Cancel::new();
    let course = Course { attempts: &attempts, stagger, tuning: &tuning, cancel: &cancel, bell: None };
    if let Ok((stream, _)) = race(&course, &mut |_| true) {
        pool::give(Connection::new(stream, slot));
    }
}
