//! What is asked of a line.

use formatters::Form;

use crate::ID;
use crate::json::Object;

/// Every line that is not blank has the ID, once, where it belongs.
pub(crate) fn assert_tagged(form: Form, printed: &str) {
    assert_fields(form, printed, &[("correlation_id", ID)]);
}

/// Every line that is not blank has these fields, in this order, each once, where they belong.
pub(crate) fn assert_fields(form: Form, printed: &str, fields: &[(&str, &str)]) {
    let lines: Vec<_> = printed
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert!(!lines.is_empty(), "nothing was printed");
    for line in lines {
        let written: Vec<_> = fields
            .iter()
            .map(|(key, value)| match form {
                Form::Json => format!("\"{key}\":\"{value}\","),
                Form::Text => format!(" {key}={value}"),
            })
            .collect();
        match form {
            Form::Json => {
                assert!(
                    line.starts_with(&format!("{{{}", written.concat())),
                    "{line}"
                );
                Object::read(line);
            }
            Form::Text => assert!(line.ends_with(&written.concat()), "{line}"),
        }
        for (field, (_, value)) in written.iter().zip(fields) {
            assert_eq!(line.matches(field).count(), 1, "{line}");
            assert_eq!(line.matches(value).count(), 1, "{line}");
        }
    }
}

/// No line has an ID, and there are lines.
pub(crate) fn assert_untagged(form: Form, printed: &str) {
    assert!(!printed.trim().is_empty(), "nothing was printed");
    assert!(!printed.contains("correlation_id"), "{printed}");
    assert!(!printed.contains(ID), "{printed}");
    if form == Form::Json {
        for line in printed.lines() {
            Object::read(line);
        }
    }
}
