//! What the databases see, read from themselves.

mod diesel;
mod mysql;
mod sea_orm;
mod server_log;
mod sqlite;
mod tokio_postgres;

use correlation_core::{current, scope};
use correlation_testkit::{id, require_service};
use tokio::task::JoinSet;

const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/test";
const MARIADB: &str = "mysql://root@127.0.0.1:3306/test";
const NAME: &str = "select application_name as name from pg_stat_activity \
                    where pid = pg_backend_pid()";
const TASKS: usize = 50;
const CONNECTIONS: u32 = 3;

fn postgres() -> bool {
    require_service("PostgreSQL", 5432)
}

/// Fifty tasks at once, `click-0` to `click-49`.
async fn fifty<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    work: impl Fn() -> F,
) -> Vec<T> {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(scope(id(&format!("click-{task}")), work()));
    }
    tasks.join_all().await
}

/// What fifty tasks saw in five queries each, if that was another name than their own. Between the
/// queries others get the connection.
async fn wrong<F: Future<Output = String> + Send>(
    see: impl Fn() -> F + Clone + Send + 'static,
) -> Vec<String> {
    let work = move || {
        let see = see.clone();
        async move {
            let mut wrong = Vec::new();
            for _ in 0..5 {
                let (own, seen) = (format!("shop/{}", current().unwrap()), see().await);
                if seen != own {
                    wrong.push(format!("{seen} and not {own}"));
                }
                tokio::task::yield_now().await;
            }
            wrong
        }
    };
    fifty(work).await.concat()
}
