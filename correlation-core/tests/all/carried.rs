//! `Carried` in serde formats: what stands in the place of the ID never costs the body.

use std::fmt::Debug;
use std::io::Cursor;

use correlation_core::{Carried, CarriedOrBare, Context, Origin, Policy, sync_scope};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};

use crate::{CID, TRACE, accepted, brought, sent};

fn carried(id: &str, trace: &[(&str, &str)]) -> Carried<String> {
    let headers = [&[(CID, id)], trace].concat();
    let context = accepted(&Policy::new().max_len(255), &headers);
    sync_scope(context, || Carried::new("order 7".to_owned()))
}

fn is_new(context: &Context) -> bool {
    let is_made = context.origin() == Origin::Generated;
    is_made && context.id().as_str().len() == 36 && sent(context).len() == 1
}

type Bytes = Vec<u8>;

fn json<T: DeserializeOwned>(text: &[u8]) -> Vec<(&'static str, T)> {
    let from_str = std::str::from_utf8(text).map(|text| serde_json::from_str(text).unwrap());
    let from_value =
        serde_json::from_slice(text).map(|value| serde_json::from_value(value).unwrap());
    let mut all = vec![
        ("json slice", serde_json::from_slice(text).unwrap()),
        (
            "json reader",
            serde_json::from_reader(Cursor::new(text)).unwrap(),
        ),
    ];
    all.extend(from_str.ok().map(|read| ("json str", read)));
    all.extend(from_value.ok().map(|read| ("json value", read)));
    all
}

