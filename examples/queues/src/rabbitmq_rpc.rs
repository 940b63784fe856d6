//! Questions and answers over RabbitMQ: the ID beside the property `correlation_id`.
//!
//! All questions of one click have the same ID, and each has a different property, which tells the
//! answers apart. A library that writes the ID of the click to that property mixes them up.

use std::collections::HashMap;

use correlation_core::continue_from;
use futures_util::StreamExt;
use lapin::options::BasicConsumeOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel};
use uuid::Uuid;

use crate::Result;
use crate::rabbitmq::{header, produce};

/// Asks all questions at once, and returns the answers in the same order. Put a timeout around it.
pub async fn ask(channel: &Channel, queue: &str, questions: &[&str]) -> Result<Vec<Vec<u8>>> {
    // This is RabbitMQ's own queue for answers. The consumer has to exist before the question.
    let options = BasicConsumeOptions {
        no_ack: true,
        ..Default::default()
    };
    let none = FieldTable::default();
    let consumer = channel.basic_consume(REPLY_TO.into(), "".into(), options, none);
    let mut replies = consumer.await?;
    let mut keys = Vec::new();
    for question in questions {
        let key = Uuid::new_v4().to_string();
        let properties = BasicProperties::default()
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id(ShortString::try_new(&*key)?);
        // The message carries the ID of the caller in a header, as any message does.
        produce(channel, queue, question, properties).await?;
        keys.push(key);
    }
    let mut answers = HashMap::new();
    while answers.len() < keys.len() {
        let reply = replies.next().await.ok_or("RabbitMQ gives no answers")??;
        let key = reply.properties.correlation_id().as_ref();
        if let Some(key) = key.filter(|key| keys.iter().any(|known| known == key.as_str())) {
            answers.insert(key.to_string(), reply.data);
        }
    }
    channel
        .basic_cancel(replies.tag(), Default::default())
        .await?;
    Ok(keys.iter().filter_map(|key| answers.remove(key)).collect())
}

/// Answers the questions in a queue, each under the ID that it has, or a new one.
pub async fn answer(
    channel: &Channel,
    queue: &str,
    handle: impl AsyncFn(&[u8]) -> String,
) -> Result {
    let (queue, options) = (ShortString::try_new(queue)?, Default::default());
    let consumer = channel.basic_consume(queue, "".into(), options, FieldTable::default());
    let mut questions = consumer.await?;
    while let Some(question) = questions.next().await {
        let question = question?;
        let work = async {
            let answer = handle(&question.data).await;
            if let Some(reply_to) = question.properties.reply_to() {
                let mut properties = BasicProperties::default();
                if let Some(key) = question.properties.correlation_id() {
                    properties = properties.with_correlation_id(key.clone()); // as it came
                }
                produce(channel, reply_to.as_str(), &answer, properties).await?;
            }
            question.ack(Default::default()).await?;
            Result::Ok(())
        };
        continue_from(|key| header(&question, key), work).await?;
    }
    Err("RabbitMQ has cancelled the consumer".into())
}

const REPLY_TO: &str = "amq.rabbitmq.reply-to";
