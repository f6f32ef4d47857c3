//! `mlops`: the fleet on one machine.

fn main() -> std::process::ExitCode {
    mlops::main()
}
