//! Which character separates the fields of a CSV file.

/// The characters that separate fields, the usual one in front.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many lines are looked at.
const LINES: usize = 20;

/// The delimiter of a file that begins with `head`: the one that every line has equally often, or else the one that the
/// first line has; the comma when nothing speaks against it.
pub(super) fn sniff(head: &[u8]) -> u8 {
    let counts = counts(head);
    let Some(first) = counts.first() else { return b',' };
    let even = |index: &usize| first[*index] > 0 && counts.iter().all(|line| line[*index] == first[*index]);
    if let Some(index) =
        (0..CANDIDATES.len()).filter(even).max_by_key(|&index| (first[index], CANDIDATES.len() - index))
    {
        // A comma that is as even as another character stays a comma, unless the other is far more frequent.
        let comma = first[0] > 0 && even(&0) && first[index] < 3 * first[0];
        return if comma { b',' } else { CANDIDATES[index] };
    }
    if first[0] > 0 {
        return b',';
    }
    let most = (1..CANDIDATES.len()).max_by_key(|&index| (first[index], CANDIDATES.len() - index));
    most.filter(|&index| first[index] > 0).map_or(b',', |index| CANDIDATES[index])
}

/// How often each candidate stands outside quotes, by line that is whole and not blank.
fn counts(head: &[u8]) -> Vec<[usize; CANDIDATES.len()]> {
    let mut lines = Vec::new();
    let (mut line, mut blank, mut quoted) = ([0; CANDIDATES.len()], true, false);
    for &byte in head {
        match byte {
            b'"' => (quoted, blank) = (!quoted, false),
            b'\n' | b'\r' if !quoted => {
                if !blank {
                    lines.push(line);
                }
                if lines.len() == LINES {
                    return lines;
                }
                (line, blank) = ([0; CANDIDATES.len()], true);
            }
            _ => {
                blank = false;
                if !quoted && let Some(index) = CANDIDATES.iter().position(|&candidate| candidate == byte) {
                    line[index] += 1;
                }
            }
        }
    }
    // The last line may be cut off by the end of what is looked at.
    if !blank && lines.len() < 2 {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_delimiter_is_the_comma() {
        for head in
            ["a,b\n1,2\n", "a\n1\n", "a", "", "a,b;c\n1,2;3\n", "\"a;b\",c\n1,2\n", "a,b\n1\n1,2,3\n", "\n\na,b\n1,2\n"]
        {
            assert_eq!(sniff(head.as_bytes()), b',', "{head}");
        }
    }

    #[test]
    fn others_are_found() {
        assert_eq!(sniff(b"a;b;c\n1,5;2,5;3,5\n"), b';');
        assert_eq!(sniff(b"a\tb\n1\t2\n"), b'\t');
        assert_eq!(sniff(b"a|b\r\n1|2\r\n"), b'|');
        assert_eq!(sniff(b"a;b;c\n1;2\n1;2;3\n"), b';');
        assert_eq!(sniff(b"last, first;age;city;sex\nDoe, Jane;1;X;f\n"), b';');
        assert_eq!(sniff(b"\"a;\nb\"\tc\n1\t2\n"), b'\t');
    }
}
