//! Finds tools by words.

use std::collections::BTreeMap;

use mlops_core::{Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrontDoor;
use crate::BoundTool;

/// Find tools by words, English or Japanese, among names, titles, descriptions and arguments; the best comes first.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct SearchTools {
    /// The words: "confusion matrix", "混同行列".
    pub(in crate::mcp) query: String,
    /// The most tools to give, 1 to 50.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 50))]
    pub(in crate::mcp) limit: usize,
}

const fn five() -> usize {
    5
}

/// The tools that were found.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub(in crate::mcp) struct FoundTools {
    /// The best comes first.
    pub(in crate::mcp) tools: Vec<FoundTool>,
}

/// A tool that was found.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub(in crate::mcp) struct FoundTool {
    /// Its name.
    pub(in crate::mcp) name: String,
    /// Its title.
    title: String,
    /// The toolset that it belongs to.
    toolset: String,
    /// What it does.
    description: String,
    /// How well it fits.
    score: f64,
}

impl Tool for SearchTools {
    const NAME: &'static str = "search_tools";
    const TITLE: &'static str = "Search tools";
    const EFFECT: Effect = Effect::Read;
    type Capability = FrontDoor;
    type Output = FoundTools;

    async fn run(self, room: &FrontDoor, call: &Call) -> Result<FoundTools> {
        let wanted = words(&self.query.chars().take(500).collect::<String>());
        if wanted.is_empty() {
            return Err(Error::invalid_input("`query` holds no word").at("query").hint("such as: confusion matrix"));
        }
        let offered: Vec<&BoundTool> = room.server.toolbox.tools().iter().filter(|tool| room.offer.has(tool)).collect();
        let mut found: Vec<FoundTool> = rank(&offered, &wanted)
            .into_iter()
            .map(|(tool, score)| FoundTool {
                name: tool.name.to_owned(),
                title: tool.title.to_owned(),
                toolset: tool.capability.to_owned(),
                description: tool.description(call.lang),
                score: (score * 100.0).round() / 100.0,
            })
            .collect();
        found.truncate(self.limit.clamp(1, 50));
        Ok(FoundTools { tools: found })
    }
}

impl Report for FoundTools {
    fn summary(&self, lang: Lang) -> String {
        let names: Vec<&str> = self.tools.iter().map(|tool| tool.name.as_str()).collect();
        match (names.is_empty(), lang) {
            (true, Lang::En) => "no tool fits".to_owned(),
            (true, Lang::Ja) => "該当するツールはありません".to_owned(),
            (false, Lang::En) => format!("found: {}", names.join(", ")),
            (false, Lang::Ja) => format!("見つかったツール: {}", names.join(", ")),
        }
    }
}

/// The tools that hold one of the words: what a word is worth falls with the number of tools that hold it, and rises
/// with the place that it stands in.
fn rank<'a>(tools: &[&'a BoundTool], wanted: &[String]) -> Vec<(&'a BoundTool, f64)> {
    let held: Vec<BTreeMap<String, f64>> = tools.iter().map(|tool| weights(tool)).collect();
    let worth = |weights: &BTreeMap<String, f64>, word: &str| -> f64 {
        let longer = weights.range(word.to_owned()..).take_while(|(known, _)| known.starts_with(word));
        longer.map(|(known, weight)| if known == word { *weight } else { weight * 0.6 }).fold(0.0, f64::max)
    };
    let mut scores = vec![0.0; tools.len()];
    for word in wanted {
        let of_word: Vec<f64> = held.iter().map(|weights| worth(weights, word)).collect();
        let holders = of_word.iter().filter(|weight| **weight > 0.0).count();
        let rarity = (1.0 + tools.len() as f64 / (1.0 + holders as f64)).ln();
        for (score, weight) in scores.iter_mut().zip(of_word) {
            *score += weight * rarity;
        }
    }
    let mut ranked: Vec<(&BoundTool, f64)> =
        tools.iter().copied().zip(scores).filter(|(_, score)| *score > 0.0).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.name.cmp(b.0.name)));
    ranked
}

fn weights(tool: &BoundTool) -> BTreeMap<String, f64> {
    let mut weights = BTreeMap::new();
    let mut add = |text: &str, weight: f64| {
        for word in words(text) {
            let known = weights.entry(word).or_insert(0.0_f64);
            *known = known.max(weight);
        }
    };
    add(tool.name, 8.0);
    add(tool.title, 6.0);
    for lang in [Lang::En, Lang::Ja] {
        add(&tool.description(lang), 3.0);
    }
    for (name, schema) in tool.input_schema()["properties"].as_object().into_iter().flatten() {
        add(name, 2.0);
        add(schema["description"].as_str().unwrap_or_default(), 1.0);
    }
    weights
}

/// The words of a text: runs of letters and digits, and pairs of characters where no spaces part the words.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut words = Vec::new();
    for run in lower.split(|c: char| !c.is_alphanumeric()) {
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            let same = |c: char| c.is_ascii() == first.is_ascii();
            let (piece, after) = rest.split_at(rest.find(|c| !same(c)).unwrap_or(rest.len()));
            rest = after;
            if first.is_ascii() {
                words.push(singular(piece).to_owned());
                continue;
            }
            let characters: Vec<char> = piece.chars().collect();
            match characters.as_slice() {
                [single] => words.push(single.to_string()),
                more => words.extend(more.windows(2).map(|pair| pair.iter().collect::<String>())),
            }
        }
    }
    words
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with('s')).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_in_both_languages() {
        assert_eq!(words("Confusion_matrix, ROC-curves!"), ["confusion", "matrix", "roc", "curve"]);
        assert_eq!(words("混同行列"), ["混同", "同行", "行列"]);
        assert_eq!(words("ROC曲線"), ["roc", "曲線"]);
        assert!(words(" -- ").is_empty());
    }
}
