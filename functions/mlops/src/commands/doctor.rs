//! `mlops doctor`: whether this machine has what the fleet needs.

use mlops_core::ports::{Condition, SECRET_NAMES};
use mlops_core::{Error, Result, settings};
use serde_json::{Value, json};

use crate::output::say;
use crate::{Platform, output};

struct Check {
    name: String,
    problem: Option<String>,
    found: String,
}

/// Looks at everything, then fails when something is missing.
pub(crate) async fn run(platform: &Platform, json: bool) -> Result<()> {
    let checks = [home(platform).await, tools(platform), secrets(platform).await, threads()];
    let problems = checks.iter().filter(|check| check.problem.is_some()).count();
    if json {
        let shown: Vec<Value> = checks
            .iter()
            .map(|check| json!({"check": check.name, "ok": check.problem.is_none(), "found": check.found, "problem": check.problem}))
            .collect();
        let variables: Vec<Value> = settings::ALL
            .iter()
            .map(|setting| json!({"name": setting.name, "text": setting.text, "default": setting.default}))
            .collect();
        output::json(
            &json!({"ok": problems == 0, "version": env!("CARGO_PKG_VERSION"), "checks": shown, "settings": variables}),
        );
    } else {
        say!("mlops {}", env!("CARGO_PKG_VERSION"));
        for check in &checks {
            match &check.problem {
                None => say!("  ✓ {:<10} {}", check.name, check.found),
                Some(problem) => say!("  ✗ {:<10} {problem}", check.name),
            }
        }
        say!("settings (environment variables):");
        for setting in settings::ALL {
            say!("  {:<20} {} Default: {}.", setting.name, setting.text, setting.default);
        }
    }
    if problems > 0 {
        return Err(Error::unavailable(format!("{problems} checks failed")).hint("see the lines marked with ✗"));
    }
    Ok(())
}

/// A file can be written, read back and taken away where artifacts go.
async fn home(platform: &Platform) -> Check {
    let uri = platform.settings.store.join("doctor.txt");
    let tried = async {
        platform.store.put(&uri, "is this written?".into(), Condition::None).await?;
        let (_, body) = platform.store.get(&uri, None).await?;
        let read = body.collect(64).await?;
        platform.store.delete(&uri).await?;
        if read.as_ref() == b"is this written?" { Ok(()) } else { Err(Error::internal("other bytes were read back")) }
    };
    let problem = tried.await.err().map(|error| format!("{}: {}", platform.settings.store, error.message));
    Check { name: "store".to_owned(), problem, found: platform.settings.store.to_string() }
}

fn tools(platform: &Platform) -> Check {
    let found = format!("{} tools, {} agents", platform.toolbox.tools().len(), platform.agent_names().len());
    Check { name: "fleet".to_owned(), problem: None, found }
}

async fn secrets(platform: &Platform) -> Check {
    let mut set = Vec::new();
    let mut problem = None;
    for name in SECRET_NAMES {
        match platform.secrets.secret(name).await {
            Ok(_) => set.push(name),
            Err(error) if error.kind == mlops_core::ErrorKind::NotFound => {}
            Err(error) => problem = Some(error.message),
        }
    }
    let found = if set.is_empty() { "none set (none is needed on one machine)".to_owned() } else { set.join(", ") };
    Check { name: "secrets".to_owned(), problem, found }
}

fn threads() -> Check {
    let threads = std::thread::available_parallelism();
    let found = threads.as_ref().map_or_else(|_| "unknown".to_owned(), |count| format!("{count} threads"));
    Check { name: "machine".to_owned(), problem: None, found }
}
