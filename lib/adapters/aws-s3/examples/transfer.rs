//! Copies one file to or from S3 through the adapter, as `make bench` measures it beside `aws s3 cp`.
//!
//! usage: `transfer FILE s3://bucket/key` or `transfer s3://bucket/key FILE`

use std::error::Error;
use std::fs::File;
use std::io::{Read as _, Write as _};

use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use mlops_aws_environment::AwsEnvironment;
use mlops_aws_s3::S3Store;
use mlops_core::ports::{Body, Condition, ObjectStore as _};
use mlops_core::values::ArtifactUri;

const PIECE: u64 = 1024 * 1024;

fn pieces(file: File) -> Body {
    let read = stream::try_unfold(file, |file| async move {
        let mut piece = Vec::with_capacity(PIECE as usize);
        let count = (&file).take(PIECE).read_to_end(&mut piece);
        let count = count.map_err(|error| mlops_core::Error::unavailable(error.to_string()))?;
        Ok((count > 0).then(|| (Bytes::from(piece), file)))
    });
    Body::from_stream(read.boxed())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("usage: transfer FROM TO, one of them a file and the other s3://bucket/key".into());
    };
    let store = S3Store::new(&AwsEnvironment::from_variables()?, std::env::var("S3_KMS_KEY").ok());
    if to.starts_with("s3://") {
        store.put(&ArtifactUri::new(to.clone())?, pieces(File::open(from)?), Condition::None).await?;
        return Ok(());
    }
    let (_, body) = store.get(&ArtifactUri::new(from.clone())?, None).await?;
    let mut stream = body.into_stream();
    let mut file = File::create(to)?;
    while let Some(piece) = stream.try_next().await? {
        file.write_all(&piece)?;
    }
    Ok(())
}
