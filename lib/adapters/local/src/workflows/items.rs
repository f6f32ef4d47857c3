//! The items of a map and the limits of their walk.

use std::sync::Arc;

use mlops_core::ports::LARGEST_DATA;
use serde_json::{Value, json};

use super::context::{scope, within_limit};
use super::errors::{Failure, QUERY};
use super::expressions::Template;
use super::fan_definition::{Batch, Items, Mapping};
use super::item_reader::{Place, read};
use super::journal::Limits;
use super::progress::Frame;
use super::thread::Item;
use super::walker::Walker;

/// The most items that are walked at the same time, whatever a definition says: what Step Functions does for items
/// that are no executions of their own.
const MOST_AT_ONCE: usize = 40;
/// The most items of a map.
const MOST_ITEMS: u64 = 100_000;

impl Walker<'_> {
    /// The items of the map, in batches where it says so.
    pub(crate) async fn items(&self, frame: &Frame, mapping: &Mapping) -> Result<Vec<Value>, Failure> {
        let items = match &mapping.items {
            Items::Input => list(Value::clone(&frame.data))?,
            Items::Given(template) => list(self.filled_with(frame, template)?)?,
            Items::Read(reader) => {
                let text = |template: &Template| match self.filled_with(frame, template)? {
                    Value::String(text) => Ok(text),
                    other => Err(Failure::new(QUERY, format!("Bucket, Key and Prefix are texts, and this is {other}"))),
                };
                let place = Place { bucket: text(&reader.bucket)?, key: text(&reader.key)? };
                let most = self.number(frame, reader.most.as_ref(), ("MaxItems", MOST_ITEMS))?.unwrap_or(0);
                let most = if most == 0 { MOST_ITEMS } else { most };
                read(self.store, &reader.source, &place, usize::try_from(most).unwrap_or(usize::MAX)).await?
            }
        };
        let items = items.into_iter().map(|item| within_limit(item, "an item")).collect::<Result<Vec<_>, _>>()?;
        match &mapping.batch {
            Some(batch) => self.batches(frame, mapping, batch, items),
            None => Ok(items),
        }
    }

    /// Several items in one, each after the selector.
    fn batches(
        &self,
        frame: &Frame,
        mapping: &Mapping,
        batch: &Batch,
        items: Vec<Value>,
    ) -> Result<Vec<Value>, Failure> {
        let input = batch.input.as_ref().map(|template| self.filled_with(frame, template)).transpose()?;
        let items = Arc::new(items);
        let most = batch.items.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let bytes = batch.bytes.map_or(LARGEST_DATA, |bytes| usize::try_from(bytes).unwrap_or(LARGEST_DATA));
        let pack = |items: Vec<Value>| {
            let mut batch = json!({ "Items": items });
            if let Some(input) = &input {
                batch["BatchInput"] = input.clone();
            }
            batch
        };
        let empty = pack(Vec::new()).to_string().len();
        let mut batches = Vec::new();
        let (mut open, mut size) = (Vec::new(), empty);
        for index in 0..items.len() {
            let item = match &mapping.selector {
                None => items[index].clone(),
                Some(selector) => {
                    let frame = Frame { item: Some(Item::of(&items, index)), ..frame.clone() };
                    self.filled_with(&frame, selector)?
                }
            };
            let more = item.to_string().len() + 1;
            if !open.is_empty() && (open.len() >= most || size + more > bytes) {
                batches.push(pack(std::mem::take(&mut open)));
                size = empty;
            }
            size += more;
            open.push(item);
        }
        if !open.is_empty() {
            batches.push(pack(open));
        }
        batches.into_iter().map(|batch| within_limit(batch, "a batch of items")).collect()
    }

    /// How many items are walked at once, and how many may fail. Of two thresholds the smaller one holds.
    pub(crate) fn limits(&self, frame: &Frame, mapping: &Mapping, items: &[Value]) -> Result<Limits, Failure> {
        let concurrency = self.number(frame, mapping.concurrency.as_ref(), ("MaxConcurrency", u64::MAX))?;
        let concurrency = concurrency.filter(|most| *most > 0).and_then(|most| usize::try_from(most).ok());
        let count = self.number(frame, mapping.tolerated_count.as_ref(), ("ToleratedFailureCount", u64::MAX))?;
        let percentage = match &mapping.tolerated_percentage {
            None => None,
            Some(template) => {
                let value = self.filled_with(frame, template)?;
                Some(value.as_f64().filter(|percentage| (0.0..=100.0).contains(percentage)).ok_or_else(|| {
                    Failure::new(
                        QUERY,
                        format!("ToleratedFailurePercentage is a number from 0 to 100, and this is {value}"),
                    )
                })?)
            }
        };
        let total: usize = items
            .iter()
            .map(|item| match &mapping.batch {
                Some(_) => item["Items"].as_array().map_or(1, Vec::len),
                None => 1,
            })
            .sum();
        let share = percentage.map(|percentage| (percentage * total as f64 / 100.0).floor() as usize);
        let count = count.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let tolerated = match (count, share) {
            (Some(count), Some(share)) => count.min(share),
            (count, share) => count.or(share).unwrap_or(0),
        };
        Ok(Limits { concurrency: concurrency.unwrap_or(MOST_AT_ONCE).min(MOST_AT_ONCE), tolerated })
    }

    fn number(
        &self,
        frame: &Frame,
        template: Option<&Template>,
        (name, most): (&str, u64),
    ) -> Result<Option<u64>, Failure> {
        let Some(template) = template else { return Ok(None) };
        let value = self.filled_with(frame, template)?;
        match value.as_u64().filter(|number| *number <= most) {
            Some(number) => Ok(Some(number)),
            None => Err(Failure::new(QUERY, format!("{name} is a whole number from 0, and this is {value}"))),
        }
    }

    fn filled_with(&self, frame: &Frame, template: &Template) -> Result<Value, Failure> {
        scope(self.record, frame, None, None).fill(template)
    }
}

fn list(value: Value) -> Result<Vec<Value>, Failure> {
    match value {
        Value::Array(items) => Ok(items),
        other => {
            let shown: String = other.to_string().chars().take(100).collect();
            Err(Failure::new(QUERY, format!("the items of a map are a list, and this is {shown}")))
        }
    }
}
