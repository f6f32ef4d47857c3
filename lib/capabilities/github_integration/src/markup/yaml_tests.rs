//! What is read of YAML, and what is refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Loaded {
    load(text, 10, Lang::En).unwrap_or_else(|flaw| panic!("{flaw:?} in\n{text}"))
}

fn flaw(text: &str) -> Flaw {
    load(text, 10, Lang::En).expect_err(text)
}

#[test]
fn values_are_read_with_their_lines() {
    let text =
        "task: x\nsplit:\n  train: 0.7\n  keys:\n    - a\n    - {b: [1, \"2\"]}\ngates: {accuracy: {min: 0.9}}\n";
    let loaded = read(text);
    assert_eq!(
        loaded.value,
        json!({"task": "x", "split": {"train": 0.7, "keys": ["a", {"b": [1, "2"]}]}, "gates": {"accuracy": {"min": 0.9}}})
    );
    let expected = [
        ("", 10),
        ("task", 10),
        ("split", 11),
        ("split.train", 12),
        ("split.keys[0]", 14),
        ("split.keys[1]", 15),
        ("split.keys[1].b[1]", 15),
        ("gates.accuracy.min", 16),
    ];
    for (path, line) in expected {
        assert_eq!(loaded.lines.of(path), Some(line), "{path}");
    }
    assert_eq!(read("").value, json!(null));
    assert_eq!(read("# nothing\n").value, json!(null));
}

#[test]
fn quotes_styles_and_tags_hold() {
    let loaded = read("a: \"1\"\nb: !!str 2\nc: |\n  two\n  lines\nd: ! 3\ne: !!map {f: !!seq [1]}\n1: one\n");
    assert_eq!(loaded.value, json!({"a": "1", "b": "2", "c": "two\nlines\n", "d": "3", "e": {"f": [1]}, "1": "one"}));
    assert!(flaw("a: !python/object:os.system x").message.contains("tag"));
    assert!(flaw("a: !!python/object x").message.contains("not a !!python/object"));
    assert!(flaw("a: !ruby [1]").message.contains("tag"));
    assert!(flaw("a: !!set {x}").message.contains("tag"));
}

#[test]
fn a_name_given_twice_is_refused_with_both_lines() {
    let flaw = flaw("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n");
    assert_eq!(flaw.line, 14);
    assert_eq!(flaw.message, "`b.c` is given twice, on line 12 and on line 14; keep one of them");
}

#[test]
fn a_few_aliases_are_read_and_a_bomb_is_not() {
    let loaded = read("a: &x {p: 1}\nb: *x\nc: [*x, *x]\nd: &k key\n*k : 5\n");
    assert_eq!(loaded.value["c"], json!([{"p": 1}, {"p": 1}]));
    assert_eq!(loaded.value["key"], json!(5));
    let mut bomb = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        bomb.extend([format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", "))]);
    }
    let started = std::time::Instant::now();
    assert!(flaw(&bomb).message.contains("repeat too much"));
    assert!(started.elapsed().as_secs() < 2);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(9_000), vec!["*a"; 100].join(", "));
    assert!(flaw(&long).message.contains("repeat too much"));
    assert!(flaw("a: &a [*a]").message.contains("inside of what it repeats"));
    assert!(flaw("a: *nobody").message.contains("not valid YAML"));
}

#[test]
fn merge_keys_and_names_that_are_no_text_are_refused() {
    let flaw_of = flaw("a: &x {p: 1}\nb:\n  <<: *x\n");
    assert_eq!((flaw_of.line, flaw_of.message.contains("merge keys")), (12, true));
    assert!(flaw("{a: {b}: c}").line == 10);
    assert!(flaw("? [a, b]\n: c\n").message.contains("a name must be text"));
    assert!(flaw(&format!("{}: 1", "k".repeat(200))).message.contains("128 characters"));
}

#[test]
fn limits_hold() {
    assert!(flaw(&"[".repeat(5_000)).line == 10);
    assert!(flaw(&format!("{}1{}", "[".repeat(17), "]".repeat(17))).message.contains("16 levels"));
    assert!(flaw(&"- ".repeat(5_000)).message.contains("16 levels"));
    assert!(flaw(&"- 1\n".repeat(5_000)).message.contains("2000 values"));
}

#[test]
fn faults_name_their_line_in_plain_words() {
    let tab = flaw("a:\n\tb: 1\n");
    assert_eq!((tab.line, tab.message.contains("tabs")), (11, true));
    let second = flaw("a: 1\n---\nb: 2\n");
    assert_eq!((second.line, second.message.contains("second YAML document")), (11, true));
    assert!(flaw("a: [1, 2\nb: 3\n").message.contains("not valid YAML"));
    assert!(flaw("a: b: c").line == 10);
    assert_eq!(load("a: .nan", 1, Lang::Ja).unwrap_err().message, "`.nan` は有限の数ではありません");
}

#[test]
fn a_yes_is_warned_about_with_its_place() {
    let loaded = read("a:\n  normalize: yes\n  bootstrap: 'yes'\ntarget_column: y\nslices: [on, n]\n");
    assert_eq!(loaded.value["a"], json!({"normalize": "yes", "bootstrap": "yes"}));
    assert_eq!((&loaded.value["target_column"], &loaded.value["slices"]), (&json!("y"), &json!(["on", "n"])));
    assert_eq!(loaded.warnings.len(), 1);
    assert_eq!((loaded.warnings[0].path.as_str(), loaded.warnings[0].line), ("a.normalize", Some(11)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_breaks_the_reader(text in "[-a-c:{}\\[\\],&*!|>?'\"#%@`~<\n\t 0-9.]{0,80}") {
        let _ = load(&text, 1, Lang::En);
    }

    #[test]
    fn what_json_writes_is_read_back(value in json_value()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let loaded = load(&text, 1, Lang::En).unwrap();
        prop_assert_eq!(loaded.value, value);
    }
}

/// Values whose strings need no surrogate pairs, which YAML does not have.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[ -~あ-ん]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::hash_map("[a-z]{1,8}", inner, 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}
