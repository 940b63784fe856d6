//! Questions and answers over RabbitMQ: the ID beside the property `correlation_id`.
//!
//! All questions of one click have the same ID, and each its own property: by that the answers
//! are told apart. A library that writes the ID of the click there mixes them up.

use std::collections::HashMap;

use correlation_core::continue_from;
use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};
use uuid::Uuid;

use crate::Result;
use crate::rabbitmq::{header, publish, short};

/// Asks all questions at once. Gives the answers in the order of the questions.
///
/// It waits as long as it takes: put a timeout around it.
///
/// # Errors
///
/// If the connection is lost.
pub async fn ask(channel: &Channel, queue: &str, questions: &[&str]) -> Result<Vec<Vec<u8>>> {
    // RabbitMQ's own queue for answers. It wants the consumer to be there before the question.
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let mut replies = channel
        .basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default())
        .await?;
    let mut keys = Vec::new();
    for question in questions {
        let key = Uuid::new_v4().to_string();
        let properties = BasicProperties::default()
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id(short(&key)?);
        // The ID of the caller goes along as a header, as with any message.
        publish(channel, queue, question, properties).await?;
        keys.push(key);
    }
    let mut answers = HashMap::new();
    while answers.len() < keys.len() {
        let reply = replies
            .next()
            .await
            .ok_or("RabbitMQ gives no more answers")??;
        let key = reply.properties.correlation_id().as_ref();
        if let Some(key) = key.filter(|key| keys.iter().any(|known| known == key.as_str())) {
            answers.insert(key.to_string(), reply.data);
        }
    }
    let tag = replies.tag();
    channel.basic_cancel(tag, Default::default()).await?;
    Ok(keys.iter().filter_map(|key| answers.remove(key)).collect())
}

/// Answers the questions in a queue, each under the ID that it brings or a new one.
///
/// # Errors
///
/// If the connection or the queue is lost.
pub async fn answer(
    channel: &Channel,
    queue: &str,
    handle: impl AsyncFn(&[u8]) -> String,
) -> Result {
    let (queue, options) = (short(queue)?, BasicConsumeOptions::default());
    let mut questions = channel
        .basic_consume(queue, "".into(), options, FieldTable::default())
        .await?;
    while let Some(question) = questions.next().await {
        let question = question?;
        continue_from(|key| header(&question, key), async {
            let answer = handle(&question.data).await;
            if let Some(reply_to) = question.properties.reply_to() {
                // The key of the caller, as it came.
                let mut properties = BasicProperties::default();
                if let Some(key) = question.properties.correlation_id() {
                    properties = properties.with_correlation_id(key.clone());
                }
                publish(channel, reply_to.as_str(), &answer, properties).await?;
            }
            question.ack(BasicAckOptions::default()).await?;
            Result::Ok(())
        })
        .await?;
    }
    Err("RabbitMQ has cancelled the consumer".into())
}

const REPLY_TO: &str = "amq.rabbitmq.reply-to";
