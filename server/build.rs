//! The bundle is part of the binary: when it changes, so does the binary.

fn main() {
    println!("cargo::rerun-if-changed=../dist");
    println!("cargo::rerun-if-changed=../migrations");
}
