//! The demonstration: start the shop, buy something, print the story.

use std::env;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use correlation_trail::{Timeline, Trail};
use reqwest::StatusCode;
use tokio::time::{Instant, sleep};

use crate::Failure;
use crate::args::Options;
use crate::logs::{self, Folder};
use crate::purchase;
use crate::services::{DATABASE_URL, LAST_WORDS, QUEUE_URL, Service, terminated};
use crate::supervisor::Supervisor;

/// Runs the demo to its end. In every case, no service stays behind.
#[tokio::main]
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let logs = Folder::create(options.logs.as_deref())?;
    let mut supervisor = Supervisor::new();
    let outcome = play(&mut supervisor, options, &logs).await;
    supervisor.stop().await;
    outcome
}

async fn play(
    supervisor: &mut Supervisor,
    options: &Options,
    logs: &Folder,
) -> Result<(), Failure> {
    // One future serves both waits, so that no signal between them is lost.
    let mut terminated = pin!(terminated());
    let gateway = tokio::select! {
        // The branches are polled in order, so that signals are handled before anything is started.
        biased;
        () = &mut terminated => return Err("stopped before the story was told".into()),
        opened = open(supervisor, options.port, logs) => opened?,
    };
    tokio::select! {
        biased;
        () = &mut terminated => return Err("stopped before the story was told".into()),
        // This comes before the customer's error, which would only say that a service does not
        // answer.
        ended = supervisor.ended() => return Err(ended.into()),
        told = tell(&gateway, logs) => told?,
    }
    if options.once {
        return Ok(());
    }
    invite(&gateway)?;
    tokio::select! {
        () = &mut terminated => Ok(()),
        ended = supervisor.ended() => Err(ended.into()),
    }
}

/// Starts the services and returns the gateway's URL.
async fn open(supervisor: &mut Supervisor, port: u16, logs: &Folder) -> Result<String, Failure> {
    let mut urls = Vec::new();
    for service in Service::START_ORDER {
        let port = if service == Service::Gateway { port } else { 0 };
        let file = logs.file(service);
        let mut command = service.command(port, &file, &urls)?;
        for (variable, file) in [(DATABASE_URL, "orders.db"), (QUEUE_URL, "jobs.db")] {
            if env::var_os(variable).is_none() {
                command.env(variable, logs.database(file)?);
            }
        }
        if let Some(addr) = supervisor
            .start(service.name(), logs::open(&file)?, command)
            .await?
        {
            urls.push((service, format!("http://{addr}")));
        }
    }
    let gateway = urls.pop().ok_or("there is no service")?;
    Ok(gateway.1)
}

/// Buys something, and prints what the services wrote about it.
async fn tell(gateway: &str, logs: &Folder) -> Result<(), Failure> {
    let answer = purchase::buy(gateway).await?;
    let (status, id) = (answer.status, &answer.id);
    let story = whole_story(id, logs).await?;

    let mut out = io::stdout().lock();
    let code = status.as_u16();
    writeln!(out, "one purchase, HTTP {code}, correlation ID {id}")?;
    for line in story.to_string().lines() {
        // SQL may be long. The log has it in full.
        match line.char_indices().nth(WIDTH) {
            Some((end, _)) => writeln!(out, "{}…", &line[..end])?,
            None => writeln!(out, "{line}")?,
        }
    }
    writeln!(out, "find it yourself: grep {id} {}/*", logs.path())?;
    out.flush()?;

    if status != StatusCode::CREATED {
        return Err(format!("the purchase failed: HTTP {status}").into());
    }
    gap(&story).map_or(Ok(()), |gap| {
        Err(format!("the story is incomplete: nothing {gap} within {PATIENCE:?}").into())
    })
}

/// Reads the log files until all services have written their part. Some of it is written in the
/// background, after the answer.
async fn whole_story(id: &str, logs: &Folder) -> io::Result<Timeline> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut trail = Trail::new(id);
        for file in logs.files() {
            trail.file(file)?;
        }
        let story = trail.finish();
        if gap(&story).is_none() || Instant::now() > deadline {
            return Ok(story);
        }
        sleep(POLL).await;
    }
}

/// Returns the missing part of the story, if any: the part of a service, or the end of the story.
fn gap(story: &Timeline) -> Option<String> {
    let services = story.services();
    let mut missing = Service::ALL.map(Service::name).to_vec();
    missing.retain(|name| !services.contains(name));
    if !missing.is_empty() {
        return Some(format!("from {}", missing.join(", ")));
    }
    let told = story.records().iter().map(|record| &record.message);
    let open = LAST_WORDS
        .into_iter()
        .find(|words| !told.clone().any(|told| told.starts_with(words)));
    open.map(|words| format!("of {words:?}"))
}

fn invite(gateway: &str) -> io::Result<()> {
    let how = format!("curl -i {gateway}/purchase -H 'content-type: application/json'");
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nthe shop is open at {gateway}; Ctrl-C closes it. Buy more in a browser, or:"
    )?;
    writeln!(out, "  {how} \\\n    -d '{}'", purchase::BODY)?;
    out.flush()
}

const PATIENCE: Duration = Duration::from_secs(5);
const WIDTH: usize = 160;
const POLL: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_story_lacks_everybody() {
        let gap = gap(&Timeline::default()).unwrap();
        assert_eq!(gap, "from gateway, orders, payments, shipping, worker");
    }
}
