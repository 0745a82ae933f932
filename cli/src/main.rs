//! The `hecate` command: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    hecate_cli::main(std::env::args_os())
}
