//! A panic takes its ID along.

use actix_web::App;
use actix_web::web::{get, scope};
use correlation_actix::Correlation;
use correlation_testkit::app;
use correlation_testkit::{CORRELATION_ID, Connection, Multiplexed};

use crate::server;

#[tokio::test]
async fn a_panicking_handler_leaves_nothing_behind() {
    // One worker is one thread: whatever stays on it, the next request reads.
    let addr = server::serve(|| {
        let inside = scope("/in")
            .configure(server::routes)
            .wrap(Correlation::new());
        App::new()
            .service(inside)
            .route("/out", get().to(async || app::id()))
    });
    for n in 0..20 {
        let id = format!("panic-{n}");
        let sent = [(CORRELATION_ID, &id)];
        if n % 2 == 0 {
            let mut connection = Connection::open(addr).await.unwrap();
            assert!(connection.get("/in/panic", &sent).await.is_err());
        } else {
            let connection = Multiplexed::open(addr).await.unwrap();
            assert!(connection.get("/in/panic", &sent).await.is_err());
        }
        let mut connection = Connection::open(addr).await.unwrap();
        let outside = connection.get("/out", &sent).await.unwrap();
        assert_eq!(outside.text(), "none");
        assert!(outside.ids().is_empty());
    }
}
