//! What the library costs, beside its peers: the cases, and how one is measured.

pub mod cases;
pub mod contention;
pub mod memory;
pub mod run;
#[cfg(feature = "peers")]
pub mod wire;

use std::hint::black_box;

/// Cases that are compared with each other.
#[expect(missing_debug_implementations, reason = "nobody prints one")]
pub struct Group {
    /// As in `axum, around, absent`.
    pub name: String,
    /// What is measured, and what the rows leave out.
    pub note: &'static str,
    /// How many operations one run does.
    pub per: u32,
    /// All of them.
    pub cases: Vec<Case>,
    against: Option<&'static str>,
}

/// One thing to measure.
#[expect(missing_debug_implementations, reason = "nobody prints one")]
pub struct Case {
    /// Unique within its group.
    pub name: &'static str,
    /// What it is to the others of its group.
    pub role: Role,
    make: Box<dyn FnOnce() -> Run>,
}

/// Does the thing once.
pub type Run = Box<dyn FnMut()>;

/// What a case is to the others of its group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// The same without any ID: what it costs is taken off the others.
    Bare,
    /// This library.
    Ours,
    /// Somebody else's way.
    Peer,
}

impl Group {
    fn new(name: impl Into<String>, note: &'static str) -> Self {
        Self {
            name: name.into(),
            note,
            per: 1,
            cases: Vec::new(),
            against: None,
        }
    }

    const fn per(mut self, per: u32) -> Self {
        self.per = per;
        self
    }

    /// Nanoseconds are compared with this case, where the one without an ID takes none.
    const fn against(mut self, name: &'static str) -> Self {
        self.against = Some(name);
        self
    }

    fn bare<R, F>(self, name: &'static str, make: impl FnOnce() -> F + 'static) -> Self
    where
        F: FnMut() -> R + 'static,
    {
        self.case(Role::Bare, name, make)
    }

    fn ours<R, F>(self, name: &'static str, make: impl FnOnce() -> F + 'static) -> Self
    where
        F: FnMut() -> R + 'static,
    {
        self.case(Role::Ours, name, make)
    }

    fn peer<R, F>(self, name: &'static str, make: impl FnOnce() -> F + 'static) -> Self
    where
        F: FnMut() -> R + 'static,
    {
        self.case(Role::Peer, name, make)
    }

    fn case<R, F>(
        mut self,
        role: Role,
        name: &'static str,
        make: impl FnOnce() -> F + 'static,
    ) -> Self
    where
        F: FnMut() -> R + 'static,
    {
        let make = Box::new(|| {
            let mut run = make();
            Box::new(move || drop(black_box(run()))) as Run
        });
        self.cases.push(Case { name, role, make });
        self
    }

    /// The case whose nanoseconds are 1: the one without an ID, else the first peer.
    #[must_use]
    pub fn reference(&self) -> usize {
        let find = |is: &dyn Fn(&Case) -> bool| self.cases.iter().position(is);
        let named = self
            .against
            .and_then(|name| find(&|case| case.name == name));
        let bare = || find(&|case| case.role == Role::Bare);
        let peer = || find(&|case| case.role == Role::Peer);
        named.or_else(bare).or_else(peer).unwrap_or(0)
    }
}

impl Case {
    /// Prepares it.
    #[must_use]
    pub fn make(self) -> Run {
        (self.make)()
    }
}
