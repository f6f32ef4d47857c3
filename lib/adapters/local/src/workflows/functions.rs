//! The functions that Step Functions adds to those of JSONata.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;
use mlops_core::values::sha256_hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha384, Sha512};

use super::expressions::to_json;

/// The most values that `$range` gives.
const MOST: usize = 100_000;

type Function = fn(&[Value]) -> Result<Value, String>;

const FUNCTIONS: [(&str, Function); 6] = [
    ("hash", hash),
    ("parse", parse),
    ("partition", partition),
    ("random", random),
    ("range", range),
    ("uuid", |_| Ok(Value::String(uuid()))),
];

/// Whether Step Functions adds a function of that name.
pub(crate) fn is_added(name: &str) -> bool {
    FUNCTIONS.iter().any(|(added, _)| *added == name)
}

/// Lets expressions call the functions.
pub(crate) fn register(evaluator: &mut Evaluator) {
    for (name, function) in FUNCTIONS {
        let called = move |arguments: &[JValue]| {
            let failed = |what: &str| EvaluatorError::EvaluationError(format!("${name}: {what}"));
            let arguments = arguments.iter().map(to_json).collect::<Result<Vec<_>, _>>().map_err(failed)?;
            function(&arguments).map(JValue::from).map_err(|what| failed(&what))
        };
        // JSONata has a $random of its own, which takes no seed.
        let registered = evaluator.register_fn_override(name, called);
        debug_assert!(registered.is_ok(), "JSONata has a function {name} that cannot be replaced");
    }
}

fn text<'a>(arguments: &'a [Value], place: usize, what: &str) -> Result<&'a str, String> {
    arguments.get(place).and_then(Value::as_str).ok_or_else(|| format!("{what} must be a text"))
}

/// A whole number; what is not whole is rounded down.
fn whole(arguments: &[Value], place: usize, what: &str) -> Result<i64, String> {
    let number = arguments.get(place).and_then(Value::as_f64);
    number.map(|number| number.floor() as i64).ok_or_else(|| format!("{what} must be a number"))
}

fn parse(arguments: &[Value]) -> Result<Value, String> {
    serde_json::from_str(text(arguments, 0, "what is parsed")?).map_err(|error| error.to_string())
}

fn partition(arguments: &[Value]) -> Result<Value, String> {
    let items = arguments.first().and_then(Value::as_array).ok_or("the first argument must be an array")?;
    let size = usize::try_from(whole(arguments, 1, "the size")?).ok().filter(|size| *size > 0);
    let size = size.ok_or("the size must be at least 1")?;
    Ok(items.chunks(size).map(|chunk| Value::Array(chunk.to_vec())).collect())
}

fn range(arguments: &[Value]) -> Result<Value, String> {
    let [first, last, step] = [(0, "the first value"), (1, "the last value"), (2, "the step")]
        .map(|(place, what)| whole(arguments, place, what));
    let (first, last, step) = (first?, last?, step?);
    if step == 0 {
        return Err("the step must not be 0".to_owned());
    }
    let next = |value: &i64| value.checked_add(step);
    let within = |value: &i64| if step > 0 { *value <= last } else { *value >= last };
    let values: Vec<i64> = std::iter::successors(Some(first), next).take_while(within).take(MOST + 1).collect();
    if values.len() > MOST { Err(format!("there are more than {MOST} values")) } else { Ok(json!(values)) }
}

fn hash(arguments: &[Value]) -> Result<Value, String> {
    let bytes = text(arguments, 0, "what is hashed")?.as_bytes();
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    Ok(Value::String(match text(arguments, 1, "the algorithm")? {
        "SHA-256" => sha256_hex(bytes),
        "SHA-384" => hex(&Sha384::digest(bytes)),
        "SHA-512" => hex(&Sha512::digest(bytes)),
        other => return Err(format!("{other} is not computed here; there are: SHA-256, SHA-384, SHA-512")),
    }))
}

/// A number from 0 to below 1, always the same for a seed.
fn random(arguments: &[Value]) -> Result<Value, String> {
    let bits = if arguments.is_empty() {
        drawn()
    } else {
        let hash = sha256_hex(whole(arguments, 0, "the seed")?.to_string().as_bytes());
        u64::from_str_radix(&hash[..16], 16).map_err(|error| error.to_string())?
    };
    // A double has 53 bits.
    Ok(json!((bits >> 11) as f64 / (1_u64 << 53) as f64))
}

/// A version 4 UUID (RFC 9562, section 5.4).
fn uuid() -> String {
    let bits = (u128::from(drawn()) << 64) | u128::from(drawn());
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// 64 random bits, not for secrets.
fn drawn() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_partitions_are_those_of_the_documentation() {
        assert_eq!(range(&[json!(1), json!(9.9), json!(2)]).unwrap(), json!([1, 3, 5, 7, 9]));
        assert_eq!(range(&[json!(3), json!(1), json!(-1)]).unwrap(), json!([3, 2, 1]));
        assert_eq!(range(&[json!(3), json!(1), json!(1)]).unwrap(), json!([]));
        assert!(range(&[json!(1), json!(2), json!(0)]).is_err());
        assert!(range(&[json!(0), json!(1e18), json!(1)]).is_err());
        assert_eq!(partition(&[json!([1, 2, 3, 4, 5]), json!(2.9)]).unwrap(), json!([[1, 2], [3, 4], [5]]));
        for wrong in [vec![json!([1]), json!(0)], vec![json!(1), json!(1)], vec![json!([1])]] {
            partition(&wrong).unwrap_err();
        }
    }

    #[test]
    fn hashes_are_hexadecimal() {
        let of = |algorithm: &str| hash(&[json!("abc"), json!(algorithm)]);
        let beginning = |algorithm: &str| of(algorithm).unwrap().as_str().unwrap()[..8].to_owned();
        assert_eq!(beginning("SHA-256"), "ba7816bf");
        assert_eq!(beginning("SHA-384"), "cb00753f");
        assert_eq!(beginning("SHA-512"), "ddaf35a1");
        assert!(of("CRC").unwrap_err().contains("SHA-512"));
        hash(&[json!(1), json!("SHA-256")]).unwrap_err();
    }

    #[test]
    fn what_is_random_has_its_form() {
        let unseeded = [random(&[]).unwrap(), random(&[]).unwrap()];
        assert_ne!(unseeded[0], unseeded[1]);
        for number in [random(&[json!(7)]).unwrap(), unseeded[0].clone()] {
            assert!((0.0..1.0).contains(&number.as_f64().unwrap()));
        }
        assert_eq!(random(&[json!(7)]).unwrap(), random(&[json!(7.5)]).unwrap());
        let id = uuid();
        assert_eq!((id.len(), &id[14..15], id.matches('-').count()), (36, "4", 4));
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
}
