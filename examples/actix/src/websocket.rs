//! A WebSocket keeps the ID of the request that opened it.

use actix_web::web::Payload;
use actix_web::{Error, HttpRequest, HttpResponse, rt};
use actix_ws::{Closed, Message, MessageStream, Session};
use correlation_actix::InCurrent;
use service_common::answers;

pub(crate) async fn handler(request: HttpRequest, body: Payload) -> Result<HttpResponse, Error> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    // The task outlives this function: `in_current` takes the ID along.
    rt::spawn(converse(session, messages).in_current());
    Ok(response)
}

async fn converse(mut session: Session, mut messages: MessageStream) {
    while let Some(Ok(message)) = messages.recv().await {
        match reply(&mut session, message).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(Closed) => return,
        }
    }
    // Nobody is left to tell when the client has gone before.
    let _ = session.close(None).await;
}

/// Answers one message; `false` if it was the last.
async fn reply(session: &mut Session, message: Message) -> Result<bool, Closed> {
    match message {
        Message::Text(_) => session.text(answers::id()).await?,
        Message::Ping(payload) => session.pong(&payload).await?,
        Message::Close(_) => return Ok(false),
        _ => {}
    }
    Ok(true)
}