fn cbor(value: &impl Serialize) -> Bytes {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn as_text<T: DeserializeOwned>(message_pack: &[u8]) -> T {
    let mut reader = rmp_serde::Deserializer::new(message_pack).with_human_readable();
    T::deserialize(&mut reader).unwrap()
}

/// Through `MessagePack` with and without names, each in both of its readings.
fn message_pack<T: DeserializeOwned>(value: &impl Serialize) -> Vec<(&'static str, T)> {
    let binary = |bytes: &[u8]| rmp_serde::from_slice(bytes).unwrap();
    let mut named_text = Vec::new();
    let writer = rmp_serde::Serializer::new(&mut named_text).with_human_readable();
    value.serialize(&mut writer.with_struct_map()).unwrap();
    let array = rmp_serde::to_vec(value).unwrap();
    let named = rmp_serde::to_vec_named(value).unwrap();
    vec![
        ("rmp array", binary(&array)),
        ("rmp array read as text", as_text(&array)),
        ("rmp named", binary(&named)),
        ("rmp named read as text", as_text(&named)),
        ("rmp text named", as_text(&named_text)),
        ("rmp text named read as binary", binary(&named_text)),
    ]
}

/// `MessagePack` as text and without names. `Carried` leaves out the fields that it does not have.
fn short_arrays<T: DeserializeOwned>(value: &impl Serialize) -> Vec<(&'static str, T)> {
    let mut text = Vec::new();
    let mut writer = rmp_serde::Serializer::new(&mut text).with_human_readable();
    value.serialize(&mut writer).unwrap();
    let binary = rmp_serde::from_slice(&text).unwrap();
    vec![
        ("rmp text array", as_text(&text)),
        ("rmp text array read as binary", binary),
    ]
}

fn round_trips<T: Serialize + DeserializeOwned>(value: &T) -> Vec<(&'static str, T)> {
    let mut all = json(&serde_json::to_vec(value).unwrap());
    all.extend(message_pack(value));
    all.extend(short_arrays(value));
    all.push(("cbor", ciborium::from_reader(&*cbor(value)).unwrap()));
    let postcard = postcard::to_stdvec(value).unwrap();
    all.push(("postcard", postcard::from_bytes(&postcard).unwrap()));
    let bincode = bincode::serialize(value).unwrap();
    all.push(("bincode", bincode::deserialize(&bincode).unwrap()));
    let yaml = serde_norway::to_string(value).unwrap();
    all.push(("yaml", serde_norway::from_str(&yaml).unwrap()));
    let ron = ron::to_string(value).unwrap();
    all.push(("ron", ron::from_str(&ron).unwrap()));
    all
}

proptest! {
    #[test]
    fn every_format_reads_what_it_writes(
        id in "[-A-Za-z0-9_.:+/=#@|~]{1,255}",
        trace in prop_oneof![
            Just(&[][..]),
            Just(&[("traceparent", TRACE)][..]),
            Just(&[("traceparent", TRACE), ("tracestate", r#"a="1\",b=2"#)][..]),
        ],
    ) {
        let value = carried(&id, trace);
        for (format, read) in round_trips(&value) {
            prop_assert_eq!(read.body, "order 7", "{}", format);
            prop_assert_eq!(sent(&read.context), sent(&value.context), "{}", format);
        }
    }

    #[test]
    fn json_in_the_place_of_the_id_never_costs_the_body(
        fields in vec((field(), json_value()), 0..5),
        at in 0_usize..5,
    ) {
        let mut fields: Vec<_> = fields
            .into_iter()
            .map(|(field, value)| format!(r#""{field}":{value}"#))
            .collect();
        fields.insert(at.min(fields.len()), r#""body":"x""#.to_owned());
        let text = format!("{{{}}}", fields.join(" ,\n"));
        for (format, read) in json::<Carried<String>>(text.as_bytes()) {
            prop_assert_eq!(read.body, "x", "{}: {}", format, text);
        }
        for (format, CarriedOrBare(read)) in json::<CarriedOrBare<String>>(text.as_bytes()) {
            prop_assert_eq!(read.body, "x", "{}: {}", format, text);
        }
    }

    #[test]
    fn values_in_the_place_of_the_id_never_cost_the_body(
        mut entries in vec((field().prop_map(Value::from), value()), 0..5),
        at in 0_usize..5,
    ) {
        entries.insert(at.min(entries.len()), (Value::from("body"), Value::from("x")));
        let map = Value::Map(entries);
        let read: Carried<String> = ciborium::from_reader(&*cbor(&map)).unwrap();
        prop_assert_eq!(read.body, "x");
        for (format, read) in message_pack::<Carried<String>>(&map) {
            prop_assert_eq!(read.body, "x", "{}", format);
        }
        // It does not write a tag in a tag.
        if let Ok(yaml) = serde_norway::to_string(&map) {
            let read: Carried<String> = serde_norway::from_str(&yaml).unwrap();
            prop_assert_eq!(read.body, "x", "{}", yaml);
        }
    }

    #[test]
    fn bytes_in_the_place_of_the_id_never_cost_the_body(id in vec(any::<u8>(), 0..300)) {
        // As those formats write a text, and `Carried`, but with any bytes.
        let raw = (Some(&*id), None::<()>, None::<()>, "x");
        let postcard = postcard::to_stdvec(&raw).unwrap();
        let read: Carried<String> = postcard::from_bytes(&postcard).unwrap();
        prop_assert_eq!(read.body, "x");
        let bincode = bincode::serialize(&raw).unwrap();
        let read: Carried<String> = bincode::deserialize(&bincode).unwrap();
        prop_assert_eq!(read.body, "x");
    }

    #[test]
    fn no_input_panics(bytes in vec(any::<u8>(), 0..200)) {
        let _ = serde_json::from_slice::<Carried<String>>(&bytes);
        let _ = serde_json::from_slice::<CarriedOrBare<String>>(&bytes);
        let _ = postcard::from_bytes::<Carried<String>>(&bytes);
        let _ = rmp_serde::from_slice::<Carried<String>>(&bytes);
        let _ = ciborium::from_reader::<CarriedOrBare<String>, _>(&*bytes);
    }
}

fn field() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("correlation_id"),
        Just("traceparent"),
        Just("tracestate"),
        Just("more")
    ]
}

/// JSON by its grammar (RFC 8259), which allows more than a parser has a type for.
fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,60})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,12})?",
        r#""([a-z \-]|\\u[0-9a-fA-F]{4}|\\[bfnrt/"]|é|😀){0,20}""#,
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec(inner, 0..4).prop_map(|items| {
                let entries = items.iter().map(|item| format!(r#""k":{item}"#));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// What serde's formats can hold.
#[derive(Clone, Debug)]
enum Value {
    Unit,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Some(Box<Self>),
    Variant(Box<Self>),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            // As most writers do, which take the smallest type.
            Self::Int(value) => match i64::try_from(*value) {
                Ok(value) => serializer.serialize_i64(value),
                Err(_) => serializer.serialize_i128(*value),
            },
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Bytes(value) if serializer.is_human_readable() => value.serialize(serializer),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items
                    .iter()
                    .try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries
                    .iter()
                    .try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
            Self::Some(value) => serializer.serialize_some(value),
            Self::Variant(value) => {
                serializer.serialize_newtype_variant("Own", 0, "Variant", value)
            }
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|value| Value::Int(value.into())),
        any::<i128>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
        vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            vec(
                (
                    any::<u8>().prop_map(|key| Value::Int(key.into())),
                    inner.clone()
                ),
                0..4
            )
            .prop_map(Value::Map),
            inner.clone().prop_map(|value| Value::Some(value.into())),
            inner.prop_map(|value| Value::Variant(value.into())),
        ]
    })
}

#[test]
fn what_is_json_but_no_text_is_no_id() {
    let long = "9".repeat(400);
    for value in [
        r#""\ud800""#,
        r#""\udc00\ud800 \u0000""#,
        "1e999",
        "-1e99999999999999",
        "18446744073709551616",
        &long,
        "[[[[1e999]]]]",
        r#"{"\ud800":["\udfff"]}"#,
        r#"{"$serde_json::private::RawValue":"no JSON"}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
    ] {
        let text = format!(r#"{{"correlation_id":{value},"traceparent":{value},"body":"x"}}"#);
        for (format, read) in json::<Carried<String>>(text.as_bytes()) {
            assert_eq!(read.body, "x", "{format}: {text}");
            assert!(is_new(&read.context), "{format}: {text}");
        }
    }
    // What json.dumps of Python writes for text that was no UTF-8 is the first; this is without it.
    let text = b"{\"correlation_id\":\"caf\xe9\",\"body\":\"x\"}";
    for (format, read) in json::<Carried<String>>(text) {
        assert_eq!(read.body, "x", "{format}");
        assert!(is_new(&read.context), "{format}");
    }
    // What is no JSON at all fails, and nothing inside of a string is taken for a field.
    let forged = r#"{"correlation_id":"\ud800\q:\"x\",\"body\":\"forged\"}","body":"x"}"#;
    assert!(serde_json::from_str::<Carried<String>>(forged).is_err());
}

#[test]
fn escapes_are_read() {
    let text = r#"{"body":"x","correlation_id":"a\/b\u002dc","tracestate":"\u0061=\"1\"",
        "traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\u0031"}"#;
    for (format, read) in json::<Carried<String>>(text.as_bytes()) {
        let expected = [
            ("x-correlation-id", "a/b-c"),
            ("traceparent", TRACE),
            ("tracestate", r#"a="1""#),
        ];
        assert_eq!(
            sent(&read.context),
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())),
            "{format}"
        );
    }
}

