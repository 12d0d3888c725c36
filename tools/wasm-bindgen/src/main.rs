//! The `wasm-bindgen` command as Trunk calls it.
//!
//! Trunk wants exactly the version that `Cargo.lock` names. Building the real command takes minutes;
//! this is the same library behind it with the few options that Trunk passes, and since it is a
//! member of the workspace its version cannot differ.
use std::{env, error::Error, path::PathBuf, process::ExitCode};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-bindgen: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    let mut out_dir = None;
    let mut input = None;
    for argument in arguments {
        match argument.split_once('=').unwrap_or((&argument, "")) {
            ("--version", _) => {
                #[expect(clippy::print_stdout, reason = "this is what was asked for")]
                {
                    println!("wasm-bindgen {}", wasm_bindgen_shared::version());
                }
                return Ok(());
            }
            ("--out-dir", dir) => out_dir = Some(PathBuf::from(dir)),
            (path, "") if !path.starts_with('-') && input.is_none() => {
                input = Some(path.to_owned());
            }
            (option, value) => {
                match (option, value) {
                    ("--target", "web") => bindgen.web(true)?,
                    ("--target", "no-modules") => bindgen.no_modules(true)?,
                    ("--target", "bundler") => bindgen.bundler(true)?,
                    ("--out-name", name) => bindgen.out_name(name),
                    ("--keep-debug", _) => bindgen.keep_debug(true),
                    ("--no-demangle", _) => bindgen.demangle(false),
                    ("--no-typescript", _) => bindgen.typescript(false),
                    _ => {
                        return Err(format!("`{argument}` is not an option of tools/wasm-bindgen").into());
                    }
                };
            }
        }
    }
    let input = input.ok_or("no .wasm file was named")?;
    let out_dir = out_dir.ok_or("no --out-dir was named")?;
    bindgen.input_path(input).generate(out_dir)?;
    Ok(())
}
