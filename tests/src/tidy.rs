//! The invariants of the house, held by the manifests and the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::fleet::Fleet;
use crate::workspace::files;

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(Fleet::repository().join("Cargo.toml")).no_deps().exec().expect("metadata")
}

/// The folder of a package, relative to the repository.
fn folder(package: &Package) -> String {
    let folder = package.manifest_path.parent().unwrap().as_std_path();
    folder.strip_prefix(Fleet::repository()).unwrap().display().to_string()
}

fn normal_dependencies(package: &Package) -> BTreeSet<String> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.clone()).collect()
}

/// Folder and dependencies of every package.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    metadata().packages.iter().map(|package| (folder(package), normal_dependencies(package))).collect()
}

const SDKS: [&str; 5] = ["aws-", "octocrab", "lettre", "reqwest", "lambda_"];

#[test]
fn only_adapters_name_an_sdk_and_only_the_host_knows_mcp_or_lambda() {
    for (folder, dependencies) in packages() {
        let adapter = folder.starts_with("lib/adapters/");
        let host = folder == "lib/host";
        for dependency in dependencies {
            let sdk = SDKS.iter().any(|sdk| dependency.starts_with(sdk));
            // Tools at an endpoint are called over HTTP (docs/decisions/0006-mcp-client.md).
            let front_door = dependency.starts_with("lambda_") || dependency == "reqwest";
            assert!(!sdk || adapter || (host && front_door), "{folder} depends on {dependency}");
            assert!(dependency != "rmcp" || host, "{folder} depends on {dependency}");
        }
    }
}

#[test]
fn the_vocabulary_and_the_algorithms_stand_below_everything() {
    let packages = packages();
    let ours = |folder: &str| -> Vec<&String> {
        packages[folder].iter().filter(|name| name.starts_with("mlops-") || name.starts_with("agent-")).collect()
    };
    // That one holds no code.
    assert!(ours("lib/features").is_empty());
    assert_eq!(ours("lib/core"), ["mlops-features"]);
    assert_eq!(ours("lib/algorithms"), ["mlops-features"]);
    assert_eq!(ours("lib/records"), ["mlops-core"]);
    assert!(!packages["lib/core"].contains("tokio"), "the vocabulary needs no runtime");
}

#[test]
fn no_capability_depends_on_another_and_none_on_an_adapter() {
    for (folder, dependencies) in packages() {
        if !folder.starts_with("lib/capabilities/") {
            continue;
        }
        let shared = ["mlops-core", "mlops-algorithms", "mlops-artifacts", "mlops-records"];
        for dependency in dependencies.iter().filter(|name| name.starts_with("mlops-") || name.starts_with("agent-")) {
            assert!(shared.contains(&dependency.as_str()), "{folder} depends on {dependency}");
        }
    }
}

/// The functions whose library is an agent: not those that put the whole fleet together.
fn is_agent(folder: &str) -> bool {
    folder.starts_with("functions/") && !["functions/mlops", "functions/mcp"].contains(&folder)
}

#[test]
fn an_agent_names_no_other_agent_and_only_its_main_names_an_adapter_or_the_host() {
    const OUTSIDE: [&str; 2] = ["mlops-local", "mlops-host"];
    for package in metadata().packages {
        let folder = folder(&package);
        if !is_agent(&folder) {
            continue;
        }
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        for dependency in normal {
            let name = dependency.name.as_str();
            assert!(!name.starts_with("agent-"), "{folder} depends on {name}");
            assert!(!OUTSIDE.contains(&name) || dependency.optional, "the library of {folder} links {name}");
        }
        for file in files(&Fleet::repository().join(&folder).join("src"), ".rs") {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name == "main.rs" || name == "tests.rs" || name.ends_with("_tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for outside in OUTSIDE.map(|name| name.replace('-', "_")) {
                assert!(!text.contains(&outside), "{} names {outside}", file.display());
            }
        }
    }
}

#[test]
fn every_agent_is_a_function_with_a_binary_and_events() {
    for package in metadata().packages {
        let folder = folder(&package);
        let Some(function) = folder.strip_prefix("functions/").filter(|_| folder != "functions/mlops") else {
            continue;
        };
        assert!(
            package.targets.iter().any(|target| target.is_bin() && target.name == function),
            "{folder} has no binary"
        );
        for case in ["success", "bad-input", "replay"] {
            let event = Fleet::repository().join(format!("events/{function}/{case}.json"));
            assert!(event.is_file(), "there is no {}", event.display());
            assert!(event.with_extension("response.json").is_file(), "{} has no response", event.display());
        }
    }
}

/// What a function links when it is built alone.
fn linked(package: &str) -> BTreeSet<String> {
    let arguments =
        ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}", "--offline"];
    let output = std::process::Command::new(env!("CARGO")).args(arguments).current_dir(Fleet::repository()).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn a_function_links_no_front_door_but_its_own() {
    // Who calls tools can call them at an endpoint; the judge calls none.
    for (function, others) in [
        ("agent-notification", &["axum", "arrow", "parquet"][..]),
        ("agent-judge", &["rmcp", "reqwest", "axum", "arrow"]),
    ] {
        let linked = linked(function);
        assert!(linked.contains("lambda_runtime"), "{function} is no function of Lambda");
        for name in others {
            assert!(!linked.contains(*name), "{function} links {name}");
        }
    }
    assert!(!linked("mlops").contains("lambda_runtime"), "the command line is no function of Lambda");
}

