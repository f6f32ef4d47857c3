//! The algorithm and its hyperparameters, checked against the tables of the algorithms themselves.

use mlops_algorithms::models::{Accepts, Algorithm, HyperparameterError, Hyperparameters, Task, hyperparameter_table};
use mlops_core::Lang;
use mlops_core::arguments::nearest;
use mlops_core::values::{SupervisedTask, TaskType};
use serde_json::{Map, Value};

use super::{names, structure, words};
use crate::findings::Findings;

/// The name that lets the run choose.
pub(crate) const AUTO: &str = "auto";

/// The task as the algorithms call it.
pub(crate) const fn task_of(task: SupervisedTask) -> Task {
    match task {
        SupervisedTask::Classification => Task::Classification,
        SupervisedTask::Regression => Task::Regression,
    }
}

/// The names of the algorithms that serve the task; all of them while the task is not known.
fn serving(task: Option<TaskType>) -> Vec<&'static str> {
    let supervised = |of: &[Algorithm]| of.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>();
    match task.map(|task| (task, task.supervised())) {
        Some((_, Some(task))) => supervised(Algorithm::for_task(task_of(task))),
        Some((task, None)) => structure::algorithms(task),
        None => {
            let others = TaskType::ALL.into_iter().flat_map(structure::algorithms);
            supervised(&Algorithm::ALL).into_iter().chain(others).collect()
        }
    }
}

/// The name of the algorithm, when it serves the task.
pub(super) fn name(config: &Map<String, Value>, task: Option<TaskType>, findings: &mut Findings<'_>) -> Option<String> {
    let lang = findings.lang;
    let serving = serving(task);
    let allowed = || serving.iter().copied().chain([AUTO]);
    let before = findings.errors.len();
    let Some(written) = names::required(config, "algorithm", findings) else {
        if let Some(error) = findings.errors.get_mut(before) {
            error.allowing(allowed());
        }
        return None;
    };
    let name = written.trim().to_lowercase().replace([' ', '-'], "_");
    if allowed().any(|allowed| allowed == name) {
        return Some(name);
    }
    let list = allowed().collect::<Vec<_>>().join(", ");
    let known = self::serving(None).into_iter().find(|known| *known == name);
    let message = if let (Some(algorithm), Some(task)) = (known, task) {
        let task = task.as_str();
        say!(
            lang,
            "{algorithm} does not do {task}; use one of {list}",
            "{algorithm} は {task} には使えません。{list} のいずれかを指定してください"
        )
    } else {
        let expected = say!(lang, "one of {list}", " {list} のいずれか");
        words::wrong("algorithm", &expected, &config["algorithm"], lang)
    };
    findings.error("algorithm", message).allowing(allowed()).suggesting(nearest(&name, allowed()));
    None
}

/// The hyperparameters that were given, under the algorithm's own names.
pub(super) fn hyperparameters(
    config: &Map<String, Value>,
    task: Option<TaskType>,
    algorithm: Option<&str>,
    findings: &mut Findings<'_>,
) -> Map<String, Value> {
    let lang = findings.lang;
    let Some(value) = config.get("hyperparameters") else { return Map::new() };
    let Value::Object(given) = value else {
        let expected = lang.pick("names with values", "項目名と値の組");
        findings.error("hyperparameters", words::wrong("hyperparameters", expected, value, lang));
        return Map::new();
    };
    if algorithm == Some(AUTO) && !given.is_empty() {
        let message = lang.pick(
            "with `algorithm: auto` no hyperparameters can be given, because each algorithm has its own; name an \
             algorithm or take them out",
            "`algorithm: auto` ではハイパーパラメータを指定できません（アルゴリズムごとに異なるため）。アルゴリズムを指定するか、\
             ハイパーパラメータを消してください",
        );
        findings.error("hyperparameters", message);
        return Map::new();
    }
    if let (Some(TaskType::Clustering | TaskType::DimensionalityReduction), Some(algorithm)) = (task, algorithm) {
        return structure::parameters(algorithm, given, findings);
    }
    let task = task.and_then(TaskType::supervised);
    let (Some(task), Some(Ok(algorithm))) = (task, algorithm.map(str::parse::<Algorithm>)) else {
        return given.clone();
    };
    let task = task_of(task);
    for problem in Hyperparameters::problems(algorithm, task, given) {
        report(&problem, algorithm, task, findings);
    }
    let table = hyperparameter_table(algorithm, task);
    let own = |name: &str| {
        let spec = table.iter().find(|spec| spec.name == name || spec.aliases.contains(&name));
        spec.map_or_else(|| name.to_owned(), |spec| spec.name.to_owned())
    };
    let has_effect =
        |(name, value): &(&String, &Value)| !Hyperparameters::is_without_effect(algorithm, task, name, value);
    given.iter().filter(has_effect).map(|(name, value)| (own(name), value.clone())).collect()
}

