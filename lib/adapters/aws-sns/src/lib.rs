//! Events on a topic of Amazon SNS.

mod topics;

pub use topics::SnsTopics;
