//! Signals with threads that wait for them.

use super::*;

fn soon() -> Option<Instant> {
    deadline(1)
}

#[test]
fn a_manual_signal_stays_and_an_automatic_one_goes() {
    let (manual, auto) = (Signal::new(Mode::Manual, 1), Signal::new(Mode::Auto, 1));
    for _ in 0..2 {
        assert_eq!(wait_any(&[&manual], None, false), Outcome::Signalled(0));
    }
    assert_eq!(wait_any(&[&auto, &manual], None, false), Outcome::Signalled(0));
    assert_eq!(wait_any(&[&auto], soon(), false), Outcome::TimedOut);
    assert_eq!(wait_any(&[&auto, &manual], None, false), Outcome::Signalled(1));
}

#[test]
fn a_signal_set_and_reset_at_once_still_releases_who_waits() {
    let signal = Arc::new(Signal::new(Mode::Manual, 0));
    let other = Arc::clone(&signal);
    let thread = std::thread::spawn(move || wait_any(&[&other], None, false));
    while signal.state.lock().entries.is_empty() {
        std::thread::yield_now();
    }
    signal.set();
    signal.reset();
    assert_eq!(thread.join().unwrap(), Outcome::Signalled(0));
}

#[test]
fn waiting_for_all_takes_none_until_it_can_take_all() {
    let signals = [Signal::new(Mode::Auto, 1), Signal::new(Mode::Auto, 0)];
    let both = [&signals[0], &signals[1]];
    assert_eq!(wait_all(&both, soon(), false), Outcome::TimedOut);
    assert!(signals[0].is_set());
    signals[1].set();
    assert_eq!(wait_all(&both, None, false), Outcome::Signalled(0));
    assert!(!signals[0].is_set() && !signals[1].is_set());
}

#[test]
fn each_automatic_signal_releases_exactly_one_thread() {
    let signal = Arc::new(Signal::new(Mode::Counting { maximum: 1000 }, 0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let signal = Arc::clone(&signal);
            std::thread::spawn(move || {
                (0..50).for_each(|_| assert_eq!(wait_any(&[&signal], None, false), Outcome::Signalled(0)))
            })
        })
        .collect();
    (0..400).for_each(|_| assert!(signal.add(1).is_ok()));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(!signal.is_set());
    assert_eq!(signal.add(1001), Err(Error(298)));
}

#[test]
fn closing_ends_the_waits() {
    let signal = Arc::new(Signal::new(Mode::Auto, 0));
    let other = Arc::clone(&signal);
    let thread = std::thread::spawn(move || wait_any(&[&other], None, false));
    signal.close();
    assert_eq!(thread.join().unwrap(), Outcome::Closed);
    assert_eq!(wait_all(&[&signal], None, false), Outcome::Closed);
}
