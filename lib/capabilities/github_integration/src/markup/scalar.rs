//! What a YAML scalar is, by the core schema of YAML 1.2.

use mlops_core::Lang;
use serde_json::{Number, Value};

use super::Flaw;

/// A scalar and what should be said of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar {
    pub(super) value: Value,
    pub(super) warning: Option<String>,
}

/// The value of a plain scalar without a tag.
pub(super) fn plain(text: &str, line: u32, lang: Lang) -> Result<Scalar, Flaw> {
    let certain = |value| Ok(Scalar { value, warning: None });
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return certain(Value::Null),
        "true" | "True" | "TRUE" => return certain(Value::Bool(true)),
        "false" | "False" | "FALSE" => return certain(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(not_finite(text, line, lang));
    }
    if let Some(number) = number(text).map_err(|TooLarge| not_finite(text, line, lang))? {
        return certain(Value::Number(number));
    }
    let truth = match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" => Some("true"),
        "no" | "off" | "n" => Some("false"),
        _ => None,
    };
    let warning = truth.map(|truth| {
        say!(
            lang,
            "`{text}` is text in YAML 1.2; write {truth} for a yes or no",
            "YAML 1.2 では `{text}` は文字列です。真偽値は {truth} と書いてください"
        )
    });
    Ok(Scalar { value: Value::from(text), warning })
}

/// The value of a scalar with a tag of the core schema, as `!!str`.
pub(super) fn tagged(tag: &str, text: &str, line: u32, lang: Lang) -> Result<Value, Flaw> {
    if tag == "str" {
        return Ok(Value::from(text));
    }
    let value = plain(text, line, lang)?.value;
    let fits = match tag {
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        _ => false,
    };
    if fits {
        return Ok(value);
    }
    Err(Flaw::new(line, say!(lang, "`{text}` is not a !!{tag}", "`{text}` は !!{tag} ではありません")))
}

fn not_finite(text: &str, line: u32, lang: Lang) -> Flaw {
    Flaw::new(line, say!(lang, "`{text}` is not a finite number", "`{text}` は有限の数ではありません"))
}

/// A number that cannot be held.
struct TooLarge;

/// The number that the text is; `None` when it is none.
fn number(text: &str) -> Result<Option<Number>, TooLarge> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return u64::from_str_radix(digits, radix).map(|number| Some(Number::from(number))).map_err(|_| TooLarge);
        }
    }
    if !is_decimal(text) {
        return Ok(None);
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(Some(Number::from(integer)));
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Ok(Some(Number::from(integer)));
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).map(Some).ok_or(TooLarge)
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.len() - text.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = digits(rest);
    rest = &rest[whole..];
    if let Some(behind) = rest.strip_prefix('.') {
        let fraction = digits(behind);
        if whole + fraction == 0 {
            return false;
        }
        rest = &behind[fraction..];
    } else if whole == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        plain(text, 1, Lang::En).unwrap().value
    }

    #[test]
    fn scalars_are_those_of_the_core_schema() {
        let cases = [
            ("12", json!(12)),
            ("-7", json!(-7)),
            ("+3", json!(3)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("1e3", json!(1000.0)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("123456789012345678901234", json!(123_456_789_012_345_678_901_234.0)),
            ("True", json!(true)),
            ("~", json!(null)),
            ("1_000", json!("1_000")),
            ("1e", json!("1e")),
            (".", json!(".")),
            ("-", json!("-")),
            ("0x", json!("0x")),
            ("1.2.3", json!("1.2.3")),
            ("2024-01-01", json!("2024-01-01")),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_yes_stays_text_with_a_warning() {
        let yes = plain("Yes", 1, Lang::En).unwrap();
        assert_eq!(yes.value, json!("Yes"));
        assert!(yes.warning.unwrap().contains("write true"));
        assert!(plain("off", 1, Lang::Ja).unwrap().warning.unwrap().contains("false"));
        assert_eq!(plain("maybe", 1, Lang::En).unwrap().warning, None);
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        for text in [".inf", "-.Inf", ".nan", "1e999"] {
            assert!(plain(text, 4, Lang::En).unwrap_err().message.contains("finite"), "{text}");
        }
        assert!(plain("0xFFFFFFFFFFFFFFFFFF", 4, Lang::En).is_err());
    }

    #[test]
    fn a_tag_says_what_a_scalar_is() {
        let tagged = |tag, text| tagged(tag, text, 1, Lang::En);
        assert_eq!(tagged("str", "5"), Ok(json!("5")));
        assert_eq!(tagged("int", "5"), Ok(json!(5)));
        assert_eq!(tagged("float", "5"), Ok(json!(5)));
        assert!(tagged("int", "5.5").is_err());
        assert!(tagged("python/object", "os.system").is_err());
    }
}
