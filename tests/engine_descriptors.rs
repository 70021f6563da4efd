//! A process without descriptors left: clients wait, the processor rests, and all goes on afterwards.
#![expect(unsafe_code, reason = "limits and processor time of the process")]

mod engine_support;
use engine_support::*;
use std::fs::File;
use std::time::Duration;

fn processor_time() -> Duration {
    // SAFETY: all-zero is a valid rusage, and the kernel fills a local.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let of = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    of(usage.ru_utime) + of(usage.ru_stime)
}

#[test]
fn a_full_table_of_descriptors_costs_no_processor_time() {
    let server = Server::new();
    let limit = libc::rlimit { rlim_cur: 64, rlim_max: 64 };
    // SAFETY: the kernel reads a local.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    taken.pop();
    let mut client = server.client();
    put(&mut client, GET);
    let before = processor_time();
    std::thread::sleep(Duration::from_millis(500));
    let spent = processor_time() - before;
    assert!(spent < Duration::from_millis(200), "{spent:?}");
    drop(taken);
    server.answer(server.next(), "at last");
    read_until(&mut client, "at last");
}
