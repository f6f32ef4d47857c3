//! Writes down what happens in all threads of a walk, many events at a time.

use std::time::Duration;

use mlops_core::ports::HistoryEvent;
use mlops_core::{Call, Result};
use tokio::sync::{mpsc, oneshot};

use super::journal::NewEvent;
use super::ledger::Ledger;
use crate::files::blocking;

/// How long nothing is written before the scribe looks what others wrote: answers, and the end of the execution.
const LOOK: Duration = Duration::from_millis(250);
/// The most events of one write.
const MOST: usize = 256;

/// An event that is to be written, and where to say whether it was.
pub(crate) struct Request {
    pub(crate) draft: NewEvent,
    pub(crate) reply: oneshot::Sender<bool>,
}

/// Writes what is asked for until the execution has ended. The observer sees every event once it is durable, and
/// before anything follows from it.
pub(crate) async fn keep(
    mut ledger: Ledger,
    mut requests: mpsc::UnboundedReceiver<Request>,
    call: &Call,
    observer: &(dyn Fn(&HistoryEvent) + Send + Sync),
) -> Result<()> {
    let progress = ledger.progress();
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            _ = requests.recv_many(&mut batch, MOST) => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        let (drafts, replies): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|request| (request.draft, request.reply)).unzip();
        let now = call.clock.now();
        let written;
        (ledger, written) = blocking(move || {
            let written = if drafts.is_empty() { (ledger.follow()?, Vec::new()) } else { ledger.write(drafts, now)? };
            Ok((ledger, written))
        })
        .await?;
        let (lines, accepted) = written;
        lines.iter().filter(|line| line.is_event()).for_each(|line| observer(&line.event));
        // Whoever waits for an event from outside of the walk can break it off right behind the event.
        tokio::task::yield_now().await;
        if progress.get().ended.is_some() {
            return Ok(());
        }
        for (reply, accepted) in replies.into_iter().zip(accepted) {
            // Nobody listens any more when the thread was broken off.
            let _ = reply.send(accepted);
        }
    }
}
