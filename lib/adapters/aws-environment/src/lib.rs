//! What all AWS adapters share: the region, the credentials, the endpoints, timeouts and retries of this process, and
//! what an error of a service means to a caller.

mod container;
mod environment;
mod failure;
mod network;
#[cfg(test)]
mod stand_in;
mod variables;

pub use environment::AwsEnvironment;
pub use failure::failure;
