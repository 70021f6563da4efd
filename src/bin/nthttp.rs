//! The `nthttp` command; everything it does is in the room `admin`.

use std::process::ExitCode;

fn main() -> ExitCode {
    nthttp::admin::main()
}
