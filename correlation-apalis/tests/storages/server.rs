//! What the tests need and a machine may lack.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether this server answers. If not: says so, or panics if `CORRELATION_REQUIRE_SERVICES=1`.
pub(crate) fn answers(name: &str, port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    if TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok() {
        return true;
    }
    let reason = format!("no {name} at {address}");
    let required = std::env::var_os("CORRELATION_REQUIRE_SERVICES");
    assert!(
        required.is_none_or(|value| value != "1"),
        "CORRELATION_REQUIRE_SERVICES=1, but {reason}"
    );
    eprintln!("skipped: {reason}");
    false
}

/// A name that no other test has, nor another run: in another container it may have this process
/// ID.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (run, now) = (std::process::id(), now.as_nanos());
    format!("correlation_apalis_{run}_{number}_{now:x}")
}

/// Runs this to its end, from a destructor too.
pub(crate) fn block_on<F: Future<Output = ()> + Send>(future: F) {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    std::thread::scope(|threads| {
        threads.spawn(|| runtime().block_on(future));
    });
}
