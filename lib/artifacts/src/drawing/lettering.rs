//! How wide text is, and how it is cut where there is no room for it.

/// The width of a text in pixels at that font size: close enough for a layout in Ubuntu and in Noto Sans.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The text, or its beginning with an ellipsis where it is wider than `room` pixels.
pub fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut left = room / size - advance('…');
    let mut cut = String::new();
    for character in text.chars() {
        left -= advance(character);
        if left < 0.0 {
            break;
        }
        cut.push(character);
    }
    format!("{}…", cut.trim_end())
}

/// The text, or its beginning and its end with an ellipsis between where it is wider than `room` pixels: names that begin
/// alike stay apart.
pub fn fit_middle(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let mut left = room / size - advance('…');
    let (mut head, mut tail) = (0, 0);
    while head + tail < characters.len() {
        // Three characters of the beginning to two of the end.
        let from_end = tail * 3 < head * 2;
        let next = if from_end { characters[characters.len() - 1 - tail] } else { characters[head] };
        left -= advance(next);
        if left < 0.0 {
            break;
        }
        if from_end { tail += 1 } else { head += 1 }
    }
    let (head, tail) = (characters[..head].iter(), characters[characters.len() - tail..].iter());
    format!("{}…{}", head.collect::<String>().trim_end(), tail.collect::<String>().trim_start())
}

/// The advance of a character as a share of the font size.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.27,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' | ' ' | '"' => 0.38,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.88,
        'A'..='Z' => 0.68,
        _ if (character as u32) < 0x2e80 => 0.57,
        _ => 1.0,
    }
}

/// A number as a plot and a page show it: `decimals` decimals, a point, thousands in groups, and a true minus sign.
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let nothing = text.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if value < 0.0 && !nothing { "−" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

/// A number with `digits` significant digits; a very large or very small one in powers of ten.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return "–".to_owned();
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-4..9).contains(&exponent) {
        let text = format!("{value:.*e}", digits.saturating_sub(1));
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa =
            if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        return format!("{mantissa} × 10^{power}").replace('-', "−");
    }
    decimal(value, (digits as i32 - 1 - exponent).max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_too_wide_is_cut() {
        assert_eq!(fit("short", 12.0, 100.0), "short");
        let cut = fit("a label that goes on and on", 12.0, 60.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0) <= 60.0, "{cut}");
        assert!(width("日本語", 10.0) > width("abc", 10.0));
        assert_eq!(fit("abc", 12.0, 0.0), "…");
        let cut = fit_middle("a long name of a class 17", 12.0, 80.0);
        assert!(cut.starts_with("a lo") && cut.ends_with(" 17") && width(&cut, 12.0) <= 80.0, "{cut}");
        assert_eq!((fit_middle("abc", 12.0, 0.0).as_str(), fit_middle("abc", 12.0, 90.0).as_str()), ("…", "abc"));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(decimal(-1234.5, 1), "−1,234.5");
        assert_eq!(decimal(-0.0001, 2), "0.00");
        assert_eq!(decimal(999.0, 0), "999");
        assert_eq!(significant(1_234_567.0, 3), "1,234,567");
        assert_eq!(significant(0.012_345, 3), "0.0123");
        assert_eq!(significant(0.0, 3), "0");
        assert_eq!(significant(1.5e12, 3), "1.5 × 10^12");
        assert_eq!(significant(-2e-9, 3), "−2 × 10^−9");
        assert_eq!(significant(f64::NAN, 3), "–");
    }
}
