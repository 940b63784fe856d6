//! Redis lists, with `Carried<T>`.
