//! What a deployed function may link: exactly the adapters that are listed here, and none of one machine.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::MetadataCommand;

use crate::fleet::Fleet;

const STORE: &[&str] = &["mlops-aws-environment", "mlops-aws-s3"];
const REMOTE: &[&str] = &["mlops-aws-environment", "mlops-aws-s3", "mlops-aws-secretsmanager"];

/// Every function, and the adapters that it has on AWS.
fn expected() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let with = |base: &[&'static str], more: &[&'static str]| base.iter().chain(more).copied().collect();
    BTreeMap::from([
        ("agent-data-preparation", with(REMOTE, &[])),
        ("agent-evaluation", with(REMOTE, &[])),
        ("agent-history-writer", with(REMOTE, &["mlops-github"])),
        ("agent-issue-detector", with(REMOTE, &["mlops-aws-stepfunctions", "mlops-github"])),
        ("agent-judge", with(STORE, &[])),
        ("agent-notification", with(REMOTE, &["mlops-aws-ses", "mlops-aws-sns", "mlops-github"])),
        ("agent-planner", with(REMOTE, &["mlops-github"])),
        ("agent-rollback", with(REMOTE, &[])),
        ("agent-training", with(REMOTE, &[])),
        ("mcp-endpoint", with(REMOTE, &["mlops-aws-ses", "mlops-aws-stepfunctions", "mlops-github"])),
    ])
}

#[test]
fn a_deployed_function_links_exactly_the_adapters_that_are_listed() {
    let manifest = Fleet::repository().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("metadata");
    let mut seen = BTreeSet::new();
    for package in &metadata.packages {
        let Some(feature) = package.features.get("aws") else { continue };
        let linked: BTreeSet<&str> = feature.iter().filter_map(|entry| entry.strip_prefix("dep:")).collect();
        let name = package.name.as_str();
        assert_eq!(Some(&linked), expected().get(name), "{name}");
        seen.insert(name.to_owned());
        for adapter in &linked {
            let dependency = package.dependencies.iter().find(|dependency| dependency.name == **adapter);
            assert!(dependency.is_some_and(|dependency| dependency.optional), "{name}: {adapter} is always linked");
        }
        // Without a platform there is nothing to link: such a binary does not compile.
        assert!(package.features["local"].contains(&"dep:mlops-local".to_owned()), "{name}");
        let binaries: Vec<_> = package.targets.iter().filter(|target| target.is_bin()).collect();
        assert_eq!(binaries.len(), 1, "{name}");
        assert_eq!(binaries[0].required_features, ["function"], "{name}");
    }
    assert_eq!(seen, expected().keys().map(ToString::to_string).collect(), "every function can be deployed");
}

/// The packages that a function links on AWS when it is built alone.
fn linked(package: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--package", package, "--no-default-features", "--features", "aws"]);
    cargo.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]).current_dir(Fleet::repository());
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("names");
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn who_looks_at_no_data_links_no_reader_of_tables() {
    // Rollback predicts, and so it reads the model's golden rows.
    for function in ["agent-history-writer", "agent-issue-detector", "agent-judge", "agent-notification"] {
        let linked = linked(function);
        assert!(linked.contains("mlops-aws-s3"), "{function}: {linked:?}");
        for reader in ["arrow", "arrow-array", "parquet", "mlops-artifacts"] {
            assert!(!linked.contains(reader), "{function} links {reader}");
        }
    }
    assert!(linked("agent-planner").contains("parquet"), "the planner looks at data");
}
