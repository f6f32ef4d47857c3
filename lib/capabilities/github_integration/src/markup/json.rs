//! Reads JSON into a value, with the line of each part. A name that is given twice is refused.

use mlops_core::Lang;
use serde_json::{Map, Value};

use super::lines::member;
use super::{DEEPEST, Flaw, LARGEST_REQUEST, LONGEST_KEY, Lines, Loaded, duplicate, key_too_long, too_deep, too_many};

/// Reads one JSON value. `first_line` is the line of the body on which the text begins.
pub(super) fn load(text: &str, first_line: u32, lang: Lang) -> Result<Loaded, Flaw> {
    let mut reader = Reader { text, at: 0, line: first_line, values: 0, lines: Lines::default(), lang };
    reader.skip_space();
    let value = reader.value("", 0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.unexpected(lang.pick("the end", "終わり")));
    }
    // A request begins where its text does.
    reader.lines.set("", first_line);
    Ok(Loaded { value, lines: reader.lines, warnings: Vec::new() })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    values: usize,
    lines: Lines,
    lang: Lang,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.line += rest[..length].matches('\n').count() as u32;
        self.at += length;
    }

    /// Steps over the character when it comes next, and over the space behind it.
    fn take(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        if found {
            self.at += character.len_utf8();
            self.skip_space();
        }
        found
    }

    fn unexpected(&self, expected: &str) -> Flaw {
        let lang = self.lang;
        let found = match self.peek() {
            None => lang.pick("the end of the text", "文末").to_owned(),
            Some(character) => format!("`{}`", character.escape_debug()),
        };
        Flaw::new(
            self.line,
            say!(
                lang,
                "this is not valid JSON: expected {expected}, found {found}",
                "JSON として読み取れません: {expected} が必要ですが、{found} があります"
            ),
        )
    }

    fn value(&mut self, path: &str, depth: usize) -> Result<Value, Flaw> {
        self.values += 1;
        if self.values > LARGEST_REQUEST {
            return Err(too_many(self.line, self.lang));
        }
        if depth > DEEPEST {
            return Err(too_deep(self.line, self.lang));
        }
        self.lines.0.entry(path.to_owned()).or_insert(self.line);
        match self.peek() {
            Some('{') => self.object(path, depth),
            Some('[') => self.array(path, depth),
            Some('"') => self.string().map(Value::String),
            _ => self.word(),
        }
    }

    fn object(&mut self, path: &str, depth: usize) -> Result<Value, Flaw> {
        let mut entries = Map::new();
        self.take('{');
        if self.take('}') {
            return Ok(Value::Object(entries));
        }
        loop {
            let line = self.line;
            if self.peek() != Some('"') {
                return Err(self.unexpected(self.lang.pick("a name in quotes", "引用符で囲んだ項目名")));
            }
            let key = self.string()?;
            if key.chars().count() > LONGEST_KEY {
                return Err(key_too_long(line, self.lang));
            }
            let at = member(path, &key);
            if entries.contains_key(&key) {
                return Err(duplicate(&at, self.lines.0.get(&at).copied(), line, self.lang));
            }
            self.lines.set(at.clone(), line);
            self.skip_space();
            if !self.take(':') {
                return Err(self.unexpected("`:`"));
            }
            let value = self.value(&at, depth + 1)?;
            entries.insert(key, value);
            self.skip_space();
            if self.take('}') {
                return Ok(Value::Object(entries));
            }
            if !self.take(',') {
                return Err(self.unexpected(self.lang.pick("`,` or `}`", "`,` または `}`")));
            }
        }
    }

    fn array(&mut self, path: &str, depth: usize) -> Result<Value, Flaw> {
        let mut items = Vec::new();
        self.take('[');
        if self.take(']') {
            return Ok(Value::Array(items));
        }
        loop {
            let value = self.value(&format!("{path}[{}]", items.len()), depth + 1)?;
            items.push(value);
            self.skip_space();
            if self.take(']') {
                return Ok(Value::Array(items));
            }
            if !self.take(',') {
                return Err(self.unexpected(self.lang.pick("`,` or `]`", "`,` または `]`")));
            }
        }
    }

    fn string(&mut self) -> Result<String, Flaw> {
        let rest = self.rest();
        let mut is_escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, character)| {
            let ends = *character == '"' && !is_escaped;
            is_escaped = *character == '\\' && !is_escaped;
            ends
        });
        let Some((end, _)) = end else {
            return Err(Flaw::new(
                self.line,
                self.lang.pick("this is not valid JSON: a text is not closed", "JSON の文字列が閉じられていません"),
            ));
        };
        let text = serde_json::from_str(&rest[..=end]).map_err(|_| self.wrong_leaf(&rest[..=end]))?;
        self.at += end + 1;
        Ok(text)
    }

    fn word(&mut self) -> Result<Value, Flaw> {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || ",]}:[{\"".contains(c)).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.unexpected(self.lang.pick("a value", "値")));
        }
        let value = serde_json::from_str(&rest[..end]).map_err(|_| self.wrong_leaf(&rest[..end]))?;
        self.at += end;
        Ok(value)
    }

    fn wrong_leaf(&self, text: &str) -> Flaw {
        let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
        Flaw::new(
            self.line,
            say!(
                self.lang,
                "this is not valid JSON: `{shown}` is neither a text in quotes, a finite number, true, false nor null",
                "JSON として読み取れません: `{shown}` は、文字列・有限の数・true・false・null のいずれでもありません"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn flaw(text: &str) -> Flaw {
        load(text, 1, Lang::En).expect_err(text)
    }

    #[test]
    fn values_are_read_with_their_lines() {
        let text = "{\n\t\"task\": \"x\\\"\\ud83d\\ude00\",\n  \"notify\": [\n    \"a\",\n    1.5e1\n  ],\n  \"e\": {}, \"f\": []\n}\n";
        let loaded = load(text, 5, Lang::En).unwrap();
        assert_eq!(loaded.value, json!({"task": "x\"😀", "notify": ["a", 15.0], "e": {}, "f": []}));
        assert_eq!(loaded.lines.of("task"), Some(6));
        assert_eq!(loaded.lines.of("notify[1]"), Some(9));
        assert_eq!(loaded.lines.of("other"), Some(5));
    }

    #[test]
    fn faults_name_their_line() {
        for (text, line, part) in [
            ("{\n\"a\": 1,\n\"a\": 2}", 3, "given twice, on line 2 and on line 3"),
            ("{\n\"a\": 1,\n}", 3, "a name in quotes"),
            ("{\"a\" 1}", 1, "`:`"),
            ("{\"a\": 1 \"b\": 2}", 1, "`,` or `}`"),
            ("[1 2]", 1, "`,` or `]`"),
            ("{\"a\": NaN}", 1, "`NaN` is neither"),
            ("{\"a\": 1e999}", 1, "finite"),
            ("{\"a\": \"b", 1, "not closed"),
            ("{\"a\": \"\\x\"}", 1, "`\\\"\\\\x\\\"` is neither"),
            ("{} {}", 1, "expected the end"),
            ("{\"a\":", 1, "the end of the text"),
        ] {
            let flaw = flaw(text);
            assert_eq!(flaw.line, line, "{text}");
            assert!(flaw.message.contains(part), "{part} in {}", flaw.message);
        }
    }

    #[test]
    fn limits_hold() {
        assert!(flaw(&"[".repeat(100_000)).message.contains("16 levels"));
        assert!(flaw(&format!("[{}1]", "1,".repeat(3_000))).message.contains("2000 values"));
        assert!(flaw(&format!("{{\"{}\": 1}}", "k".repeat(200))).message.contains("128 characters"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[\\[\\]{}:,\"\\\\a-cé0-9.eE+ \n-]{0,60}") {
            match (load(&text, 1, Lang::En), serde_json::from_str::<Value>(&text)) {
                (Ok(loaded), Ok(value)) => prop_assert_eq!(loaded.value, value),
                (Ok(loaded), Err(error)) => prop_assert!(false, "{loaded:?} {error}"),
                (Err(_), _) => {}
            }
        }
    }
}
