//! The guide's pages as documentation, so that `cargo test` compiles and runs their code, and the numbers
//! of the page "At scale".

pub mod scale;

macro_rules! pages {
    ($($page:ident)*) => {
        /// The pages, as their files in `src` are named.
        pub const PAGES: &[&str] = &[$(stringify!($page)),*];

        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("src/", stringify!($page), ".md"))]
            mod $page {}
        )*
    };
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

pages! {
    start axum actix rocket warp tower own_server
    logs outbound queues databases background
    edge observability migrating lost testing trail at_scale
}
