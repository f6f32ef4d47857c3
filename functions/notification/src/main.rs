//! Notification as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_notification::NotificationAgent;
use mlops_host::remote::Callers;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_local::{Access, LocalMachine};
use mlops_notification::Notification;
use mlops_records::Approvals;

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let LocalMachine { settings, store, messenger, secrets, .. } = LocalMachine::here(settings, Access::HomeOnly)?;
        let approvals = Approvals::new(Arc::clone(&store), &settings.store);
        let store = GuardedStore::of(store, &settings);
        let tools = Callers::new(&settings, &secrets).of(Notification)?;
        let agent = NotificationAgent { tools, messenger, approvals };
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}
