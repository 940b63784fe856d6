use std::fmt::Debug;

use correlation_core::{Carried, CarriedOrBare, Origin, sync_scope};
use correlation_testkit::id;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::sent;

type Read = Carried<String>;

/// Bytes as a message of each format, and bytes in the place of its ID: the body never depends on
/// the ID, and what is read is read again.
pub fn carried(data: &[u8]) {
    as_a_message(data);
    json(data);
    binary(data);
}

fn as_a_message(data: &[u8]) {
    let json = serde_json::from_slice::<Read>(data).ok();
    // The one that may be bare has to know where it ends, so it is UTF-8.
    if let Some(read) = json.as_ref().filter(|_| str::from_utf8(data).is_ok()) {
        let same = serde_json::from_slice::<CarriedOrBare<String>>(data);
        if data.trim_ascii_start().starts_with(b"[") {
            assert!(same.is_err());
        } else {
            assert_eq!(same.unwrap().0.body, read.body);
        }
    }
    arrays(data);
    let _ = ciborium::from_reader::<CarriedOrBare<String>, _>(data);
    let read = [
        json,
        rmp_serde::from_slice(data).ok(),
        ciborium::from_reader(data).ok(),
        postcard::from_bytes(data).ok(),
        bincode::deserialize(data).ok(),
    ];
    for read in read.into_iter().flatten() {
        same(
            &read,
            serde_json::from_slice(&serde_json::to_vec(&read).unwrap()),
        );
        same(
            &read,
            rmp_serde::from_slice(&rmp_serde::to_vec(&read).unwrap()),
        );
        same(
            &read,
            rmp_serde::from_slice(&rmp_serde::to_vec_named(&read).unwrap()),
        );
        let mut cbor = Vec::new();
        ciborium::into_writer(&read, &mut cbor).unwrap();
        same(&read, ciborium::from_reader(&*cbor));
        same(
            &read,
            postcard::from_bytes(&postcard::to_stdvec(&read).unwrap()),
        );
        same(
            &read,
            bincode::deserialize(&bincode::serialize(&read).unwrap()),
        );
    }
}

/// An array of JSON is a body. One of another format may be, unless `Carried` wrote it.
fn arrays(data: &[u8]) {
    if let Ok(array @ Value::Array(_)) = serde_json::from_slice(data) {
        let CarriedOrBare(read) = serde_json::from_slice::<CarriedOrBare<Value>>(data).unwrap();
        assert_eq!(read.body, array);
        assert_eq!(read.context.origin(), Origin::Generated);
    }
    // Bytes are read as items, too, and are no array.
    let is_array = matches!(data, [0x90..=0x9f | 0xdc | 0xdd, ..]);
    let items = rmp_serde::from_slice::<Vec<IgnoredAny>>(data);
    let items = items.ok().filter(|_| is_array);
    let read = rmp_serde::from_slice::<CarriedOrBare<String>>(data);
    if let (Some(items), Ok(CarriedOrBare(read))) = (items, read) {
        assert_eq!(
            (items.len(), read.context.origin()),
            (4, Origin::Header("x-correlation-id"))
        );
        same(&read, rmp_serde::from_slice(data));
    }
}

fn same<E: Debug>(written: &Read, read: Result<Read, E>) {
    let read = read.unwrap();
    assert_eq!(read.body, written.body);
    assert_eq!(sent(&read.context), sent(&written.context));
}

/// The ID is in the place where the bytes are; `valid` says whether they are text of the format.
fn keeps_its_body<E: Debug>(read: Result<Read, E>, data: &[u8]) {
    let read = read.unwrap();
    assert_eq!(read.body, "x");
    let context = &read.context;
    if context.origin() == Origin::Header("x-correlation-id") {
        let id = context.id().as_str();
        assert!(id.len() <= data.len() && id.parse::<correlation_core::CorrelationId>().is_ok());
    }
}

fn json(data: &[u8]) {
    // Any value of JSON.
    if serde_json::from_slice::<&RawValue>(data).is_ok() {
        for place in ["correlation_id", "traceparent", "tracestate", "more"] {
            let message = [b"{\"", place.as_bytes(), b"\":", data, b",\"body\":\"x\"}"].concat();
            keeps_its_body(serde_json::from_slice(&message), data);
            let bare = serde_json::from_slice::<CarriedOrBare<String>>(&message);
            keeps_its_body(bare.map(|CarriedOrBare(read)| read), data);
        }
    }
    // What looks like a string, whatever its encoding.
    let plain = |byte: &u8| *byte >= b' ' && !b"\"\\".contains(byte);
    let inside: Vec<_> = data.iter().copied().filter(plain).collect();
    let message = [
        b"{\"correlation_id\":\"",
        &inside[..],
        b"\",\"body\":\"x\"}",
    ]
    .concat();
    keeps_its_body(serde_json::from_slice(&message), data);
}

fn binary(data: &[u8]) {
    let Ok(len) = u16::try_from(data.len()) else {
        return;
    };
    // `MessagePack`: as text, which may be no UTF-8, and as bytes.
    for kind in [0xda, 0xc5] {
        let head = [&b"\x82\xaecorrelation_id"[..], &[kind], &len.to_be_bytes()].concat();
        let message = [&head, data, b"\xa4body\xa1x"].concat();
        keeps_its_body(rmp_serde::from_slice(&message), data);
    }
    let fields = [
        ("correlation_id", data.to_vec().into()),
        ("body", "x".into()),
    ];
    let fields = fields.map(|(key, value): (&str, ciborium::Value)| (key.into(), value));
    let mut cbor = Vec::new();
    ciborium::into_writer(&ciborium::Value::Map(fields.into()), &mut cbor).unwrap();
    keeps_its_body(ciborium::from_reader(&*cbor), data);
    // As these formats write a text, and `Carried`.
    let raw = (Some(data), None::<()>, None::<()>, "x");
    keeps_its_body(
        postcard::from_bytes(&postcard::to_stdvec(&raw).unwrap()),
        data,
    );
    keeps_its_body(
        bincode::deserialize(&bincode::serialize(&raw).unwrap()),
        data,
    );

    // A valid one arrives.
    let written = sync_scope(id("abc"), || {
        Carried::new(String::from_utf8_lossy(data).into_owned())
    });
    assert_eq!(written.context.id(), &"abc");
    same(
        &written,
        serde_json::from_slice(&serde_json::to_vec(&written).unwrap()),
    );
}
