//! The states that divide one thread of control into many.

use super::definition::{Exit, Flow, Handling, Next};
use super::expressions::Template;

/// Walks its branches at the same time.
#[derive(Debug)]
pub(crate) struct Parallel {
    /// What the branches get; the state's input when it is not said.
    pub(crate) arguments: Option<Template>,
    pub(crate) branches: Vec<Flow>,
    pub(crate) handling: Handling,
    pub(crate) exit: Exit,
    pub(crate) next: Next,
}

/// Walks the same states once for each item.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) items: Items,
    /// What an item's states get; the item when it is not said.
    pub(crate) selector: Option<Template>,
    pub(crate) batch: Option<Batch>,
    pub(crate) processor: Flow,
    /// Whether the items are executions of their own: they see no variables from outside, and some may fail.
    pub(crate) distributed: bool,
    /// How many items are walked at the same time; 0 for as many as there can be.
    pub(crate) concurrency: Option<Template>,
    pub(crate) tolerated_count: Option<Template>,
    pub(crate) tolerated_percentage: Option<Template>,
    pub(crate) handling: Handling,
    pub(crate) exit: Exit,
    pub(crate) next: Next,
}

/// Where the items come from.
#[derive(Debug)]
pub(crate) enum Items {
    /// The state's input.
    Input,
    Given(Template),
    Read(Box<Reader>),
}

/// Reads items from the object store.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) source: Source,
    pub(crate) bucket: Template,
    /// The key of an object, or the prefix of a listing.
    pub(crate) key: Template,
    pub(crate) most: Option<Template>,
}

/// What is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// The objects of a prefix.
    Listing,
    /// A JSON list.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// The rows of a CSV file as objects of texts.
    Csv { delimiter: u8, headers: Option<Vec<String>> },
}

/// Gives several items to one walk: `{"Items": […], "BatchInput": …}`.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) items: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) input: Option<Template>,
}

impl Mapping {
    /// The templates of the state's own fields, without those of its exits.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let items: Vec<&Template> = match &self.items {
            Items::Input => Vec::new(),
            Items::Given(template) => vec![template],
            Items::Read(reader) => [&reader.bucket, &reader.key].into_iter().chain(&reader.most).collect(),
        };
        let batch = self.batch.as_ref().and_then(|batch| batch.input.as_ref());
        let limits = [&self.concurrency, &self.tolerated_count, &self.tolerated_percentage];
        items.into_iter().chain(&self.selector).chain(batch).chain(limits.into_iter().flatten()).collect()
    }
}
