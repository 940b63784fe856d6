/// The checks for one storage. `open` gives an empty queue of its own, or `None` where there is
/// no server; `Storage` is its type. `LONG_VALUES`: it can store an ID of 300 bytes at all.
/// `TASK_IDS`: its tasks have an ID that is unique and stays.
macro_rules! checks {
    () => {
        use std::time::Duration;

        use apalis::prelude::*;
        use correlation_apalis::{Correlate, Correlated, correlation};
        use correlation_testkit::id;
        use futures_util::stream;

        use crate::job::{Job, Probe, Then, probe};
        use crate::ticks::Ticks;

        type Pushed = Result<(), BoxDynError>;

        async fn handle(
            job: Job,
            storage: Data<Correlated<Storage>>,
            probe: Data<Probe>,
        ) -> Pushed {
            let first = probe.attempt(&job).await;
            match job.then {
                Then::Fail if first => return Err("the first attempt fails".into()),
                Then::Hang if first => std::future::pending().await,
                Then::Push(name) => (*storage).clone().push(Job::done(name)).await?,
                Then::Done | Then::Fail | Then::Hang => {}
            }
            Ok(())
        }

        /// A worker of this name, until the returned value is dropped: then it dies as a process
        /// does, in the middle of whatever it does.
        async fn work(queue: &Queue, name: &str, probe: &Probe) -> Worked {
            // A connection of its own, as another process has.
            let storage = queue.connect().await.correlated();
            let worker = WorkerBuilder::new(name)
                .backend(storage.clone().poll_with_strategy(Ticks::new()))
                .data(storage)
                .data(probe.clone())
                .build(handle);
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn(async move { worker.run().await.unwrap() });
            Worked(tasks)
        }

        struct Worked(tokio::task::JoinSet<()>);

        impl Worked {
            async fn kill(mut self) {
                self.0.shutdown().await;
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn whatever_pushes_a_job_its_handler_sees_the_id() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let mut storage = queue.connect().await.correlated();
            correlation::scope(id("push"), storage.push(Job::done("push")))
                .await
                .unwrap();
            let jobs = vec![Job::done("bulk"), Job::done("bulk")];
            correlation::scope(id("bulk"), storage.push_bulk(jobs))
                .await
                .unwrap();
            let task = TaskBuilder::new(Job::done("task")).build();
            correlation::scope(id("task"), storage.push_task(task))
                .await
                .unwrap();
            let jobs = stream::iter([Job::done("stream"), Job::done("stream")]);
            correlation::scope(id("stream"), storage.push_stream(jobs))
                .await
                .unwrap();
            let tasks = stream::iter([TaskBuilder::new(Job::done("all")).build()]);
            correlation::scope(id("all"), storage.push_all(tasks))
                .await
                .unwrap();

            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            for _ in 0..7 {
                let seen = attempts.next().await;
                assert_eq!(seen.id(), seen.name);
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_retry_keeps_the_id() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let mut storage = queue.connect().await.correlated();
            let job = Job::new("job", Then::Fail);
            correlation::scope(id("click-1"), storage.push(job))
                .await
                .unwrap();

            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            assert_eq!(attempts.next_of("job").await, "click-1");
            assert_eq!(attempts.next_of("job").await, "click-1");
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_job_that_a_job_pushes_inherits_the_id() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let mut storage = queue.connect().await.correlated();
            let job = Job::new("parent", Then::Push("child".to_owned()));
            correlation::scope(id("click-1"), storage.push(job))
                .await
                .unwrap();

            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            assert_eq!(attempts.next_of("parent").await, "click-1");
            assert_eq!(attempts.next_of("child").await, "click-1");
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_job_pushed_without_an_id_has_one_of_its_own_at_all_attempts() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let mut storage = queue.connect().await.correlated();
            storage.push(Job::new("one", Then::Fail)).await.unwrap();
            storage.push(Job::new("two", Then::Fail)).await.unwrap();

            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            let mut seen = std::collections::HashMap::<String, Vec<String>>::new();
            for _ in 0..4 {
                let attempt = attempts.next().await;
                let id = attempt.id().to_owned();
                seen.entry(attempt.name).or_default().push(id);
            }
            let [one, two] = [&seen["one"], &seen["two"]];
            assert_eq!((one.len(), &one[0]), (2, &one[1]));
            assert_eq!((two.len(), &two[0]), (2, &two[1]));
            assert_ne!(one, two);
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn of_200_concurrent_pushes_none_is_crossed() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let storage = queue.connect().await.correlated();
            let pushes = (0..200).map(|n| {
                let name = format!("click-{n}");
                let mut storage = storage.clone();
                let context = id(&name);
                correlation::scope(context, async move {
                    tokio::task::yield_now().await;
                    storage.push(Job::done(name)).await.unwrap();
                })
            });
            let pushed: tokio::task::JoinSet<()> = pushes.collect();
            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            pushed.join_all().await;
            let (mut jobs, mut reads) = (std::collections::HashSet::new(), 0);
            while jobs.len() < 200 {
                let seen = attempts.next().await;
                assert_eq!(seen.id(), seen.name);
                reads += seen.reads.len();
                jobs.insert(seen.name);
            }
            assert!(reads >= 1000, "{reads}");
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn what_is_stored_and_no_id_counts_as_absent() {
            const HOSTILE: [&str; 5] = ["a\r\nb", "' OR 1=1 --", "\"", "", "\u{fffd}\u{1f980}"];
            let Some(queue) = Queue::new().await else {
                return;
            };
            // As foreign code does: by the storage itself.
            let mut storage = queue.connect().await;
            let long = "x y".repeat(if LONG_VALUES { 100 } else { 70 });
            for value in HOSTILE.into_iter().chain([long.as_str()]) {
                let stored = MetadataStore::from_iter([
                    ("correlation_id", value),
                    ("traceparent", value),
                    ("tracestate", value),
                ]);
                let job = TaskBuilder::new(Job::new(value, Then::Fail));
                storage
                    .push_task(job.with_metadata(stored).build())
                    .await
                    .unwrap();
            }
            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            let mut ids = std::collections::HashMap::<String, Vec<String>>::new();
            for _ in 0..2 * (HOSTILE.len() + 1) {
                let seen = attempts.next().await;
                let id = seen.id().to_owned();
                assert_ne!(id, seen.name);
                ids.entry(seen.name).or_default().push(id);
            }
            for (value, ids) in ids {
                assert_eq!(ids.len(), 2, "{value:?}");
                assert_eq!(ids[0] == ids[1], TASK_IDS, "{value:?}: {ids:?}");
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_task_is_pushed_with_the_ambient_id_whatever_it_brings() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let mut storage = queue.connect().await.correlated();
            for value in ["a\r\nb", &"x".repeat(300), "own"] {
                let brought = MetadataStore::from_iter([("correlation_id", value)]);
                let task = TaskBuilder::new(Job::done("ambient"))
                    .with_metadata(brought)
                    .build();
                correlation::scope(id("ambient"), storage.push_task(task))
                    .await
                    .unwrap();
            }
            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            for _ in 0..3 {
                let seen = attempts.next().await;
                assert_eq!(seen.id(), seen.name);
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_job_whose_worker_died_keeps_the_id() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let mut storage = queue.connect().await.correlated();
            let job = Job::new("job", Then::Hang);
            correlation::scope(id("click-1"), storage.push(job))
                .await
                .unwrap();

            let (probe, mut attempts) = probe();
            let worker = work(&queue, "first", &probe).await;
            assert_eq!(attempts.next_of("job").await, "click-1");
            worker.kill().await;
            let _worker = work(&queue, "second", &probe).await;
            assert_eq!(attempts.next_of("job").await, "click-1");
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_delayed_job_keeps_the_id() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let mut storage = queue.connect().await.correlated();
            let later = TaskBuilder::new(Job::done("later")).run_after(Duration::from_secs(2));
            correlation::scope(id("click-1"), storage.push_task(later.build()))
                .await
                .unwrap();

            let (probe, mut attempts) = probe();
            let _worker = work(&queue, "worker", &probe).await;
            assert_eq!(attempts.next_of("later").await, "click-1");
        }
    };
}
