//! The bundle is part of the binary: when it changes, so does the binary.

fn main() {
    // Cargo reads build scripts' standard output.
    #[expect(clippy::print_stdout, reason = "this is how a build script talks to Cargo")]
    {
        println!("cargo::rerun-if-changed=../dist");
        println!("cargo::rerun-if-changed=../migrations");
    }
}
