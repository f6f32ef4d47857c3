//! The least function there can be: what `make bench` holds the functions of the fleet against.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

async fn hello(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(event.payload)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(hello)).await
}
