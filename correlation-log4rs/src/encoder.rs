use std::thread;

use correlation_core::Context;
use correlation_core::adapter::names::{CORRELATION_ID, TRACE_ID};
use log::Record;
use log4rs::encode::writer::simple::SimpleWriter;
use log4rs::encode::{Encode, Write};

use crate::mdc;

/// Adds the ID to an encoder. Use it if you build the configuration in code.
///
/// ```
/// use correlation_log4rs::encoder;
/// use log4rs::encode::pattern::PatternEncoder;
///
/// let encoder = encoder(PatternEncoder::new("{l} [{X(correlation_id)(-)}] {m}{n}"));
/// // ConsoleAppender::builder().encoder(Box::new(encoder))
/// ```
pub fn encoder(inner: impl Encode) -> Encoder {
    Encoder::boxed(Box::new(inner))
}

/// An encoder that has the ID in the MDC, which is log4rs' map of values for each thread.
///
/// The function [`encoder`] makes it.
#[derive(Debug)]
pub struct Encoder(Box<dyn Encode>);

impl Encoder {
    pub(crate) fn boxed(inner: Box<dyn Encode>) -> Self {
        Self(inner)
    }
}

impl Encode for Encoder {
    fn encode(&self, out: &mut dyn Write, record: &Record<'_>) -> anyhow::Result<()> {
        if !mdc::lives() {
            return self.encode_elsewhere(out, record);
        }
        self.encode_here(out, record)
    }
}

impl Encoder {
    fn encode_in(
        &self,
        context: &Context,
        out: &mut dyn Write,
        record: &Record<'_>,
    ) -> anyhow::Result<()> {
        // It is set for this one record only. If it were set at every poll, it would leak into the
        // next task. The guards restore the values that the application had under these keys.
        let set = |key: &str, value: &str| log_mdc::insert_scoped(key, value);
        let _id = set(CORRELATION_ID, context.id().as_str());
        let _trace_id = context.trace_id().map(|id| set(TRACE_ID, id.as_str()));
        self.0.encode(out, record)
    }

    /// Encodes the record in its own thread. The message is made first: code in it may log a record
    /// of another scope, which must not read the ID of this one.
    fn encode_here(&self, out: &mut dyn Write, record: &Record<'_>) -> anyhow::Result<()> {
        let Some(context) = Context::current() else {
            return self.0.encode(out, record);
        };
        if record.args().as_str().is_some() {
            return self.encode_in(&context, out, record);
        }
        let message = record.args().to_string();
        let args = format_args!("{message}");
        let record = Record::builder()
            .metadata(record.metadata().clone())
            .args(args)
            .module_path(record.module_path())
            .file(record.file())
            .line(record.line())
            .key_values(record.key_values())
            .build();
        self.encode_in(&context, out, &record)
    }

    /// Encodes the record in another thread of the same name, because the MDC of this thread is
    /// gone. Encoders read the MDC, which would panic here in a destructor, and that ends the
    /// process.
    ///
    /// The record then has no key-values, and styles are lost.
    fn encode_elsewhere(&self, out: &mut dyn Write, record: &Record<'_>) -> anyhow::Result<()> {
        let (context, message) = (Context::current(), record.args().to_string());
        let metadata = record.metadata().clone();
        let (module, file, line) = (record.module_path(), record.file(), record.line());
        let encode = || {
            let mut text = SimpleWriter(Vec::new());
            let args = format_args!("{message}");
            let record = Record::builder()
                .metadata(metadata)
                .args(args)
                .module_path(module)
                .file(file)
                .line(line)
                .build();
            match context {
                Some(context) => self.encode_in(&context, &mut text, &record)?,
                None => self.0.encode(&mut text, &record)?,
            }
            Ok(text.0)
        };
        let text: anyhow::Result<Vec<u8>> = thread::scope(|threads| {
            let mut builder = thread::Builder::new();
            if let Some(name) = thread::current().name() {
                builder = builder.name(name.to_owned());
            }
            let spawned = builder.spawn_scoped(threads, encode)?;
            let joined = spawned.join();
            joined.unwrap_or_else(|_| Err(anyhow::anyhow!("the encoder panicked")))
        });
        Ok(out.write_all(&text?)?)
    }
}

#[cfg(test)]
mod tests {
    use correlation_core::{CorrelationId, Policy, sync_scope};
    use log4rs::encode::pattern::PatternEncoder;

    use super::*;

    const PATTERN: &str = "{m} {X(correlation_id)(-)} {X(trace_id)(-)} {X(tenant)(-)}";

    fn line() -> String {
        let mut out = SimpleWriter(Vec::new());
        let record = Record::builder().args(format_args!("done")).build();
        let encoder = encoder(PatternEncoder::new(PATTERN));
        encoder.encode(&mut out, &record).unwrap();
        String::from_utf8(out.0).unwrap()
    }

    fn receive(policy: &Policy, headers: &[(&str, &str)]) -> Context {
        let headers = || {
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes()))
        };
        policy.receive(headers, None).into_context()
    }

    #[test]
    fn the_id_is_there_for_the_record_only() {
        let id = |id: &str| Context::from(id.parse::<CorrelationId>().unwrap());
        assert_eq!(line(), "done - - -");
        let seen = sync_scope(id("outer"), || {
            let inner = sync_scope(id("inner"), line);
            (
                inner,
                line(),
                log_mdc::get("correlation_id", |id| id.map(str::to_owned)),
            )
        });
        assert_eq!(
            seen,
            ("done inner - -".into(), "done outer - -".into(), None)
        );
        assert_eq!(line(), "done - - -");
    }

    #[test]
    fn a_record_that_a_message_writes_has_its_own_ids() {
        /// Logs whenever it is printed.
        struct Lazy<'a>(&'a std::cell::RefCell<Vec<String>>);

        impl std::fmt::Display for Lazy<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let inner = "inner".parse::<CorrelationId>().unwrap();
                self.0.borrow_mut().push(sync_scope(inner, line));
                f.write_str("done")
            }
        }

        let headers = [
            ("x-correlation-id", "abc"),
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
        ];
        let (inner, mut out) = (std::cell::RefCell::default(), SimpleWriter(Vec::new()));
        sync_scope(receive(&Policy::new(), &headers), || {
            let lazy = Lazy(&inner);
            let args = format_args!("{lazy}");
            let record = Record::builder().args(args).build();
            encoder(PatternEncoder::new(PATTERN))
                .encode(&mut out, &record)
                .unwrap();
        });
        assert_eq!(*inner.borrow(), ["done inner - -"]);
        assert_eq!(out.0, b"done abc 4bf92f3577b34da6a3ce929d0e0e4736 -");
    }

    #[test]
    fn what_the_application_put_in_the_mdc_comes_back() {
        let _id = log_mdc::insert_scoped("correlation_id", "own");
        let _tenant = log_mdc::insert_scoped("tenant", "t1");
        assert_eq!(line(), "done own - t1");
        let context = Context::from("abc".parse::<CorrelationId>().unwrap());
        assert_eq!(sync_scope(context, line), "done abc - t1");
        assert_eq!(line(), "done own - t1");
    }

    #[test]
    fn what_else_came_in_is_there_on_every_record() {
        let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let traceparent = format!("00-{trace_id}-00f067aa0ba902b7-01");
        let headers = [
            ("x-correlation-id", "abc"),
            ("traceparent", traceparent.as_str()),
        ];
        let known = receive(&Policy::new(), &headers);
        let seen = sync_scope(known, || [line(), line()]);
        assert_eq!(seen, [(); 2].map(|()| format!("done abc {trace_id} -")));
    }
}
