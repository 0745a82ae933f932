//! A new template must rebuild this crate: `include_dir!` notices changed files only.

fn main() {
    println!("cargo::rerun-if-changed=.");
}
