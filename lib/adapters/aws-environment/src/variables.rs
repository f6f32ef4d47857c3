//! The variables that AWS tells a process its surroundings by.

use std::fmt;
use std::sync::Arc;

use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The variable of an endpoint for every service; with `_` and the service's name behind it, that of one service.
pub(crate) const ENDPOINT: &str = "AWS_ENDPOINT_URL";

type Read = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Reads variables; what is blank counts as not set.
#[derive(Clone)]
pub(crate) struct Variables(Arc<Read>);

impl Variables {
    pub(crate) fn new(read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The value of a variable, without blanks around it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    /// The endpoint that was set for one service alone; `service` is its id in the SDK, such as `Secrets Manager`.
    pub(crate) fn endpoint(&self, service: &str) -> Option<String> {
        let service = service.to_uppercase().replace([' ', '-'], "_");
        self.get(&format!("{ENDPOINT}_{service}"))
    }
}

/// Some of the variables are secrets, so none is shown.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}

impl LoadServiceConfig for Variables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() == ENDPOINT { self.endpoint(key.service_id()) } else { None }
    }
}
