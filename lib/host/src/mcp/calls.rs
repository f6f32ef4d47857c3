//! A request as a call: who asks, for which run, in which language, and where its progress goes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mlops_core::{Call, Lang, Progress};
use rmcp::RoleServer;
use rmcp::model::{ErrorData, ProgressNotificationParam};
use rmcp::service::RequestContext;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::McpSettings;

/// The least time between two messages about the same call's progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// How long an answer waits for the messages that were sent before it.
const LAST_MESSAGES: Duration = Duration::from_secs(2);

/// The messages about a call's progress.
pub(super) struct Messages {
    sender: mpsc::UnboundedSender<Option<Progress>>,
    sending: JoinHandle<()>,
}

impl Messages {
    /// Sends what is left: the answer comes last.
    pub(super) async fn finish(self) {
        // The receiver is gone when the client is.
        let _ = self.sender.send(None);
        let _ = tokio::time::timeout(LAST_MESSAGES, self.sending).await;
    }
}

/// The call that a request makes, and its messages when the client asked for progress.
pub(super) fn call_of(
    settings: &McpSettings,
    context: &RequestContext<RoleServer>,
) -> Result<(Call, Option<Messages>), ErrorData> {
    let told = |key: &str| -> Result<Option<&str>, ErrorData> {
        match context.meta.get(key).map(|value| value.as_str()) {
            None => Ok(None),
            Some(Some(text)) if is_name(text) => Ok(Some(text)),
            Some(_) => {
                let rule = "1 to 128 letters, digits, dots, dashes and underscores that do not begin with a dot";
                Err(ErrorData::invalid_params(format!("_meta[\"{key}\"] must be {rule}"), None))
            }
        }
    };
    let mut call = Call::new(context.id.to_string()).by(told("mlops/agent_id")?.unwrap_or("mcp"));
    call = call.in_lang(settings.lang).audited_by(Arc::clone(&settings.audit));
    if let Some(run_id) = told("mlops/run_id")? {
        call = call.in_run(run_id);
    }
    if let Some(code) = told("mlops/lang")? {
        let lang = Lang::from_code(code)
            .ok_or_else(|| ErrorData::invalid_params("_meta[\"mlops/lang\"] must be en or ja", None))?;
        call = call.in_lang(lang);
    }
    #[cfg(feature = "http")]
    if let Some(front_door) = front_door(context) {
        call.request_id.clone_from(&front_door.request_id);
        call.deadline = front_door.deadline;
        call.memory = Arc::clone(&front_door.memory);
    }
    let Some(messages) = messages(context) else { return Ok((call, None)) };
    let sender = messages.sender.clone();
    let last = Mutex::new(None::<Instant>);
    let call = call.reporting_to(move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = progress.total.is_some_and(|total| progress.done >= total);
        // A forest of 20,000 trees is not 20,000 messages.
        if ends || last.is_none_or(|last| last.elapsed() >= PROGRESS_EVERY) {
            *last = Some(Instant::now());
            // Nobody listens any more when the request has ended.
            let _ = sender.send(Some(progress));
        }
    });
    Ok((call, Some(messages)))
}

/// The call that a front door has made of the HTTP request: in Lambda it knows the request id, the deadline and
/// the memory of the function.
#[cfg(feature = "http")]
fn front_door(context: &RequestContext<RoleServer>) -> Option<&Call> {
    context.extensions.get::<axum::http::request::Parts>()?.extensions.get::<Call>()
}

fn messages(context: &RequestContext<RoleServer>) -> Option<Messages> {
    let token = context.meta.get_progress_token()?;
    let peer = context.peer.clone();
    let (sender, mut receiver) = mpsc::unbounded_channel::<Option<Progress>>();
    let sending = tokio::spawn(async move {
        let mut last = f64::NEG_INFINITY;
        while let Some(Some(progress)) = receiver.recv().await {
            // The protocol wants progress that grows; stages that begin again at 0 do not.
            let at = if progress.done > last { progress.done } else { last + f64::EPSILON.max(last.abs() * 1e-9) };
            last = at;
            let mut notification = ProgressNotificationParam::new(token.clone(), at).with_message(progress.message);
            notification.total = progress.total.filter(|total| *total >= at);
            if peer.notify_progress(notification).await.is_err() {
                break;
            }
        }
    });
    Some(Messages { sender, sending })
}

/// Names of runs are names of folders.
fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with('.')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_run_leads_out_of_no_folder() {
        for good in ["acme-churn-12-0f3a", "a", "run_1.2"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", "a b", ".hidden", "名前", &"a".repeat(129)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
