//! The screens and their browser tests: packages installed and static files built, only when something changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::steps::run;
use crate::{root, say, tools};

/// The package of the screens.
pub const KIOSK: &str = "kiosk";
/// The package of the tests that drive them in a browser.
pub const BROWSER_TESTS: &str = "tests/screens";
/// The package with HL7's definitions and examples of FHIR, from which tables are made and tested, and with the
/// tests that ask the program as other systems do.
pub const FHIR_TESTS: &str = "tests/fhir";

/// `npm` in the folder of a package.
pub fn npm_command(package: &str, arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(root().join(package));
    npm
}

/// Runs `npm` in the folder of a package.
pub fn npm(package: &str, arguments: &[&str]) -> Result<()> {
    run(&mut npm_command(package, arguments))
}

/// `npm ci`, left out when the packages of this very lock file are installed.
pub fn install(package: &str) -> Result<()> {
    tools::node()?;
    let folder = root().join(package);
    let lock = fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("{package}/package-lock.json"))?;
    // Written last, so that an installation that was interrupted is done again.
    let installed = folder.join("node_modules/.installed-lock");
    if fs::read(&installed).is_ok_and(|last| last == lock) {
        return Ok(());
    }
    npm(package, &["ci", "--no-audit", "--no-fund"])?;
    Ok(fs::write(installed, lock)?)
}

/// Builds the screens when a source is newer than what was built last.
pub fn build() -> Result<()> {
    install(KIOSK)?;
    let folder = root().join(KIOSK);
    let built = folder.join("node_modules/.screens-built");
    let last = fs::metadata(&built).and_then(|stamp| stamp.modified()).ok();
    let dist_is_there = folder.join("dist/assets").is_dir();
    if dist_is_there && last.is_some_and(|last| newest(&folder).is_ok_and(|newest| newest <= last))
    {
        say("The screens are built already.");
        return Ok(());
    }
    // The moment before the build counts: what is edited during it is newer.
    let start = SystemTime::now();
    npm(KIOSK, &["run", "build"])?;
    Ok(fs::File::create(built)?.set_modified(start)?)
}

/// When the newest source below a folder was written.
fn newest(folder: &Path) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut folders: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        newest = newest.max(fs::metadata(&folder)?.modified()?);
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if entry.file_type()?.is_file() {
                newest = newest.max(entry.metadata()?.modified()?);
            } else if name != "node_modules" && name != "dist" {
                folders.push(entry.path());
            }
        }
    }
    Ok(newest)
}
