//! The chores of the repository: `cargo xtask demo | test | bench | api`.

mod screens;
mod steps;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use steps::{Steps, output, run};

const USAGE: &str = "\
cargo xtask demo [OPTIONS]     build everything, make a demonstration clinic and serve it;
                               the options are those of `carepost demo` (--listen, --data, --days)
cargo xtask test [--only STEP] install what is missing and run all tests, or those of one step:
                               format, clippy, deny, screens, rust, api, fhir, browser
cargo xtask bench [OPTIONS]    build everything and print what the box does in figures, each beside its reference:
                               --quick, --only GROUP, --appointments N, --fresh (see tests/bench/figures.rs)
cargo xtask api                write kiosk/openapi.json and the TypeScript types made from it";

/// The screens' copy of the API document, kept in the repository so that a change of it shows in review.
const API_DOCUMENT: &str = "kiosk/openapi.json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["demo", passed_on @ ..] => demo(passed_on),
        ["test"] => test(None),
        ["test", "--only", step] => test(Some(step)),
        ["bench", passed_on @ ..] => bench(passed_on),
        ["api"] => api(),
        ["help" | "--help" | "-h"] => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        [] | [_, ..] => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("\nxtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A line for the person at the terminal; everything else on the screen comes from the programs xtask calls.
fn say(line: &str) {
    use std::io::Write;
    // A closed terminal is no reason to stop half way.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// From which proptest draws its inputs; without it, from chance.
const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";

/// The top of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Cargo's target folder, wherever it was put: xtask itself lies in `<target>/debug`.
fn target() -> Result<PathBuf> {
    match std::env::current_exe()?.ancestors().nth(2) {
        Some(folder) => Ok(folder.to_path_buf()),
        None => bail!("xtask must be started by `cargo xtask`"),
    }
}

fn cargo(arguments: &[&str]) -> Result<()> {
    run(Command::new("cargo").args(arguments).current_dir(root()))
}

fn demo(passed_on: &[&str]) -> Result<()> {
    tools::to_build()?;
    screens::build()?;
    // The hub, too, which the demonstration starts beside the box.
    cargo(&["build", "--locked", "--release", "--package", "carepost", "--package", "sync-hub"])?;
    // The caller's folder stays the current one: `--data` may be relative to it.
    run(Command::new(target()?.join("release/carepost")).arg("demo").args(passed_on))
}

/// Measures the program as it is shipped, in a process of its own.
fn bench(passed_on: &[&str]) -> Result<()> {
    tools::to_build()?;
    let browser = tools::browser()?;
    screens::build()?;
    screens::install(screens::BROWSER_TESTS)?;
    cargo(&["build", "--locked", "--release", "--package", "carepost", "--package", "sync-hub"])?;
    run(Command::new("cargo")
        .args(["bench", "--locked", "--package", "tests", "--bench", "figures", "--"])
        .args(passed_on)
        .current_dir(root())
        .env("CAREPOST", target()?.join("release/carepost"))
        .env("HUB_PROGRAM", target()?.join("release/carepost-hub"))
        .env("CHROMIUM", browser))
}

fn test(only: Option<&str>) -> Result<()> {
    const STEPS: [&str; 8] =
        ["format", "clippy", "deny", "screens", "rust", "api", "fhir", "browser"];
    if let Some(name) = only
        && !STEPS.contains(&name)
    {
        bail!("there is no step \"{name}\"; the steps are {}", STEPS.join(", "));
    }
    let mut steps = Steps::new(only);
    // The binary embeds the screens, so their folder has to be there before any of it is compiled.
    steps.prepare("tools", || {
        tools::to_build()?;
        std::fs::create_dir_all(root().join("kiosk/dist"))?;
        Ok(())
    })?;
    steps.run("format", || cargo(&["fmt", "--all", "--check"]))?;
    steps.run("clippy", || {
        cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
    })?;
    steps.run("deny", deny)?;
    steps.run("screens", || {
        screens::build()?;
        screens::npm(screens::KIOSK, &["run", "check"])?;
        screens::npm(screens::KIOSK, &["test"])
    })?;
    steps.run("rust", || {
        screens::build()?;
        screens::install(screens::FHIR_TESTS)?;
        tools::age()?;
        tools::postgresql()?;
        tools::faketime()?;
        tools::mosquitto()?;
        rust_tests()
    })?;
    steps.run("api", || {
        if api_document()? != std::fs::read(root().join(API_DOCUMENT))? {
            bail!("{API_DOCUMENT} is not what the box serves; run `cargo xtask api` and look at the difference");
        }
        screens::install(screens::KIOSK)?;
        screens::npm(screens::KIOSK, &["run", "api", "--", "--check"])
    })?;
    steps.run("fhir", || {
        tools::python()?;
        screens::build()?;
        screens::install(screens::FHIR_TESTS)?;
        screens::npm(screens::FHIR_TESTS, &["run", "check"])?;
        let box_program = debug_program()?;
        run(screens::npm_command(screens::FHIR_TESTS, &["test"])
            .env("CAREPOST", box_program)
            .env("FHIR_CLIENTS", target()?.join("fhir-clients")))
    })?;
    steps.run("browser", || {
        let browser = tools::browser()?;
        screens::build()?;
        screens::install(screens::BROWSER_TESTS)?;
        let box_program = debug_program()?;
        run(screens::npm_command(screens::BROWSER_TESTS, &["test"])
            .env("CAREPOST", box_program)
            .env("CHROMIUM", browser))
    })?;
    steps.finish();
    Ok(())
}

/// Licences, bans and sources always; advisories where their database can be had or is there already.
fn deny() -> Result<()> {
    let deny = tools::cargo_tool("cargo-deny", "0.20.2")?;
    let check = |arguments: &[&str]| {
        run(Command::new(&deny)
            .args(["--config", ".config/deny.toml"])
            .args(arguments)
            .current_dir(root()))
    };
    check(&["check", "licenses", "bans", "sources"])?;
    if check(&["fetch", "db"]).is_ok() {
        return check(&["check", "--disable-fetch", "advisories"]);
    }
    say(
        "The advisory database cannot be fetched from here: dependencies were NOT checked for known weaknesses.",
    );
    Ok(())
}

fn rust_tests() -> Result<()> {
    let nextest = tools::cargo_tool("cargo-nextest", "0.9.143")?;
    // The same set of targets as the tests, so that the program shares their dependencies and is there for them.
    build_debug()?;
    // The same tree is judged alike each time; inputs drawn anew are for those who look for faults.
    let seed = std::env::var_os(PROPTEST_SEED).unwrap_or_else(|| "1".into());
    run(Command::new(nextest)
        .args(["nextest", "run", "--locked", "--workspace", "--profile", "ci"])
        .env(PROPTEST_SEED, seed)
        .current_dir(root()))
}

fn build_debug() -> Result<()> {
    cargo(&["build", "--locked", "--workspace", "--tests", "--bins"])
}

fn debug_program() -> Result<PathBuf> {
    build_debug()?;
    Ok(target()?.join("debug/carepost"))
}

fn api_document() -> Result<Vec<u8>> {
    output(Command::new(debug_program()?).arg("openapi"))
}

fn api() -> Result<()> {
    tools::to_build()?;
    screens::build()?;
    std::fs::write(root().join(API_DOCUMENT), api_document()?)?;
    screens::npm(screens::KIOSK, &["run", "api"])
}
