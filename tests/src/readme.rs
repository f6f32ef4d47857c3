//! The README's table of tools is the one that the tools give.

use mlops_host::documentation::table_of_tools;

use crate::fleet::Fleet;
use crate::workspace::platform;

const BEGIN: &str = "<!-- tools -->\n";
const END: &str = "<!-- /tools -->";

#[test]
fn readme_lists_every_tool() {
    let (platform, _folder) = platform();
    let path = Fleet::repository().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a place for the table");
    let (table, after) = rest.split_once(END).expect("the place ends");
    let expected = table_of_tools(&platform.toolbox);
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
    } else {
        assert_eq!(table, expected, "run `make readme`");
    }
}
