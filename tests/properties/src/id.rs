use correlation_core::CorrelationId;

use crate::model;

/// Bytes as an ID: taken as they are if they keep the rules, else refused without being repeated.
pub fn id(data: &[u8]) {
    let read = CorrelationId::try_from(data);
    // The parser knows no placeholders: only the policy does.
    let expected = model::is_id(data, 255) || model::is_placeholder(data);
    assert_eq!(read.is_ok(), expected, "{}", data.escape_ascii());
    match &read {
        Ok(id) => {
            let text: &str = id.as_ref();
            assert_eq!(text.as_bytes(), data);
            assert_eq!(text.parse().as_ref(), Ok(id));
            assert_eq!(CorrelationId::try_from(id.to_string()).as_ref(), Ok(id));
            let json = serde_json::to_string(id).unwrap();
            assert_eq!(json, format!("\"{id}\""), "nothing is escaped");
            assert_eq!(serde_json::from_str::<CorrelationId>(&json).unwrap(), *id);
        }
        Err(error) => {
            let error = error.to_string();
            assert!(error.is_ascii() && error.len() < 100, "{error}");
        }
    }
    if let Ok(text) = str::from_utf8(data) {
        assert_eq!(text.parse(), read);
        let json = serde_json::to_string(text).unwrap();
        let told = serde_json::from_str::<CorrelationId>(&json).ok();
        assert_eq!(told, read.ok());
    }
}
