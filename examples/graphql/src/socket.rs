//! One socket: many operations at a time, each in the scope of its own message.

use std::collections::HashMap;
use std::pin::pin;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use correlation_axum::{Policy, scope, sync_scope};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::{self, AbortHandle, JoinError, JoinSet};
use tracing::{Instrument, info, info_span};

use crate::connection::Connection;
use crate::operations;
use crate::protocol::{ClientMessage, Fault, Operation, look_up};

/// Talks until one side closes. Runs in the scope of the upgrade request.
pub(crate) async fn serve(mut socket: WebSocket) {
    let (send, mut answers) = mpsc::channel(8);
    let mut session = Session::new(send);
    loop {
        let answer = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => session.receive(&text),
                Some(Ok(Message::Binary(_))) => Err(Fault::Invalid),
                Some(Ok(_)) => Ok(None),
                Some(Err(_)) | None => return,
            },
            Some(answer) = answers.recv() => Ok(session.answered(answer)),
            Some(Err(error)) = session.tasks.join_next() => Ok(session.failed(&error)),
        };
        let sent = match answer {
            Ok(None) => continue,
            Ok(Some(answer)) => socket.send(answer.to_string().into()).await,
            Err(fault) => {
                let close = CloseFrame {
                    code: fault.code(),
                    reason: fault.reason().into(),
                };
                // The client may have gone, and then it need not be told.
                let _ = socket.send(Message::Close(Some(close))).await;
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

struct Session {
    connection: Connection,
    acknowledged: bool,
    send: mpsc::Sender<Answer>,
    /// Operations end with the session: the set aborts what it still has when it is dropped.
    tasks: JoinSet<()>,
    running: HashMap<String, AbortHandle>,
}

impl Session {
    fn new(send: mpsc::Sender<Answer>) -> Self {
        Self {
            connection: Connection::new(Policy::new()),
            acknowledged: false,
            send,
            tasks: JoinSet::new(),
            running: HashMap::new(),
        }
    }

    fn receive(&mut self, text: &str) -> Result<Option<Value>, Fault> {
        match serde_json::from_str(text).map_err(|_| Fault::Invalid)? {
            ClientMessage::ConnectionInit { payload } if !self.acknowledged => {
                self.acknowledged = true;
                let upgrade_id = self.connection.id().clone();
                self.connection.adopt(|key| look_up(payload.as_ref(), key));
                // The one line that has both, if they differ.
                let connection = self.connection.context().clone();
                sync_scope(connection, || info!(%upgrade_id, "connected"));
                Ok(Some(json!({ "type": "connection_ack" })))
            }
            ClientMessage::ConnectionInit { .. } => Err(Fault::InitialisedTwice),
            ClientMessage::Ping => Ok(Some(json!({ "type": "pong" }))),
            ClientMessage::Pong => Ok(None),
            ClientMessage::Subscribe { .. } if !self.acknowledged => Err(Fault::NotInitialised),
            ClientMessage::Subscribe { id, .. } if self.running.contains_key(&id) => {
                Err(Fault::AlreadyThere)
            }
            ClientMessage::Subscribe { id, payload } => {
                self.subscribe(id, &payload);
                Ok(None)
            }
            ClientMessage::Complete { id } => {
                if let Some(task) = self.running.remove(&id) {
                    task.abort();
                }
                Ok(None)
            }
        }
    }

    fn subscribe(&mut self, id: String, operation: &Operation) {
        let extensions = operation.extensions.as_ref();
        let context = self.connection.message(|key| look_up(extensions, key));
        // `correlation_id` is on every line by itself; the span puts `connection_id` beside it.
        let connection_id = self.connection.id().as_str();
        let span = info_span!("operation", connection_id, id);
        let work = run(id.clone(), operation, self.send.clone()).instrument(span);
        let task = self.tasks.spawn(scope(context, work));
        self.running.insert(id, task);
    }

    /// What to send of an answer: nothing if the client has completed its operation meanwhile.
    fn answered(&mut self, answer: Answer) -> Option<Value> {
        let task = self.running.get(&answer.id)?;
        if task.id() != answer.task {
            return None;
        }
        if answer.is_last {
            self.running.remove(&answer.id);
        }
        Some(answer.message)
    }

    /// What to send when an operation panicked.
    fn failed(&mut self, error: &JoinError) -> Option<Value> {
        let known = self.running.iter();
        let mut failed = known.filter(|(_, task)| task.id() == error.id());
        let id = failed.next()?.0.clone();
        self.running.remove(&id);
        Some(failure(&id, "the operation panicked"))
    }
}

/// A message to the client, and the task that it comes from.
struct Answer {
    id: String,
    task: task::Id,
    message: Value,
    is_last: bool,
}

/// Sends all results of an operation, as long as somebody listens.
fn run(
    id: String,
    operation: &Operation,
    send: mpsc::Sender<Answer>,
) -> impl Future<Output = ()> + Send + use<> {
    let results = operations::run(operation);
    async move {
        let answer = |message, is_last| {
            let (id, task) = (id.clone(), task::id());
            send.send(Answer {
                id,
                task,
                message,
                is_last,
            })
        };
        let Some(results) = results else {
            info!("no such operation");
            let _ = answer(failure(&id, "no such operation"), true).await;
            return;
        };
        let mut results = pin!(results);
        while let Some(payload) = results.next().await {
            let next = json!({ "id": id, "type": "next", "payload": payload });
            if answer(next, false).await.is_err() {
                return;
            }
        }
        let _ = answer(json!({ "id": id, "type": "complete" }), true).await;
    }
}

fn failure(id: &str, message: &str) -> Value {
    json!({ "id": id, "type": "error", "payload": [{ "message": message }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> (Session, mpsc::Receiver<Answer>) {
        let (send, answers) = mpsc::channel(8);
        let mut session = Session::new(send);
        let init = session.receive(r#"{"type":"connection_init"}"#);
        assert_eq!(init, Ok(Some(json!({ "type": "connection_ack" }))));
        (session, answers)
    }

    /// Else it would be taken for what the next operation of that ID says.
    #[tokio::test]
    async fn what_a_completed_operation_had_still_to_say_is_dropped() {
        let (mut session, mut answers) = session();
        let subscribe = r#"{"type":"subscribe","id":"1","payload":{"operationName":"WhoAmI"}}"#;
        assert_eq!(session.receive(subscribe), Ok(None));
        let next = answers.recv().await.unwrap();
        let last = answers.recv().await.unwrap();
        assert_eq!(session.receive(r#"{"type":"complete","id":"1"}"#), Ok(None));
        assert_eq!(session.receive(subscribe), Ok(None));
        assert_eq!(session.answered(next), None);
        assert_eq!(session.answered(last), None);
        for kind in ["next", "complete"] {
            let answer = answers.recv().await.unwrap();
            assert_eq!(session.answered(answer).unwrap()["type"], kind);
        }
        assert!(session.running.is_empty());
    }

    #[tokio::test]
    async fn an_operation_that_panics_is_an_error_of_its_own() {
        let (mut session, _answers) = session();
        for id in ["1", "2"] {
            let task = session
                .tasks
                .spawn(async move { assert_ne!(id, "1", "boom") });
            session.running.insert(id.to_owned(), task);
        }
        while let Some(ended) = session.tasks.join_next().await {
            if let Err(error) = ended {
                let message = session.failed(&error).unwrap();
                assert_eq!(
                    (&message["type"], &message["id"]),
                    (&"error".into(), &"1".into())
                );
            }
        }
        assert_eq!(session.running.keys().collect::<Vec<_>>(), ["2"]);
    }
}
