//! Numbers as the page shows them.

use std::fmt::Write;

use super::{DAY, YEAR};

pub(super) fn line(table: &mut String, cells: &[&str]) {
    let _ = writeln!(table, "| {} |", cells.join(" | "));
}

pub(super) fn number(value: f64) -> String {
    if (0.1..1000.0).contains(&value) {
        return format!("{value:.1}");
    }
    let text = format!("{value:.1e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let raised = exponent.chars().map(|letter| match letter.to_digit(10) {
        Some(digit) => RAISED[digit as usize],
        None => '⁻',
    });
    // Blanks at which no line is broken.
    format!("{digits}\u{a0}·\u{a0}10{}", raised.collect::<String>())
}

pub(super) fn duration(seconds: f64) -> String {
    for (unit, name) in [
        (YEAR, "years"),
        (DAY, "days"),
        (3600.0, "hours"),
        (60.0, "minutes"),
        (1.0, "seconds"),
    ] {
        if seconds >= 2.0 * unit {
            return format!("{} {name}", grouped(round(seconds / unit)));
        }
    }
    format!("{} milliseconds", grouped(round(seconds * 1000.0)))
}

/// To two digits.
fn round(value: f64) -> f64 {
    let unit = 10_f64.powf(value.log10().floor() - 1.0);
    if unit < 1.0 {
        value.round()
    } else {
        (value / unit).round() * unit
    }
}

pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