#[test]
fn notification_knows_no_tables() {
    let metadata =
        MetadataCommand::new().manifest_path(Fleet::repository().join("Cargo.toml")).exec().expect("metadata");
    let resolve = metadata.resolve.as_ref().expect("a graph");
    let names: BTreeMap<_, _> =
        metadata.packages.iter().map(|package| (&package.id, package.name.to_string())).collect();
    for agent in ["agent-notification", "agent-judge", "agent-history-writer"] {
        let start = metadata.packages.iter().find(|package| package.name == agent).expect(agent);
        let mut reached = BTreeSet::new();
        let mut open = vec![&start.id];
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                let node = resolve.nodes.iter().find(|node| node.id == *id).expect("a node");
                let normal =
                    node.deps.iter().filter(|of| of.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
                open.extend(normal.map(|of| &of.pkg));
            }
        }
        for id in reached {
            assert!(!names[id].starts_with("arrow") && names[id] != "parquet", "{agent} links {}", names[id]);
        }
    }
}

#[test]
fn plain_commands_build_no_aws_sdk() {
    for package in metadata().workspace_default_packages() {
        for dependency in normal_dependencies(package) {
            assert!(!dependency.starts_with("aws-"), "{} needs {dependency}", package.name);
        }
    }
}

#[test]
fn every_file_is_short_and_says_its_purpose() {
    let root = Fleet::repository();
    for folder in ["lib", "functions", "tests", "cdk"] {
        for ending in [".rs", ".ts", ".py"] {
            for file in files(&root.join(folder), ending) {
                let text = std::fs::read_to_string(&file).unwrap();
                let lines = text.lines().count();
                assert!(lines <= 400, "{} has {lines} lines", file.display());
                assert!(ending != ".rs" || text.starts_with("//!"), "{} does not say its purpose", file.display());
            }
        }
    }
}

#[test]
fn nothing_is_left_for_later_and_no_lint_is_silenced_without_a_reason() {
    let root = Fleet::repository();
    // Written apart, so that this file does not find itself.
    let words =
        [["to", "do!("], ["unimple", "mented!("], ["TO", "DO"], ["FIX", "ME"], ["#[al", "low("], ["#[ig", "nore"]];
    for folder in ["lib", "functions", "tests"] {
        for file in files(&root.join(folder), ".rs") {
            let text = std::fs::read_to_string(&file).unwrap();
            for word in words.map(|parts| parts.concat()) {
                assert!(!text.contains(&word), "{} has {word}", file.display());
            }
        }
    }
}

/// A closure that the compiler leaves apart is compiled for the oldest processor, and the loop in it is half as quick.
#[test]
fn what_is_dispatched_to_vector_instructions_is_inlined() {
    for file in files(&Fleet::repository().join("lib/algorithms/src"), ".rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        for call in ["dispatch(", "vectorised("] {
            for (at, _) in text.match_indices(call) {
                let given = text[at + call.len()..].trim_start();
                assert!(!given.starts_with('|') && !given.starts_with("move"), "{}: {call}", file.display());
            }
        }
    }
}

#[test]
fn every_environment_variable_is_a_setting() {
    let root = Fleet::repository();
    let settings: BTreeSet<&str> = mlops_core::settings::ALL.iter().map(|setting| setting.name).collect();
    let known = |name: &str| {
        settings.contains(name) || ["MLOPS_SECRET_", "MLOPS_MCP_URL_"].iter().any(|family| name.starts_with(family))
    };
    for folder in ["lib", "functions"] {
        for file in files(&root.join(folder), ".rs") {
            let text = std::fs::read_to_string(&file).unwrap();
            for (at, _) in text.match_indices("MLOPS_") {
                let end = text[at..].find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap_or(0);
                let name = text[at..at + end].trim_end_matches('_');
                assert!(known(name) || name == "MLOPS_SECRET", "{} reads {name}", file.display());
            }
        }
    }
}

#[test]
fn the_kebab_and_snake_names_of_a_function_agree() {
    for package in metadata().packages {
        let folder = folder(&package);
        let Some(function) = folder.strip_prefix("functions/") else { continue };
        assert!(!function.contains('_'), "{folder} is written with dashes");
        assert!(
            ["mlops", "mcp-endpoint"].contains(&package.name.as_str()) || package.name == format!("agent-{function}"),
            "{folder} holds {}",
            package.name
        );
    }
    for folder in std::fs::read_dir(Fleet::repository().join("lib/capabilities")).unwrap().flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        assert!(!name.contains('-') && Path::new(&folder.path()).join("src/capability.rs").is_file(), "{name}");
    }
}

#[test]
fn ci_runs_every_check() {
    let read = |name: &str| std::fs::read_to_string(Fleet::repository().join(name)).unwrap();
    let (makefile, gate) = (read("Makefile"), read(".ci/run"));
    let checks = makefile.lines().find_map(|line| line.strip_prefix("check: ")).unwrap();
    let checks = checks.split("##").next().unwrap().split_whitespace();
    for check in checks.chain(["setup", "demo", "cdk", "e2e", "coverage"]) {
        let runs = |line: &str| {
            let mut words = line.split_whitespace();
            matches!(words.next(), Some("step" | "beside")) && words.any(|word| word == check)
        };
        assert!(gate.lines().any(runs), ".ci/run does not run `make {check}`");
    }
}
