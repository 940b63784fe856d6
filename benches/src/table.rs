//! All that is measured in one run.

use std::env;
use std::error::Error;
use std::process::Command;
use std::time::Instant;

use correlation_bench::cases::groups;
use correlation_bench::run::Times;
use correlation_bench::{Role, contention, memory};

use crate::count;

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) groups: Vec<Rows>,
    pub(crate) memory: Vec<Held>,
    pub(crate) contention: Vec<contention::Row>,
    #[cfg(feature = "peers")]
    pub(crate) wire: Vec<correlation_bench::wire::Row>,
}

/// A group, measured.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) name: String,
    pub(crate) note: &'static str,
    pub(crate) reference: usize,
    pub(crate) rows: Vec<Row>,
}

/// One operation of a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    pub(crate) times: Option<Times>,
}

/// What one request holds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) name: &'static str,
    pub(crate) bytes: f64,
    /// Over the same without an ID.
    pub(crate) over: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Want {
    pub(crate) instructions: bool,
    /// Fewer rounds.
    pub(crate) quick: bool,
}

/// Says on standard error what is measured now, and how far the run has come.
struct Progress {
    began: Instant,
    step: usize,
    steps: usize,
}

impl Progress {
    fn new(steps: usize) -> Self {
        Self {
            began: Instant::now(),
            step: 0,
            steps,
        }
    }

    fn step(&mut self, name: &str) {
        self.step += 1;
        let seconds = self.began.elapsed().as_secs();
        let (step, steps) = (self.step, self.steps);
        eprintln!("[{step:2} of {steps}, {seconds:3} s] {name}");
    }
}

impl Table {
    /// The groups whose names begin as one of these, or all.
    pub(crate) fn measure(names: &[&str], want: Want) -> Result<Self, Box<dyn Error>> {
        let named =
            |group: &str| names.is_empty() || names.iter().any(|name| group.starts_with(name));
        let (rounds, threads) = if want.quick { (50, 10) } else { (500, 100) };
        let mut table = Self::of(named);
        if table.groups.is_empty() && !["memory", "contention", "wire"].into_iter().any(named) {
            return Err("there is no such group: --list prints all".into());
        }
        let others = ["memory", "contention", "wire"].into_iter().map(named);
        // One more for what is counted.
        let mut progress = Progress::new(table.groups.len() + 1 + others.filter(|on| *on).count());
        for rows in &mut table.groups {
            progress.step(&rows.name);
            rows.time(rounds)?;
        }
        progress.step("allocations and instructions");
        table.count(want.instructions)?;
        if named("memory") {
            progress.step("memory");
            table.memory = held()?;
        }
        if named("contention") {
            progress.step("contention");
            table.contention = contention::rows(threads);
        }
        #[cfg(feature = "peers")]
        if named("wire") {
            progress.step("wire");
            let (rounds, each) = if want.quick { (4, 100) } else { (20, 500) };
            let each = std::time::Duration::from_millis(each);
            table.wire = correlation_bench::wire::rows(rounds, each);
        }
        Ok(table)
    }

    /// What there is to measure, with no numbers.
    pub(crate) fn of(named: impl Fn(&str) -> bool) -> Self {
        let groups = groups().into_iter().filter(|group| named(&group.name));
        let groups = groups.map(|group| Rows {
            reference: group.reference(),
            note: group.note,
            rows: group
                .cases
                .iter()
                .map(|case| Row::new(case.name, case.role))
                .collect(),
            name: group.name,
        });
        Self {
            groups: groups.collect(),
            ..Self::default()
        }
    }

    /// Counts allocations, and instructions if they are wanted.
    pub(crate) fn count(&mut self, instructions: bool) -> Result<(), Box<dyn Error>> {
        let names: Vec<_> = self.groups.iter().map(|rows| rows.name.clone()).collect();
        let allocations = count::allocations(&names)?;
        let counted = if instructions {
            let cases = groups()
                .into_iter()
                .filter(|group| names.contains(&group.name));
            let cases = cases.flat_map(|group| {
                let (name, per) = (group.name, group.per);
                group
                    .cases
                    .into_iter()
                    .map(move |case| (name.clone(), case.name.to_owned(), per))
            });
            count::instructions(&cases.collect::<Vec<_>>())?
        } else {
            count::ByCase::new()
        };
        for rows in &mut self.groups {
            for row in &mut rows.rows {
                let key = (rows.name.clone(), row.name.to_owned());
                let allocations = allocations.get(&key);
                let missing = || format!("{} / {} was not counted", rows.name, row.name);
                (row.allocations, row.bytes) = *allocations.ok_or_else(missing)?;
                row.instructions = counted.get(&key).copied();
            }
        }
        Ok(())
    }

    pub(crate) fn row(&self, group: &str, case: &str) -> Option<(&Rows, &Row)> {
        let rows = self.groups.iter().find(|rows| rows.name == group)?;
        Some((rows, rows.rows.iter().find(|row| row.name == case)?))
    }
}

impl Rows {
    /// The case without any ID, if there is one.
    pub(crate) fn bare(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.role == Role::Bare)
    }

    /// In a process by itself: subscribers of one group do not weigh on another.
    fn time(&mut self, rounds: usize) -> Result<(), Box<dyn Error>> {
        let mut child = Command::new(env::current_exe()?);
        let output = child
            .args(["times", &self.name, &rounds.to_string()])
            .output()?;
        if !output.status.success() {
            return Err(
                format!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr)).into(),
            );
        }
        let lines = String::from_utf8(output.stdout)?;
        for (row, line) in self.rows.iter_mut().zip(lines.lines()) {
            let numbers: Vec<f64> = line
                .split('\t')
                .skip(1)
                .filter_map(|it| it.parse().ok())
                .collect();
            let [ns, ratio, low, high] = numbers[..] else {
                return Err(format!("{}: {line}", self.name).into());
            };
            let range = (low, high);
            row.times = Some(Times { ns, ratio, range });
        }
        Ok(())
    }
}

impl Row {
    const fn new(name: &'static str, role: Role) -> Self {
        Self {
            name,
            role,
            instructions: None,
            allocations: 0.0,
            bytes: 0.0,
            times: None,
        }
    }
}

fn held() -> Result<Vec<Held>, Box<dyn Error>> {
    let held = count::held()?;
    let mut without = 0.0;
    let rows = memory::holders().into_iter().map(|(name, bare, _)| {
        let bytes = *held
            .get(name)
            .ok_or_else(|| format!("{name} was not counted"))?;
        if bare {
            without = bytes;
        }
        let over = (!bare).then_some(bytes - without);
        Ok(Held { name, bytes, over })
    });
    rows.collect()
}