fn report(problem: &HyperparameterError, algorithm: Algorithm, task: Task, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let table = hyperparameter_table(algorithm, task);
    let names = || table.iter().map(|spec| spec.name);
    let field = problem.field().unwrap_or_default();
    let path = if field.is_empty() { "hyperparameters".to_owned() } else { format!("hyperparameters.{field}") };
    let message = match (lang, problem) {
        (Lang::En, HyperparameterError::Unknown { name, .. }) => {
            format!("`{}` is not a hyperparameter of {algorithm} for {task}", cut(name))
        }
        (Lang::En, problem) => problem.to_string(),
        (Lang::Ja, HyperparameterError::Task { allowed, .. }) => {
            format!("{algorithm} は {task} には使えません。使えるのは {allowed} です")
        }
        (Lang::Ja, HyperparameterError::Unknown { name, .. }) => {
            format!("`{}` は {algorithm}（{task}）のハイパーパラメータではありません", cut(name))
        }
        (Lang::Ja, HyperparameterError::Repeated { name, alias }) => {
            format!("`{alias}` と `{name}` は同じハイパーパラメータです。どちらかを消してください")
        }
        (Lang::Ja, HyperparameterError::Value { name, value, .. }) => {
            let accepts = table.iter().find(|spec| spec.name == *name).map_or(&[][..], |spec| spec.accepts);
            let accepts = accepts.iter().map(|accepts| in_japanese(*accepts)).collect::<Vec<_>>().join("、または");
            format!("`{name}` には{accepts}を指定してください（現在の値: {value}）")
        }
        (Lang::Ja, HyperparameterError::Conflict { name, other, .. }) => {
            format!("`{name}` は `{other}` と同時に指定できません")
        }
        (Lang::Ja, HyperparameterError::Unavailable { name, value, allowed, .. }) => {
            let allowed = allowed.join(" か ");
            let list = names().collect::<Vec<_>>().join("、");
            format!(
                "{algorithm} では `{name}` に {value} を指定できません。省略するか {allowed} を指定してください。\
                 使えるハイパーパラメータ: {list}"
            )
        }
    };
    let error = findings.error(path, message);
    match problem {
        HyperparameterError::Unknown { name, .. } => {
            error.allowing(names()).suggesting(nearest(name, names()));
        }
        HyperparameterError::Value { name, .. } => {
            let accepts = table.iter().find(|spec| spec.name == *name).map_or(&[][..], |spec| spec.accepts);
            error.allowing(accepts.iter().map(|accepts| accepts.describe()));
        }
        HyperparameterError::Unavailable { allowed, .. } => {
            error.allowing(allowed.iter().cloned());
        }
        _ => {}
    }
}

fn cut(name: &str) -> String {
    name.chars().take(60).collect()
}

pub(super) fn in_japanese(accepts: Accepts) -> String {
    match accepts {
        Accepts::Null => " null ".to_owned(),
        Accepts::Boolean => " true か false ".to_owned(),
        Accepts::Integer { min, max } if min == max => format!(" {min} "),
        Accepts::Integer { min, max } => format!(" {min} から {max} までの整数"),
        Accepts::Number { min, above, max, below } => {
            let lower = if above { format!(" {min} より大きい") } else { format!(" {min} 以上の") };
            let upper = match (max.is_finite(), below) {
                (false, _) => String::new(),
                (true, true) => format!(" {max} 未満の"),
                (true, false) => format!(" {max} 以下の"),
            };
            format!("{lower}{upper}数値")
        }
        Accepts::Choice(words) => format!(" {} のいずれか", words.join("、")),
        Accepts::ClassWeights => "クラス名と 0 以上の重みの組".to_owned(),
        Accepts::Directions => "特徴量名と -1、0、1 の組".to_owned(),
        Accepts::Sizes { most, min, max } => format!("{min} から {max} までの整数 1 個以上 {most} 個以下の配列"),
    }
}
