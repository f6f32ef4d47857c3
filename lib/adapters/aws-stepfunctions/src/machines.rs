//! The state machines that the fleet knows, and the names of what belongs to them.

use std::collections::BTreeMap;

use mlops_core::arguments::nearest;
use mlops_core::settings::STATE_MACHINES;
use mlops_core::{Error, Result};

/// A state machine by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// As it was given; it may name a version or an alias.
    pub(crate) arn: String,
    partition: String,
    region: String,
    account: String,
    name: String,
}

/// The state machines by the names that the fleet has for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machines(BTreeMap<String, Machine>);

impl Machine {
    fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "states", region, account, "stateMachine", name, ..] = parts[..] else { return None };
        if parts.len() > 8 || parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let [partition, region, account, name] = [partition, region, account, name].map(str::to_owned);
        Some(Self { arn: arn.to_owned(), partition, region, account, name })
    }

    /// The ARN that an execution of that name has.
    pub(crate) fn execution(&self, name: &str) -> String {
        let Self { partition, region, account, .. } = self;
        format!("arn:{partition}:states:{region}:{account}:execution:{}:{name}", self.name)
    }

    /// The page of the execution in the console.
    pub(crate) fn console_url(&self, execution_arn: &str) -> String {
        let region = &self.region;
        let console = match self.partition.as_str() {
            "aws-cn" => "console.amazonaws.cn".to_owned(),
            "aws-us-gov" => "console.amazonaws-us-gov.com".to_owned(),
            _ => format!("{region}.console.aws.amazon.com"),
        };
        format!("https://{console}/states/home?region={region}#/v2/executions/details/{execution_arn}")
    }
}

impl Machines {
    /// The machines of those ARNs. What is not the ARN of a state machine is `InvalidInput`.
    pub(crate) fn new(arns: BTreeMap<String, String>) -> Result<Self> {
        let machines = arns.into_iter().map(|(name, arn)| match Machine::parse(&arn) {
            Some(machine) => Ok((name, machine)),
            None => Err(Error::invalid_input(format!("`{arn}` is not the ARN of a state machine"))
                .at(STATE_MACHINES.name)
                .hint(format!("write {name}=arn:aws:states:<region>:<account>:stateMachine:<name>"))),
        });
        Ok(Self(machines.collect::<Result<_>>()?))
    }

    /// The machine of that name; `NotFound` when there is none.
    pub(crate) fn get(&self, name: &str) -> Result<&Machine> {
        self.0.get(name).ok_or_else(|| {
            let known = self.0.keys().map(String::as_str);
            let hint = match nearest(name, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{} names: {}", STATE_MACHINES.name, known.collect::<Vec<_>>().join(", ")),
            };
            Error::not_found(format!("there is no state machine {name}")).at("machine").hint(hint)
        })
    }

    /// Names and machines, in the order of the names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Machine)> {
        self.0.iter().map(|(name, machine)| (name.as_str(), machine))
    }
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;

    use super::*;

    fn machines(pairs: &[(&str, &str)]) -> Result<Machines> {
        Machines::new(pairs.iter().map(|(name, arn)| ((*name).to_owned(), (*arn).to_owned())).collect())
    }

    #[test]
    fn an_executions_arn_follows_from_its_machine() {
        let arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:fleet-training";
        for given in [arn.to_owned(), format!("{arn}:7"), format!("{arn}:live")] {
            let machines = machines(&[("training", &given)]).unwrap();
            let machine = machines.get("training").unwrap();
            let execution = "arn:aws:states:eu-central-1:123456789012:execution:fleet-training:run-1";
            assert_eq!((machine.execution("run-1"), &machine.arn), (execution.to_owned(), &given));
            let page = machine.console_url(execution);
            let address = "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions";
            assert_eq!(page, format!("{address}/details/{execution}"));
        }
        let china = machines(&[("a", "arn:aws-cn:states:cn-north-1:1:stateMachine:m")]).unwrap();
        let page = china.get("a").unwrap().console_url("x");
        assert!(page.starts_with("https://console.amazonaws.cn/states/home?region=cn-north-1#"), "{page}");
    }

    #[test]
    fn what_is_no_machine_is_named() {
        for wrong in [
            "training",
            "arn:aws:states:eu-central-1:1:execution:m:run",
            "arn:aws:lambda:eu-central-1:1:function:m",
            "arn:aws:states::1:stateMachine:m",
            "arn:aws:states:eu-central-1:1:stateMachine:",
            "arn:aws:states:eu-central-1:1:stateMachine:m:1:2",
        ] {
            let error = machines(&[("training", wrong)]).unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(STATE_MACHINES.name)));
        }
        let machines = machines(&[("training", "arn:aws:states:eu-central-1:1:stateMachine:m")]).unwrap();
        let error = machines.get("trainin").unwrap_err();
        assert_eq!((error.kind, error.hint.as_deref()), (ErrorKind::NotFound, Some("did you mean `training`?")));
        assert!(machines.get("x").unwrap_err().hint.unwrap().contains("MLOPS_STATE_MACHINES names: training"));
    }
}
