//! What must come back.

use correlation_testkit::Response;

use super::{Answer, Endpoint, Request};
use crate::counts::Fault;
use crate::downstream::Call;
use crate::ledger::{Ledger, Trace};
use crate::life::Life;
use crate::world::World;

impl Request {
    /// Whether the connection may close instead of an answer.
    pub(crate) fn may_close(&self, life: &Life) -> bool {
        self.endpoint == Endpoint::Panic && life.framework.gaps().panic_closes_connection
    }

    /// Compares an answer with what the endpoint has to say. `id` is the ID of the request.
    pub(crate) fn check(&self, response: &Response, id: &str, life: &Life, world: &World) {
        let mut faults: Vec<(Fault, String)> = Vec::new();
        let mut wrong = |what: &str| {
            let got = String::from_utf8_lossy(&response.body);
            faults.push((
                Fault::Wrong,
                format!("{what}: {} {got:?} to {self:?}", response.status),
            ));
        };
        if response.status != self.status(life) {
            wrong("status");
        } else if !response.values("traceparent").is_empty() {
            wrong("traceparent in an answer");
        }
        let mut read = Vec::new();
        match self.endpoint {
            Endpoint::Id | Endpoint::Extract | Endpoint::Log { .. } => {
                read.push(response.text().into_owned());
            }
            Endpoint::Inbound => {
                read.extend(
                    response.json()["correlation_id"]
                        .as_str()
                        .map(str::to_owned),
                );
            }
            Endpoint::Sleepy { steps: reads, .. } | Endpoint::Stream { chunks: reads } => {
                read = response.reads();
                if read.len() != reads {
                    wrong("reads");
                }
            }
            Endpoint::Spawn => {
                let body = response.json();
                let parts = ["task", "blocking", "thread", "join_set"];
                read.extend(parts.map(|part| body[part].as_str().unwrap_or_default().to_owned()));
                if !body["naked"].is_null() {
                    wrong("naked");
                }
            }
            _ => {}
        }
        let mut ledger = life.ledger();
        for read in read.iter().filter(|read| *read != id) {
            let fault = ledger.blame(read);
            faults.push((fault, format!("read {read:?} in {id:?}: {self:?}")));
        }
        if let Endpoint::Relay(answer) = self.endpoint {
            let calls = world.downstream.take(self.token);
            let least = if answer == Answer::Redirect { 2 } else { 1 };
            if calls.len() < least {
                faults.push((Fault::Missing, format!("{calls:?} of {self:?}")));
            }
            for call in calls {
                if let Some(fault) = self.check_call(&call, id, &ledger) {
                    faults.push((fault, format!("{call:?} of {id:?}: {self:?}")));
                }
            }
        }
        for (fault, what) in faults {
            ledger.fault(fault, || what);
        }
    }

    /// What has reached the other service: the ID, the trace, and nothing that was forged.
    fn check_call(&self, call: &Call, id: &str, ledger: &Ledger) -> Option<Fault> {
        let (trace, its_own) = match (&self.headers.trace, &call.traceparent[..]) {
            (Trace::None, []) | (Trace::New, [_]) => (true, false),
            // The caller's state goes on with its trace.
            (Trace::Is(id), [line]) => (line.contains(id), true),
            _ => (false, false),
        };
        match &call.ids[..] {
            [] => Some(Fault::Missing),
            [one] if one != id => Some(ledger.blame(one)),
            [_] if call.forged && !its_own => Some(Fault::Forged),
            [_] if trace => None,
            _ => Some(Fault::Wrong),
        }
    }

    fn status(&self, life: &Life) -> u16 {
        match self.endpoint {
            Endpoint::Relay(Answer::Close | Answer::Broken) => 502,
            Endpoint::Relay(Answer::Status(status)) => status,
            Endpoint::Fail | Endpoint::Panic => 500,
            Endpoint::Nothing => 404,
            Endpoint::WrongMethod if life.framework.gaps().wrong_method_is_404 => 404,
            Endpoint::WrongMethod => 405,
            Endpoint::WebSocket if life.framework.gaps().no_websocket => 404,
            Endpoint::WebSocket => 101,
            _ => 200,
        }
    }
}
