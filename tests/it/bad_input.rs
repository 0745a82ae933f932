//! Whatever a user gets wrong: the code, the thing, the way out, and nothing half-written.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn names_that_cannot_be() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.hecate("new plugin My_Plugin"), @r"
    exit 2
    error: `My_Plugin` is not a plugin name: it starts with `M`, and must start with a lowercase letter
    hint: did you mean `my-plugin`?
    ");
}
