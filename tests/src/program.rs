//! The program as its users run it, built where the tests can find it.

fn main() -> std::process::ExitCode {
    mlops::main()
}
