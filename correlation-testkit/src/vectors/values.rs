//! Values of `traceparent`, valid and not.

/// `TRACE` and `PARENT` stand for the IDs of [`context`](super::context).
pub(super) type Rows<R> = &'static [(&'static str, &'static str, &'static [R])];

/// The rule, the section, and pairs of the inbound value and the one that is sent.
pub(super) const VALID: Rows<(&str, &str)> = &[
    (
        "P13",
        "Mutating the traceparent Field",
        &[("00-TRACE-PARENT-01", "00-TRACE-PARENT-01")],
    ),
    (
        "P7",
        "trace-id",
        &[
            (
                "00-00000000000000000000000000000001-PARENT-01",
                "00-00000000000000000000000000000001-PARENT-01",
            ),
            (
                "00-10000000000000000000000000000000-PARENT-01",
                "00-10000000000000000000000000000000-PARENT-01",
            ),
            (
                "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01",
                "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01",
            ),
        ],
    ),
    (
        "P7",
        "parent-id",
        &[
            (
                "00-TRACE-0000000000000001-01",
                "00-TRACE-0000000000000001-01",
            ),
            (
                "00-TRACE-1000000000000000-01",
                "00-TRACE-1000000000000000-01",
            ),
        ],
    ),
    (
        "P6",
        "Versioning of traceparent",
        &[
            ("01-TRACE-PARENT-01", "00-TRACE-PARENT-01"),
            ("cc-TRACE-PARENT-01", "00-TRACE-PARENT-01"),
            ("0f-TRACE-PARENT-02", "00-TRACE-PARENT-02"),
            ("f0-TRACE-PARENT-03", "00-TRACE-PARENT-03"),
            ("fe-TRACE-PARENT-01-", "00-TRACE-PARENT-01"),
            (
                "cc-TRACE-PARENT-01-what-the-future-will-be-like",
                "00-TRACE-PARENT-01",
            ),
            ("01-TRACE-PARENT-01-UPPER, =\t;\u{e9}", "00-TRACE-PARENT-01"),
        ],
    ),
];

/// The rule, the section, and the inbound value.
pub(super) const INVALID: Rows<&str> = &[
    (
        "P3",
        "Versioning of traceparent",
        &[
            "",
            " ",
            "-",
            "---",
            "00",
            "00-",
            "invalid",
            "0-TRACE-PARENT-01",
            "000-TRACE-PARENT-01",
            "-TRACE-PARENT-01",
            "TRACE-PARENT-01",
            "0x-TRACE-PARENT-01",
            ".0-TRACE-PARENT-01",
            "0.-TRACE-PARENT-01",
            "+0-TRACE-PARENT-01",
            "CC-TRACE-PARENT-01",
            "cc.TRACE-PARENT-01",
        ],
    ),
    (
        "P4",
        "version",
        &[
            "ff-TRACE-PARENT-01",
            "ff-TRACE-PARENT-01-x",
            "FF-TRACE-PARENT-01",
        ],
    ),
    (
        "P5",
        "version-format",
        &[
            "00-TRACE-PARENT-01-",
            "00-TRACE-PARENT-01-00",
            "00-TRACE-PARENT-01-what-the-future",
            "00-TRACE-PARENT-01.",
            "00-TRACE-PARENT-011",
            "00-TRACE-PARENT-01 x",
            "-00-TRACE-PARENT-01",
        ],
    ),
    (
        "P6",
        "Versioning of traceparent",
        &[
            "cc-TRACE-PARENT-01.what",
            "01-TRACE-PARENT-011",
            "01-TRACE-PARENT-01 -x",
            "01-TRACE-PARENT-01_x",
            "01-TRACE-PARENT-0",
            "01-TRACE-PARENT",
            "01-00000000000000000000000000000000-PARENT-01",
            "01-TRACE-0000000000000000-01",
            "01-4BF92F3577B34DA6A3CE929D0E0E4736-PARENT-01",
            "01-TRACE-00F067AA0BA902B7-01",
            "01-TRACE-PARENT-0X-x",
        ],
    ),
    (
        "P7",
        "trace-id",
        &[
            "00-00000000000000000000000000000000-PARENT-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473A-PARENT-01",
            "00-.bf92f3577b34da6a3ce929d0e0e4736-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473.-PARENT-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-PARENT-01",
            "00- bf92f3577b34da6a3ce929d0e0e4736-PARENT-01",
            "00-0x92f3577b34da6a3ce929d0e0e47361-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473/-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473:-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473`-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-PARENT-01",
            "00-TRACE6-PARENT-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-PARENT7-01",
            "00--PARENT-01",
            "00_TRACE-PARENT-01",
            "00-TRACE_PARENT-01",
        ],
    ),
    (
        "P7",
        "parent-id",
        &[
            "00-TRACE-0000000000000000-01",
            "00-TRACE-00F067AA0BA902B7-01",
            "00-TRACE-.0f067aa0ba902b7-01",
            "00-TRACE-00f067aa0ba902b.-01",
            "00-TRACE-+0f067aa0ba902b7-01",
            "00-TRACE-0xf067aa0ba902b7-01",
            "00-TRACE-00f067aa0ba902b-01",
            "00-TRACE-PARENT7-01",
            "00-TRACE--01",
            "00-TRACE-PARENT_01",
        ],
    ),
    (
        "P7",
        "trace-flags",
        &[
            "00-TRACE-PARENT-",
            "00-TRACE-PARENT",
            "00-TRACE-PARENT-1",
            "00-TRACE-PARENT-001",
            "00-TRACE-PARENT-0x",
            "00-TRACE-PARENT-+1",
            "00-TRACE-PARENT-.0",
            "00-TRACE-PARENT-0.",
            "00-TRACE-PARENT-0A",
            "00-TRACE-PARENT-FF",
            "00-TRACE-PARENT-0g",
            "00-TRACE-PARENT--1",
        ],
    ),
];
