//! The plain numbers of a CSV file, which are most of its fields, read straight from their bytes.

use super::super::value::Cell;
use super::decimal;

/// So many digits fit a `u64` whatever they are.
const MOST_DIGITS: usize = 19;
/// So many digits are at most 2^53 whatever they are.
const EXACT_DIGITS: usize = 15;
/// The number that so many digits in front of others stand for, one by one.
const TENS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// What [`Cell::of_field`] says of the field `text[from..to]`, for an empty one and for plain numbers such as `-12`, `0.5`,
/// `.5` and `1e-3`; `None` for every other field, and for the few numbers that need more care.
#[inline]
pub(super) fn read(text: &[u8], from: usize, to: usize) -> Option<Cell> {
    simple(text, from, to).or_else(|| general(text.get(from..to)?))
}

/// The most frequent forms, `-12` and `-12.345`, without a branch that depends on the digits: with eight digits at most
/// before the point, and eight bytes of text from the first digit on and before the end, which may belong to others.
#[inline]
fn simple(text: &[u8], from: usize, to: usize) -> Option<Cell> {
    if from == to {
        return Some(Cell::Missing);
    }
    let negative = *text.get(from)? == b'-';
    let from = from + usize::from(negative);
    // The digits as bytes from 0 to 9, the first one lowest.
    let head = u64::from_le_bytes(*text.get(from..)?.first_chunk()?) ^ ZEROS;
    let whole = (not_digits(head).trailing_zeros() / 8) as usize;
    let digits = join(head.checked_shl(64 - 8 * whole as u32).unwrap_or(0));
    let length = to.checked_sub(from)?;
    if whole == length {
        let value = digits as f64;
        return (whole > 0).then_some(Cell::Integer(if negative { -value } else { value }));
    }
    let places = length.checked_sub(whole + 1)?;
    let count = whole + places - usize::from(whole == 1 && digits == 0);
    if text.get(from + whole) != Some(&b'.') || places == 0 || count > MOST_DIGITS {
        return None;
    }
    let (mut digits, mut wrong) = (digits, 0);
    let fraction = text.get(from + whole + 1..to)?;
    let (eights, _) = fraction.as_chunks::<8>();
    for eight in eights {
        let eight = u64::from_le_bytes(*eight) ^ ZEROS;
        wrong |= not_digits(eight);
        digits = digits.wrapping_mul(100_000_000).wrapping_add(join(eight));
    }
    // The digits behind the last eight end where the field ends: what stands in front of them is cleared.
    let rest = places % 8;
    let last = u64::from_le_bytes(*text.get(..to)?.last_chunk()?) ^ ZEROS;
    let last = last & u64::MAX.checked_shl(64 - 8 * rest as u32).unwrap_or(0);
    wrong |= not_digits(last);
    digits = digits.wrapping_mul(TENS[rest]).wrapping_add(join(last));
    if wrong != 0 {
        return None;
    }
    let value = decimal::nearest(digits, count, -(places as i32))?;
    Some(Cell::Float(if negative { -value } else { value }))
}

const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The highest bit of each byte that is more than 9, up to the first one; beyond it bits may be wrong.
#[inline]
fn not_digits(bytes: u64) -> u64 {
    (bytes.wrapping_add(0x7676_7676_7676_7676) | bytes) & 0x8080_8080_8080_8080
}

