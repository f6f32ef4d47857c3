//! The store against a running server: the contract of the port, and what S3 has beyond it.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

#[path = "../server/mod.rs"]
mod server;
mod writes;

use server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_the_contract() {
    let server = Server::begin().await;
    mlops_contract::object_store(server.store(None), &server.uri("base")).await;
}
