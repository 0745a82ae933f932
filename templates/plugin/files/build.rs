//! Link arguments that only the plugin's own package can give.

fn main() {
    // The host proves with the build id that it runs the code that is installed.
    println!("cargo::rustc-cdylib-link-arg=-Wl,--build-id=sha1");
    // A Rust library must stay mapped: threads and thread-locals of it may outlive a `dlclose`.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