/// As with headers: differing IDs are none, and two `traceparent` are, too.
#[test]
fn a_field_that_comes_twice_is_believed_if_it_says_the_same() {
    let id = |fields: &str| {
        let text = format!(r#"{{{fields},"body":"x"}}"#);
        let read = json::<Carried<String>>(text.as_bytes()).swap_remove(0).1;
        (read.context.id().to_string(), sent(&read.context).len())
    };
    let same = r#""correlation_id":"a","correlation_id":" a""#;
    assert_eq!(id(same), ("a".to_owned(), 1));
    for differing in [
        r#""correlation_id":"a","correlation_id":"b""#,
        r#""correlation_id":"a","correlation_id":1"#,
        &format!(r#""traceparent":"{TRACE}","traceparent":"{TRACE}""#),
    ] {
        let (id, sent) = id(differing);
        assert_eq!((id.len(), sent), (36, 1), "{differing}");
    }
    let body = r#"{"correlation_id":"a","body":"x","body":"y"}"#;
    assert!(serde_json::from_str::<Carried<String>>(body).is_err());
    assert!(serde_json::from_str::<Carried<String>>(r#"{"correlation_id":"a"}"#).is_err());
}

#[test]
fn tags_and_bignums_are_no_ids() {
    for value in [
        "!tag x",
        "!tag [1]",
        "340282366920938463463374607431768211456",
        ".inf",
    ] {
        let text = format!("correlation_id: {value}\ntraceparent: {value}\nbody: x\n");
        let read: Carried<String> = serde_norway::from_str(&text).expect(value);
        assert_eq!(read.body, "x", "{value}");
        assert!(is_new(&read.context), "{value}");
    }
    use ciborium::Value as Cbor;
    for value in [
        Cbor::Tag(37, Box::new(Cbor::Bytes(vec![0; 16]))),
        Cbor::Tag(2, Box::new(Cbor::Bytes(vec![255; 9]))),
        Cbor::Tag(2, Box::new(Cbor::Bytes(vec![255; 40]))),
        Cbor::Tag(32, Box::new(Cbor::Text("https://example.com".to_owned()))),
        Cbor::Float(f64::NAN),
    ] {
        let map = Cbor::Map(vec![
            (Cbor::Integer(1.into()), Cbor::Null),
            (Cbor::Text("correlation_id".to_owned()), value.clone()),
            (Cbor::Text("body".to_owned()), Cbor::Text("x".to_owned())),
        ]);
        let read: Carried<String> = ciborium::from_reader(&*cbor(&map)).expect("read");
        assert_eq!(read.body, "x", "{value:?}");
        assert!(is_new(&read.context), "{value:?}");
    }
    // An extension type of MessagePack, and text that is no UTF-8.
    for id in [
        &b"\xd6\x01\x00\x00\x00\x00"[..],
        b"\xa2\xff\xfe",
        b"\xc4\x01\xff",
    ] {
        let mut bytes = b"\x82\xaecorrelation_id".to_vec();
        bytes.extend(id);
        bytes.extend(b"\xa4body\xa1x");
        let read: Carried<String> = rmp_serde::from_slice(&bytes).expect("read");
        assert_eq!(read.body, "x", "{id:?}");
        assert!(is_new(&read.context), "{id:?}");
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Order {
    #[serde(default)]
    item: u32,
    #[serde(default)]
    correlation_id: Option<String>,
}

#[test]
fn a_reader_takes_what_an_older_version_has_queued() {
    fn check<T>(body: &T)
    where
        T: Clone + Debug + DeserializeOwned + PartialEq + Serialize,
    {
        let carried = sync_scope(carried("click-1", &[]).context.clone(), || {
            Carried::new(body.clone())
        });
        for (format, CarriedOrBare(read)) in self_describing::<CarriedOrBare<T>>(&carried) {
            assert_eq!(&read.body, body, "{format}");
            assert_eq!(read.context.id(), &"click-1", "{format}");
        }
        let bare = self_describing::<CarriedOrBare<T>>(body).into_iter();
        for (format, CarriedOrBare(read)) in bare.chain(short_arrays(body)) {
            assert_eq!(&read.body, body, "{format}");
            assert!(is_new(&read.context), "{format}");
        }
    }
    check(&"order 6".to_owned());
    check(&7_u64);
    check(&vec!["order 6".to_owned(), "order 7".to_owned()]);
    check(&(1_u8, "two".to_owned(), Some(3.5)));
    check(&Order {
        item: 6,
        correlation_id: Some("of the order".to_owned()),
    });
}

fn self_describing<T: DeserializeOwned>(value: &impl Serialize) -> Vec<(&'static str, T)> {
    let mut all = json(&serde_json::to_vec(value).unwrap());
    all.extend(message_pack(value));
    all.push(("cbor", ciborium::from_reader(&*cbor(value)).unwrap()));
    let yaml = serde_norway::to_string(value).unwrap();
    all.push(("yaml", serde_norway::from_str(&yaml).unwrap()));
    all
}

/// In JSON `Carried` is never an array, so each array is a body.
#[test]
fn every_array_of_json_is_a_bare_body() {
    use serde_json::Value as Json;

    for (format, CarriedOrBare(read)) in json::<CarriedOrBare<Vec<Vec<u32>>>>(b"[[],[],[],[],[7]]")
    {
        assert_eq!(
            read.body,
            [vec![], vec![], vec![], vec![], vec![7]],
            "{format}"
        );
        assert!(is_new(&read.context), "{format}");
    }
    for text in [
        r#"["victim-id","x","y","z"]"#,
        r#"["victim-id",null,null,"z"]"#,
        &format!(r#" ["victim-id","{TRACE}","a=1",[]]"#),
        r#"["victim-id","z"]"#,
        "[]",
    ] {
        let whole: Json = serde_json::from_str(text).unwrap();
        for (format, CarriedOrBare(read)) in json::<CarriedOrBare<Json>>(text.as_bytes()) {
            assert_eq!(read.body, whole, "{format}");
            assert!(is_new(&read.context), "{format}: {text}");
        }
    }
    // `Carried` itself still reads one.
    let (_, read) = json::<Carried<Json>>(br#"["a",null,null,[1]]"#).swap_remove(0);
    assert_eq!((read.context.id().as_str(), read.body), ("a", [1].into()));
}

/// Where it may be an array, it is one of four elements.
#[test]
fn an_array_that_carried_does_not_write_is_a_bare_body() {
    use serde_json::{Value as Json, json};

    let bare = |array: Json| {
        for (format, CarriedOrBare(read)) in self_describing::<CarriedOrBare<Json>>(&array) {
            assert_eq!(read.body, array, "{format}");
            assert!(is_new(&read.context), "{format}: {array}");
        }
    };
    for array in [
        json!([[1, 2], []]),
        json!([]),
        json!(["victim-id"]),
        json!(["victim-id", "x"]),
        json!(["victim-id", null, null]),
        json!(["victim-id", "x", "y", "z"]),
        json!(["victim-id", null, null, "x", "y"]),
        json!(["victim-id", null, "a=1", "x"]),
        json!(["victim-id", TRACE, 1, "x"]),
        json!(["victim-id", [], null, "x"]),
        json!(["not an ID", null, null, "x"]),
        json!([null, null, null, "x"]),
        json!([7, null, null, "x"]),
    ] {
        bare(array);
    }
    let binary = rmp_serde::to_vec(&[vec![1, 2], vec![]]).unwrap();
    let CarriedOrBare(read) =
        rmp_serde::from_slice::<CarriedOrBare<Vec<Vec<u8>>>>(&binary).unwrap();
    assert_eq!(read.body, [vec![1, 2], vec![]]);
    assert!(is_new(&read.context));
}

#[test]
fn an_array_that_carried_writes_is_read_with_its_context() {
    for trace in [
        &[][..],
        &[("traceparent", TRACE)],
        &[("traceparent", TRACE), ("tracestate", "a=1")],
    ] {
        let value = carried("click-1", trace);
        let array = rmp_serde::to_vec(&value).unwrap();
        let CarriedOrBare(read) = rmp_serde::from_slice::<CarriedOrBare<String>>(&array).unwrap();
        assert_eq!(read.body, "order 7");
        assert_eq!(sent(&read.context), sent(&value.context));
        assert_eq!(sent(&read.context).len(), 1 + trace.len());
    }
}

/// `serde_json` limits the depth of one value, and each of these is a value of its own.
#[test]
fn values_in_each_other_end_somewhere() {
    #[derive(Deserialize)]
    struct Node {
        children: Vec<CarriedOrBare<Self>>,
    }

    fn depth(CarriedOrBare(node): CarriedOrBare<Node>) -> usize {
        node.body
            .children
            .into_iter()
            .next()
            .map_or(0, |child| 1 + depth(child))
    }

    let read = |levels: usize| {
        let (open, close) = (r#"{"children":["#, "]}");
        let text = [
            open.repeat(levels),
            open.to_owned() + close,
            close.repeat(levels),
        ]
        .concat();
        serde_json::from_str(&text).map(depth)
    };
    for _ in 0..2 {
        assert_eq!(read(8).unwrap(), 8);
        for levels in [9, 100, 5_000] {
            let error = read(levels).unwrap_err().to_string();
            assert!(
                error.contains("recursion limit exceeded"),
                "{levels}: {error}"
            );
        }
    }
    // Side by side there may be any number.
    let leaf = r#"{"children":[]}"#;
    let text = format!(r#"{{"children":[{}]}}"#, [leaf; 100].join(","));
    let CarriedOrBare(node) = serde_json::from_str::<CarriedOrBare<Node>>(&text).unwrap();
    assert_eq!(node.body.children.len(), 100);
}

/// Even where every field has a default, so that anything reads as a bare body.
#[test]
fn a_carried_value_with_a_bad_body_is_no_bare_one() {
    let bad = r#"{"correlation_id":"a","correlation_id":"b","body":{"item":"none"}}"#;
    assert!(serde_json::from_str::<CarriedOrBare<Order>>(bad).is_err());
    assert!(
        serde_norway::from_str::<CarriedOrBare<Order>>("{correlation_id: a, body: 7}").is_err()
    );
}

/// Some types have read the value before it is our turn.
#[test]
fn inside_of_an_untagged_type() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Job {
        Carried(Carried<u32>),
        CarriedOrBare(CarriedOrBare<String>),
        Array(CarriedOrBare<(String, (), (), String)>),
    }
    let read = |text| match serde_json::from_str(text).unwrap() {
        Job::Carried(job) => job.context.id().to_string(),
        Job::CarriedOrBare(CarriedOrBare(job)) => job.body,
        Job::Array(CarriedOrBare(job)) => format!("{} of an array", job.body.3),
    };
    assert_eq!(read(r#"{"correlation_id":"a","body":7}"#), "a");
    assert_eq!(read(r#"{"correlation_id":"a","body":"x"}"#), "x");
    assert_eq!(read(r#""bare""#), "bare");
    assert_eq!(read(r#"{"correlation_id":[1e3],"body":"x"}"#), "x");
    assert_eq!(read(r#"["a",null,null,"x"]"#), "x of an array");
}

#[test]
fn what_is_no_id_says_what_it_should_be() {
    let error = |json| {
        serde_json::from_str::<correlation_core::CorrelationId>(json)
            .unwrap_err()
            .to_string()
    };
    let body = serde_json::from_str::<Carried<String>>("7")
        .unwrap_err()
        .to_string();
    assert!(
        body.contains("expected a body with a correlation ID"),
        "{body}"
    );
    let wanted = "invalid type: integer `7`, expected a correlation ID";
    assert!(error("7").starts_with(wanted), "{}", error("7"));
    assert!(
        error(r#""a b""#).starts_with("byte 0x20 at position 1"),
        "{}",
        error(r#""a b""#)
    );
}

/// A number beside an ID says something else, as two IDs do. Nothing says nothing.
#[test]
fn a_field_that_comes_twice_has_to_agree_whatever_its_type() {
    use ciborium::Value as Cbor;

    let read = |first: Cbor| {
        let key = || Cbor::Text("correlation_id".to_owned());
        let map = Cbor::Map(vec![
            (key(), first),
            (key(), Cbor::Text("a".to_owned())),
            (Cbor::Text("body".to_owned()), Cbor::Text("x".to_owned())),
        ]);
        let read: Carried<String> = ciborium::from_reader(&*cbor(&map)).expect("read");
        brought(&read.context)
    };
    for other in [
        Cbor::Bool(true),
        Cbor::Integer(7.into()),
        Cbor::Integer((-7).into()),
        Cbor::Integer(u64::MAX.into()),
        Cbor::Integer((-1 - i128::from(u64::MAX)).try_into().unwrap()),
        Cbor::Tag(2, Box::new(Cbor::Bytes(vec![255; 16]))),
        Cbor::Float(1.5),
    ] {
        assert_eq!(read(other.clone()), None, "{other:?}");
    }
    assert_eq!(read(Cbor::Text("a".to_owned())).unwrap(), "a");
    assert_eq!(read(Cbor::Null).unwrap(), "a");
}
