//! Notification as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_notification::NotificationAgent;
use mlops_core::ports::{CodeHost, Mailer, ObjectStore, Secrets, Topics};
use mlops_core::{Result, Settings};
use mlops_host::remote::Callers;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_notification::Notification;
use mlops_records::{Approvals, Sent};

struct Ports {
    store: Arc<dyn ObjectStore>,
    code_host: Arc<dyn CodeHost>,
    topics: Arc<dyn Topics>,
    mailer: Arc<dyn Mailer>,
    secrets: Arc<dyn Secrets>,
}

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let Ports { store, code_host, topics, mailer, secrets } = ports(&settings)?;
        let approvals = Approvals::new(Arc::clone(&store), &settings.store);
        let sent = Sent::new(Arc::clone(&store), &settings.store);
        let store = GuardedStore::of(store, &settings);
        let room = Notification::new(&settings, Arc::clone(&store), mailer, code_host);
        let tools = Callers::new(&settings, &secrets).of(room)?;
        let agent = NotificationAgent { tools, topics, sent, approvals };
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}

#[cfg(feature = "aws")]
fn ports(settings: &Settings) -> Result<Ports> {
    use mlops_core::Error;
    use mlops_core::ports::SystemClock;
    use mlops_core::settings::TOPIC;
    let aws = mlops_aws_environment::AwsEnvironment::from_variables()?;
    let topic = settings.cloud.topic_arn.clone();
    let topic = topic.ok_or_else(|| {
        Error::invalid_input(format!("{} must name the topic of the fleet's events", TOPIC.name)).at(TOPIC.name)
    })?;
    let secrets: Arc<dyn Secrets> =
        Arc::new(mlops_aws_secretsmanager::SecretsManager::new(&aws, Arc::new(SystemClock)));
    Ok(Ports {
        store: Arc::new(mlops_aws_s3::S3Store::new(&aws, settings.cloud.kms_key.clone())),
        code_host: Arc::new(mlops_github::Github::new(&settings.github, Arc::clone(&secrets))?),
        topics: Arc::new(mlops_aws_sns::SnsTopics::new(&aws, topic)),
        mailer: Arc::new(mlops_aws_ses::SesMailer::new(&aws)),
        secrets,
    })
}

#[cfg(not(feature = "aws"))]
fn ports(settings: &Settings) -> Result<Ports> {
    use mlops_local::{Access, LocalMachine};
    let machine = LocalMachine::here(settings.clone(), Access::HomeOnly)?;
    let LocalMachine { store, code_host, topics, mailer, secrets, .. } = machine;
    Ok(Ports { store, code_host, topics, mailer, secrets })
}
