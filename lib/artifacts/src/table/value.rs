//! What one cell of a text file is: missing, a number, a truth value, a point in time, or text.

use super::timestamp;

/// The texts that stand for a missing value in CSV and TSV files: those of `pandas.read_csv`, and the `?` of the UCI
/// repository. They are compared without the white space around them.
pub const MISSING_MARKERS: [&str; 20] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "?", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// The hint beside an error about a column that lacks values: which texts count as missing.
pub fn missing_hint() -> String {
    let markers = MISSING_MARKERS.iter().filter(|marker| !marker.is_empty());
    let markers = markers.map(|marker| format!("`{marker}`")).collect::<Vec<_>>().join(", ");
    format!("in CSV and TSV an empty field and the texts {markers} count as missing; give such a class another name")
}

/// The largest whole number up to which every whole number has its own `f64`: 2^53.
pub(super) const LARGEST_EXACT: u64 = 1 << 53;

/// What one cell is. Points in time are seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Missing,
    Integer(f64),
    /// A whole number beyond 2^53, as the nearest `f64`; its digits are in its text only.
    Large(f64),
    Float(f64),
    Boolean(bool),
    Timestamp(f64),
    Text,
}

impl Cell {
    /// What a cell of a CSV file is.
    pub(super) fn of_field(text: &str) -> Self {
        let trimmed = text.trim_ascii();
        let Some(&first) = trimmed.as_bytes().first() else { return Self::Missing };
        match first {
            b'0'..=b'9' | b'+' | b'-' | b'.' => Self::number_like(trimmed),
            b't' | b'T' if matches!(trimmed, "true" | "True" | "TRUE") => Self::Boolean(true),
            b'f' | b'F' if matches!(trimmed, "false" | "False" | "FALSE") => Self::Boolean(false),
            b'i' | b'I' => infinity(trimmed).map_or(Self::Text, Self::Float),
            b'#' | b'<' | b'?' | b'N' | b'n' if is_missing(trimmed) => Self::Missing,
            _ => Self::Text,
        }
    }

    /// What a string of a JSON document is: only a point in time can be told from text.
    pub(super) fn of_json_string(text: &str) -> Self {
        timestamp::parse(text).map_or(Self::Text, Self::Timestamp)
    }

    /// The cell as a number; `NaN` when it is missing or text.
    pub(super) fn number(self) -> f64 {
        match self {
            Self::Missing | Self::Text => f64::NAN,
            Self::Boolean(value) => f64::from(u8::from(value)),
            Self::Integer(value) | Self::Large(value) | Self::Float(value) | Self::Timestamp(value) => value,
        }
    }

    fn number_like(text: &str) -> Self {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            // Parsing as `f64` keeps the sign of `-0`, which matters when the column turns out to be one of floats.
            let exact = digits.parse::<u64>().is_ok_and(|value| value <= LARGEST_EXACT);
            return match text.parse::<f64>() {
                Ok(value) if exact => Self::Integer(value),
                Ok(value) => Self::Large(value),
                Err(_) => Self::Text,
            };
        }
        // `f64` also reads words such as `+nan`, which are text here.
        if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && let Ok(value) = text.parse()
        {
            return Self::Float(value);
        }
        if let Some(seconds) = timestamp::parse(text) {
            return Self::Timestamp(seconds);
        }
        if is_missing(text) {
            return Self::Missing;
        }
        if digits.starts_with(['i', 'I']) {
            return infinity(text).map_or(Self::Text, Self::Float);
        }
        Self::Text
    }
}

fn is_missing(text: &str) -> bool {
    MISSING_MARKERS.contains(&text)
}

fn infinity(text: &str) -> Option<f64> {
    let (sign, word) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    (word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity")).then_some(sign * f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_missing() {
        for marker in MISSING_MARKERS {
            assert_eq!(Cell::of_field(marker), Cell::Missing, "{marker}");
            assert_eq!(Cell::of_field(&format!(" {marker}\t")), Cell::Missing, "{marker}");
        }
    }

    #[test]
    fn numbers_are_told_apart() {
        assert_eq!(Cell::of_field("007"), Cell::Integer(7.0));
        assert_eq!(Cell::of_field(" +5 "), Cell::Integer(5.0));
        assert!(Cell::of_field("-0").number().is_sign_negative());
        assert_eq!(Cell::of_field("-9007199254740992"), Cell::Integer(-9_007_199_254_740_992.0));
        for text in ["9007199254740993", "-9007199254740993", "123456789012345678901234567890"] {
            assert_eq!(Cell::of_field(text), Cell::Large(text.parse().unwrap()), "{text}");
        }
        for (text, value) in [("1.", 1.0), (".5", 0.5), ("-1e-3", -1e-3), ("1E5", 1e5), ("-.5", -0.5)] {
            assert_eq!(Cell::of_field(text), Cell::Float(value), "{text}");
        }
        for (text, value) in [("inf", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY), ("+INF", f64::INFINITY)] {
            assert_eq!(Cell::of_field(text), Cell::Float(value), "{text}");
        }
    }

    #[test]
    fn truth_values_and_points_in_time_are_known() {
        assert_eq!(Cell::of_field("TRUE"), Cell::Boolean(true));
        assert_eq!(Cell::of_field("False"), Cell::Boolean(false));
        assert_eq!(Cell::of_field("1970-01-02"), Cell::Timestamp(86_400.0));
        assert_eq!(Cell::of_json_string("1970-01-02"), Cell::Timestamp(86_400.0));
        assert_eq!(Cell::of_json_string("1"), Cell::Text);
    }

    #[test]
    fn everything_else_is_text() {
        for text in
            ["a", "1,5", "1 2", "0x1F", "--1", "1_000", "+nan", "infinite", "tRUE", "-", ".", "1.2.3", "№5", "-x"]
        {
            assert_eq!(Cell::of_field(text), Cell::Text, "{text}");
        }
    }
}
