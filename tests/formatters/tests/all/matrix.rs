//! Every formatter in every situation: 14 x 6, and what must not be there.

use correlation_core::{Context, Policy, detached, scope};
use formatters::{ALL, Form, Formatter, SITUATIONS, printed};
use tracing::info;

use crate::line::{assert_fields, assert_tagged, assert_untagged};
use crate::{id, request};

/// What a situation says, so that no test is green because the line is missing.
const SAID: [&[&str]; 6] = [
    &["query done", "no such user"],
    &["order placed"],
    &["mail sent"],
    &["thumbnail made"],
    &["no such order", "victim"],
    &["transaction rolled back"],
];

fn happens(formatter: Formatter, situation: usize, context: Context) -> String {
    let printed = printed(formatter.logger, || (SITUATIONS[situation].run)(context));
    for said in SAID[situation] {
        assert!(printed.contains(said), "{printed}");
    }
    printed
}

macro_rules! situations {
    ($($name:ident: $situation:literal,)*) => {
        $(#[test]
        fn $name() {
            for formatter in ALL {
                let printed = happens(formatter, $situation, request());
                println!("{}:\n{printed}", formatter.name);
                assert_tagged(formatter.form, &printed);
            }
        })*

        #[test]
        fn no_situation_is_left_out() {
            assert_eq!([$($situation),*], std::array::from_fn::<usize, { SITUATIONS.len() }, _>(|n| n));
        }
    };
}

situations! {
    plain_event: 0,
    filtered_out_span: 1,
    spawned: 2,
    blocking: 3,
    forged_line: 4,
    cancelled_request: 5,
}

#[test]
fn the_span_is_filtered_out_indeed() {
    for formatter in ALL {
        let printed = happens(formatter, 1, request());
        assert!(!printed.contains("of-the-span"), "{printed}");
    }
}

#[test]
fn outside_of_a_scope_there_is_none() {
    for formatter in ALL {
        let printed = printed(formatter.logger, || async {
            info!("before");
            scope(id(), async {
                tokio::spawn(async { info!("without the helper") })
                    .await
                    .unwrap();
                detached(async { info!("detached") }).await;
            })
            .await;
            info!("after");
        });
        assert_untagged(formatter.form, &printed);
        for said in ["before", "without the helper", "detached", "after"] {
            assert!(printed.contains(said), "{printed}");
        }
    }
}

#[test]
fn a_traceparent_adds_the_trace_id_to_every_line() {
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("traceparent", traceparent), ("x-request-id", "click-7")];
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    let id = ("correlation_id", "click-7");
    let trace_id = ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736");
    for formatter in ALL {
        for situation in 0..SITUATIONS.len() {
            let request = Policy::new().receive(|| headers, None).into_context();
            let printed = happens(formatter, situation, request);
            // First in an object, last in a line of text.
            let fields = match formatter.form {
                Form::Json => [id, trace_id],
                Form::Text => [trace_id, id],
            };
            assert_fields(formatter.form, &printed, &fields);
        }
    }
}

#[test]
fn two_requests_at_once_have_each_their_own() {
    for formatter in ALL {
        let printed = printed(formatter.logger, || async {
            let tasks: Vec<_> = (0..100)
                .map(|n| {
                    let id: correlation_core::CorrelationId = format!("n-{n}-").parse().unwrap();
                    tokio::spawn(scope(id, async move {
                        info!("line {n} before");
                        tokio::task::yield_now().await;
                        info!("line {n} after");
                    }))
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        for n in 0..100 {
            let id = format!("n-{n}-");
            let own: Vec<_> = printed.lines().filter(|line| line.contains(&id)).collect();
            let said = own
                .iter()
                .filter(|line| line.contains(&format!("line {n} ")));
            assert_eq!(said.count(), 2, "{own:?}");
            let others = own.iter().filter(|line| line.contains("line "));
            assert_eq!(others.count(), 2, "{own:?}");
        }
    }
}
