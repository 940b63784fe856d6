//! A database that goes away: its own log has the ID of each statement, our log that of each failure.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use correlation_core::{CorrelationId, scope};
use correlation_sqlx::Correlate;
use correlation_testkit::server::Server;
use correlation_testkit::services::require;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, query_scalar};
use tokio::task::{JoinSet, block_in_place};
use tokio::time::sleep;
use tracing::info;

use crate::counts::Fault;
use crate::ledger::{Expected, Trace};
use crate::life::lock;
use crate::line::{mark, token};
use crate::own::Own;
use crate::world::World;

/// Runs it for as long; says so if there is no `PostgreSQL`.
pub(crate) async fn run(ledger: Own, world: Arc<World>, seed: u64, duration: Duration) {
    let start = Instant::now();
    let mut rng = StdRng::seed_from_u64(seed ^ 0x5051);
    while start.elapsed() < duration {
        let server = block_in_place(|| Server::postgres(&["log_line_prefix=app=%a "]));
        let Some(server) = require(server) else {
            return;
        };
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port());
        let options = PgPoolOptions::new().max_connections(8);
        let options = options.acquire_timeout(Duration::from_secs(10));
        let pool = match options.correlate(NAME).connect(&url).await {
            Ok(pool) => pool,
            Err(error) => {
                lock(&ledger).fault(Fault::Wrong, || format!("no connection: {error}"));
                return;
            }
        };
        let left = duration.saturating_sub(start.elapsed());
        let until = Instant::now() + left.min(SERVER.min(duration / 2));
        let mut database = Database {
            ledger: Arc::clone(&ledger),
            world: Arc::clone(&world),
            pool,
            server: Some(server),
        };
        while Instant::now() < until {
            let kill = rng.random_ratio(1, 3);
            database.batch(&mut rng, kill).await;
            // Most of the machine is for the services.
            sleep(Duration::from_millis(50)).await;
        }
        database.goes_away(&mut rng).await;
    }
    lock(&ledger).end();
}

struct Database {
    ledger: Own,
    world: Arc<World>,
    pool: PgPool,
    server: Option<Server>,
}

impl Database {
    /// Statements at once; while they run, the server may end all connections. Then its log is read.
    async fn batch(&mut self, rng: &mut StdRng, kill: bool) {
        let mut ids = HashMap::new();
        let mut queries = JoinSet::new();
        for _ in 0..BATCH {
            let (token, query) = self.query(rng);
            ids.insert(token, query.0.clone());
            queries.spawn(query.1);
        }
        if kill {
            let others = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                          where pid <> pg_backend_pid() and backend_type = 'client backend'";
            let _ = query_scalar::<_, i64>(others).fetch_one(&self.pool).await;
            self.world.count("database connections ended", 1);
        }
        queries.join_all().await;
        // Of a connection that was ended the pool may know only now.
        let end = format!("end-of-{}", self.world.token());
        for _ in 0..BATCH {
            let end = AssertSqlSafe(format!("select '{end}'"));
            if query_scalar::<_, String>(end)
                .fetch_one(&self.pool)
                .await
                .is_ok()
            {
                break;
            }
        }
        let lines = match &mut self.server {
            Some(server) => block_in_place(|| server.lines_until(&end)),
            None => Vec::new(),
        };
        let mut ledger = lock(&self.ledger);
        for line in lines {
            let Some(id) = token(&line).and_then(|token| ids.get(&token)) else {
                continue;
            };
            ledger.counts.lines += 1;
            let app = line
                .strip_prefix("app=")
                .and_then(|rest| rest.split_once(' '));
            let app = app.map_or("", |(app, _)| app);
            if app != format!("{NAME}/{id}") {
                let fault = match app.split_once('/') {
                    Some((_, other)) => match ledger.blame(other) {
                        Fault::Wrong if ids.values().any(|id| id == other) => Fault::Crossed,
                        fault => fault,
                    },
                    None => Fault::Missing,
                };
                ledger.fault(fault, || format!("not {id}: {line}"));
            }
        }
    }

    /// A statement with an ID of its own, and what it reads back.
    fn query(&self, rng: &mut StdRng) -> (u64, (String, impl Future<Output = ()> + use<>)) {
        let token = self.world.token();
        let mark = mark(token);
        // As long as the server keeps it whole.
        let more = "x".repeat(rng.random_range(0..30));
        let id = format!("db-{token}-{more}");
        lock(&self.ledger).open(Expected {
            token,
            kept: Some(id.clone()),
            trace: Trace::None,
            said: None,
            marked: 1..=1,
            bare: 0..=0,
            left: 0,
        });
        let (pool, ledger) = (self.pool.clone(), Arc::clone(&self.ledger));
        let statement = match rng.random_ratio(1, 10) {
            // One that takes its time, so that it is cut off.
            true => {
                format!("select pg_sleep(0.05), current_setting('application_name') || '{mark}'")
            }
            false => format!("select 1, current_setting('application_name') || '{mark}'"),
        };
        let statement = AssertSqlSafe(format!("select b from ({statement}) as t(a, b)"));
        let work = async move {
            let read = query_scalar::<_, String>(statement).persistent(false);
            let read = read.fetch_one(&pool).await;
            match &read {
                Ok(_) => info!("has read {mark}"),
                Err(error) => info!("has failed {mark}: {error}"),
            }
            if let Ok(read) = read {
                let name = read.split('~').next().unwrap_or_default();
                let ids: Vec<_> = name.strip_prefix(PREFIX).into_iter().collect();
                lock(&ledger).answered(token, &ids);
            } else {
                lock(&ledger).lost(token);
            }
        };
        let scoped = id.parse::<CorrelationId>().map(|id| scope(id, work));
        let scoped = async move {
            if let Ok(scoped) = scoped {
                scoped.await;
            }
        };
        (token, (id, scoped))
    }

    /// The server ends while statements run, and does not come back.
    async fn goes_away(mut self, rng: &mut StdRng) {
        let mut queries = JoinSet::new();
        for _ in 0..BATCH {
            queries.spawn(self.query(rng).1.1);
        }
        let server = self.server.take();
        block_in_place(|| drop(server));
        self.pool.close().await;
        queries.join_all().await;
        self.world.count("databases gone", 1);
    }
}

const NAME: &str = "chaos";
const PREFIX: &str = "chaos/";
/// Statements at a time.
const BATCH: usize = 40;
/// How long a server is there at most, before it goes away for good.
const SERVER: Duration = Duration::from_secs(120);