/// The number that eight digits make, all at once: neighbours are joined to pairs, pairs to fours, fours to eight.
#[inline]
fn join(digits: u64) -> u64 {
    let pairs = (digits.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(1 + (10_000 << 32)) >> 32
}

/// Every plain number, digit by digit.
fn general(field: &[u8]) -> Option<Cell> {
    let (negative, unsigned) = match field {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, field),
    };
    let signed = |value: f64| if negative { -value } else { value };
    let (mut digits, mut rest) = (0, unsigned);
    let mut take = |rest: &mut &[u8]| {
        let before = rest.len();
        while let [byte, after @ ..] = rest
            && byte.is_ascii_digit()
        {
            digits = 10_u64.wrapping_mul(digits).wrapping_add(u64::from(byte - b'0'));
            *rest = after;
        }
        (before - rest.len(), digits)
    };
    let (whole, before_point) = take(&mut rest);
    if rest.is_empty() {
        return (1..=EXACT_DIGITS).contains(&whole).then(|| Cell::Integer(signed(before_point as f64)));
    }
    let (mut places, mut digits) = (0, before_point);
    if let [b'.', fraction @ ..] = rest {
        rest = fraction;
        (places, digits) = take(&mut rest);
    }
    let leading_zero = usize::from(whole == 1 && before_point == 0);
    let count = whole + places;
    if count == 0 || count - leading_zero > MOST_DIGITS {
        return None;
    }
    let exponent = if rest.is_empty() { 0 } else { exponent(rest)? };
    decimal::nearest(digits, count, exponent - places as i32).map(|value| Cell::Float(signed(value)))
}

/// `e-12`, of at most three digits.
fn exponent(text: &[u8]) -> Option<i32> {
    let [b'e' | b'E', signed @ ..] = text else { return None };
    let (negative, digits) = match signed {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, signed),
    };
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, byte| 10 * value + i32::from(byte - b'0'));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Alone, and with others around.
    fn found(text: &str) -> [Option<Cell>; 2] {
        let around = format!("12345678,{text},12345678");
        [read(text.as_bytes(), 0, text.len()), read(around.as_bytes(), 9, 9 + text.len())]
    }

    fn agrees(text: &str) -> bool {
        let expected = Cell::of_field(text);
        let same = |found: Cell| {
            found == expected && (found == Cell::Missing || found.number().to_bits() == expected.number().to_bits())
        };
        found(text).into_iter().flatten().all(same)
    }

    #[test]
    fn plain_numbers_are_read_here() {
        for text in ["", "0", "-0", "007", "-12", "999999999999999", "0.1", "-0.0", ".5", "1.", "1e5", "1.5E-3", "1.e2"]
        {
            assert!(found(text).iter().all(Option::is_some) && agrees(text), "{text}");
        }
        for text in
            ["-0.13826430117118466", "176405234596766.25", "0.9787379841057392", "12345678.12345678", "1234567.8"]
        {
            assert!(found(text).iter().all(Option::is_some) && agrees(text), "{text}");
        }
        for text in [
            "-",
            ".",
            "-.",
            "e5",
            "1e",
            "1e+",
            "1.5x",
            "1.5.2",
            "+1",
            " 1",
            "1 ",
            "1,5",
            "inf",
            "1e1234",
            "1/2",
            ".99999999999999999999",
        ] {
            assert_eq!(found(text), [None, None], "{text}");
        }
        assert_eq!(join(u64::from_le_bytes(*b"12345678") ^ ZEROS), 12_345_678);
        for byte in 0..=u8::MAX {
            let bits = not_digits(u64::from_le_bytes([b'7', byte, b'0', b'0', b'0', b'0', b'0', b'0']) ^ ZEROS);
            assert_eq!(bits.trailing_zeros() == 15, !byte.is_ascii_digit(), "{byte}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

        #[test]
        fn it_says_what_the_slow_way_says(text in "[-+]?[0-9]{0,20}[.]?[0-9]{0,22}([eE][-+]?[0-9]{0,4})?|[-+.0-9eE:x ]{0,12}|-?[0-9]{1,8}[.][0-9]{1,18}") {
            prop_assert!(agrees(&text), "{text}");
        }

        #[test]
        fn what_is_shown_reads_back(value: f64) {
            for text in [format!("{value}"), format!("{value:e}"), format!("{value:.6}"), format!("{value:?}")] {
                prop_assert!(agrees(&text), "{text}");
            }
        }
    }
}
