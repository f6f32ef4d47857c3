//! Secrets from AWS Secrets Manager.

mod cache;
mod failure;
mod secrets;

pub use secrets::SecretsManager;
