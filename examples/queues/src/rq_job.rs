//! The data that RQ keeps in Redis for a job.

use std::collections::HashMap;
use std::io::Read;
use std::str;

use flate2::read::ZlibDecoder;
use serde_json::{Map, Value};

use crate::Result;

/// The function that a job calls.
#[derive(Clone, Debug)]
pub struct Job {
    /// The Python path of the function.
    pub function: String,
    /// Its arguments by position.
    pub args: Vec<Value>,
    /// Its arguments by name.
    pub kwargs: Map<String, Value>,
}

pub(crate) type Fields = HashMap<Vec<u8>, Vec<u8>>;

impl Job {
    pub(crate) fn read(fields: &Fields) -> Result<Self> {
        let data = fields.get(&b"data"[..]).ok_or("the job has no data")?;
        // RQ compresses this data, but also reads uncompressed data.
        let mut plain = Vec::new();
        let mut unpacked = ZlibDecoder::new(&data[..]).take(MAX_DATA);
        let unpacked = unpacked.read_to_end(&mut plain).is_ok();
        let data = if unpacked { &plain } else { data };
        let (function, _instance, args, kwargs): (_, Value, _, _) = serde_json::from_slice(data)
            .map_err(|_| "the data is not JSON: give the queue RQ's JSONSerializer")?;
        Ok(Self {
            function,
            args,
            kwargs,
        })
    }
}

/// Returns the data that a producer wrote beside the job, or nothing if it is not JSON.
pub(crate) fn meta(fields: &Fields) -> Map<String, Value> {
    let meta = fields.get(&b"meta"[..]).map(Vec::as_slice);
    serde_json::from_slice(meta.unwrap_or_default()).unwrap_or_default()
}

pub(crate) fn number(fields: &Fields, name: &str) -> Option<i64> {
    let value = fields.get(name.as_bytes())?;
    str::from_utf8(value).ok()?.parse().ok()
}

/// Compressed data may be a thousand times larger when it is unpacked.
const MAX_DATA: u64 = 16 * 1024 * 1024;
