//! What people read, in their language.

use mlops_core::Lang;
use mlops_model_registry::Verification;

use crate::agent::{Outputs, RolledBack};

/// Why a version is looked at that nobody complained of; kept in records, which are in English.
pub(crate) const fn smoke() -> &'static str {
    "smoke prediction after registration"
}

pub(crate) fn asked_for_by(by: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{by} asked for it"),
        Lang::Ja => format!("{by} の依頼"),
    }
}

pub(crate) fn healthy(verification: &Verification, lang: Lang) -> String {
    let Verification { version, golden_rows, .. } = verification;
    match (lang, *golden_rows) {
        (Lang::En, 0) => format!("version {version} has the registered hash and loads; it has no golden rows"),
        (Lang::En, rows) => format!("version {version} predicts its {rows} golden rows as it did"),
        (Lang::Ja, 0) => {
            format!("バージョン {version} は登録時のハッシュと一致し、読み込めました (検証用の行はありません)")
        }
        (Lang::Ja, rows) => {
            format!("バージョン {version} は検証用の {rows} 行で登録時と同じ予測をしました")
        }
    }
}

pub(crate) fn unhealthy(version: u64, reason: &str, rolled_back: Option<RolledBack>, lang: Lang) -> String {
    let end = match (lang, rolled_back.map(|moved| moved.to)) {
        (Lang::En, Some(Some(to))) => format!("version {to} is the champion again"),
        (Lang::En, Some(None)) => "there is no champion now".to_owned(),
        (Lang::En, None) => "the champion is another version and stays".to_owned(),
        (Lang::Ja, Some(Some(to))) => format!("採用モデルをバージョン {to} に戻しました"),
        (Lang::Ja, Some(None)) => "採用モデルはなくなりました".to_owned(),
        (Lang::Ja, None) => "採用モデルは別のバージョンのため変わりません".to_owned(),
    };
    match lang {
        Lang::En => format!("version {version} does not work: {reason}; {end}"),
        Lang::Ja => format!("バージョン {version} は使えません: {reason}。{end}"),
    }
}

pub(crate) fn refused(version: u64, reason: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("version {version} cannot be used: {reason}; the champion stays"),
        Lang::Ja => format!("バージョン {version} は使えません: {reason}。採用モデルは変わりません"),
    }
}

pub(crate) fn went_back(from: Option<u64>, to: u64, lang: Lang) -> String {
    match (lang, from) {
        (Lang::En, Some(from)) if from == to => format!("version {to} was the champion already"),
        (Lang::En, Some(from)) => format!("the champion went back from version {from} to version {to}"),
        (Lang::En, None) => format!("version {to} is the champion again; there was none"),
        (Lang::Ja, Some(from)) if from == to => format!("採用モデルはすでにバージョン {to} です"),
        (Lang::Ja, Some(from)) => format!("採用モデルをバージョン {from} から {to} に戻しました"),
        (Lang::Ja, None) => format!("採用モデルをバージョン {to} にしました (採用モデルはありませんでした)"),
    }
}

pub(crate) fn next_hint(outputs: &Outputs, lang: Lang) -> &'static str {
    if outputs.healthy {
        lang.pick("remember the run", "実行を記録する")
    } else {
        lang.pick("look at the model and train it again", "モデルを確認し、再学習する")
    }
}
