//! RQ, the job queue of Python.
