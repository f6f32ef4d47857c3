//! What a comment, a label, a repository and a check are.

use super::*;

fn comment(marker: &str, body: &str) -> Comment {
    Comment { marker: marker.to_owned(), body: body.to_owned() }
}

#[test]
fn a_comment_is_its_hidden_line_and_its_text_without_secrets() {
    let text = comment("run-1", "see ghp_abcdefghijklmnop\n\n").to_text().unwrap();
    assert_eq!(text, "<!-- mlops:run-1 -->\n\nsee ghp_***masked***\n");
}

#[test]
fn what_is_no_comment_names_the_field() {
    for marker in ["", ".hidden", "../x", "a/b", "a b", "x-->", "ペンギン", &"x".repeat(101), "ghp_abcdefghijklmnop"]
    {
        let error = comment(marker, "text").to_text().unwrap_err();
        assert_eq!(error.field.as_deref(), Some("marker"), "{marker}");
        assert!(!error.message.contains("abcdefghijklmnop"), "{error}");
    }
    for body in ["", " \n", &"ペ".repeat(Comment::LONGEST), &"🐧".repeat(Comment::LONGEST / 2)] {
        assert_eq!(comment("m", body).to_text().unwrap_err().field.as_deref(), Some("body"));
    }
    assert!(comment("m", &"ペ".repeat(Comment::LONGEST - 100)).to_text().is_ok());
}

#[test]
fn labels_are_short_lines_and_not_wanted_and_unwanted_at_once() {
    let labels = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    check_labels(&labels(&["mlops", "学習済み", "with spaces"]), &labels(&["failed"])).unwrap();
    for wrong in ["", " x", "a\nb", &"x".repeat(51), "ghp_abcdefghijklmnop"] {
        let error = check_labels(&labels(&[wrong]), &[]).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("add"), "{wrong}");
        assert!(!error.message.contains("abcdefghijklmnop"));
    }
    let error = check_labels(&labels(&["Done"]), &labels(&["done"])).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("remove"));
}

#[test]
fn repositories_and_commits_are_known_by_their_form() {
    assert_eq!(owner_and_name("owner/a.b-c_d").unwrap(), ("owner", "a.b-c_d"));
    for wrong in ["", "owner", "owner/..", "../name", "a/b/c", "owner/a b", "owner/", "/name"] {
        assert_eq!(owner_and_name(wrong).unwrap_err().field.as_deref(), Some("repo"), "{wrong}");
    }
    check_commit(&"0f".repeat(20)).unwrap();
    for wrong in ["", "main", &"0F".repeat(20), &"0".repeat(39)] {
        assert_eq!(check_commit(wrong).unwrap_err().field.as_deref(), Some("commit"), "{wrong}");
    }
}

#[test]
fn a_check_is_cut_to_what_is_shown_and_has_no_secrets() {
    let check = |context: &str, description: &str, link: &str| CommitCheck {
        context: context.to_owned(),
        state: CheckState::Success,
        description: Some(description.to_owned()),
        link: Some(link.to_owned()),
    };
    let sound = check("mlops/training", &"ペ".repeat(200), "https://example.org/r").to_sound().unwrap();
    assert_eq!(sound.description.unwrap().chars().count(), 140);
    let sound =
        check("m", "ghp_abcdefghijklmnop\nx", "https://me:ghp_abcdefghijklmnop@example.org/").to_sound().unwrap();
    assert!(!format!("{sound:?}").contains("abcdefghijklmnop"));
    for (context, link, field) in
        [("", "https://x", "context"), ("a\nb", "https://x", "context"), ("m", "file:///x", "link")]
    {
        assert_eq!(check(context, "d", link).to_sound().unwrap_err().field.as_deref(), Some(field));
    }
}
