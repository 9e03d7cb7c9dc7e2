//! The programs that building and testing need: found, or installed where that is allowed, or named plainly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::steps::{output, run};
use crate::{say, target};

/// The oldest Node that the screens' build runs on.
const NODE_OLDEST: [u32; 2] = [20, 19];

/// What compiling SQLCipher and its OpenSSL takes, besides the C compiler that linked xtask itself.
pub fn to_build() -> Result<()> {
    let mut missing = Vec::new();
    if on_path("make").is_none() {
        missing.push("make");
    }
    // Debian's perl-base lacks the modules that OpenSSL's configuration asks for.
    let perl = Command::new("perl")
        .args(["-MFindBin", "-MIPC::Cmd", "-MTime::Piece", "-e", "1"])
        .stderr(Stdio::null())
        .status();
    if !perl.is_ok_and(|status| status.success()) {
        missing.push("perl");
    }
    install(&missing)
}

/// The stock `age`, which opens the box's backups in a test.
pub fn age() -> Result<()> {
    if on_path("age").is_none() { install(&["age"]) } else { Ok(()) }
}

/// PostgreSQL, of which the hub's tests start servers of their own. Debian keeps its programs off the PATH.
pub fn postgresql() -> Result<()> {
    let versions = fs::read_dir("/usr/lib/postgresql");
    let is_there = |it: &fs::DirEntry| is_program(&it.path().join("bin/initdb"));
    if on_path("initdb").is_some() || versions.is_ok_and(|it| it.flatten().any(|it| is_there(&it)))
    {
        return Ok(());
    }
    install(&["postgresql"])
}

/// Mosquitto, of which the tests of the relay start brokers of their own. Debian keeps it where only root looks, and
/// would start one beside them.
pub fn mosquitto() -> Result<()> {
    if on_path("mosquitto").is_some() || is_program(Path::new("/usr/sbin/mosquitto")) {
        return Ok(());
    }
    install(&["mosquitto"])
}

/// A clock that lies, for a test of what the box does in 1970.
pub fn faketime() -> Result<()> {
    if on_path("faketime").is_none() { install(&["faketime"]) } else { Ok(()) }
}

/// Python, with what it takes to install packages beside those of the system: stock FHIR clients are written in it.
pub fn python() -> Result<()> {
    let venv = Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .stderr(Stdio::null())
        .status();
    if venv.is_ok_and(|status| status.success()) { Ok(()) } else { install(&["python3-venv"]) }
}

/// Chromium, or the browser that `CHROMIUM` names.
pub fn browser() -> Result<PathBuf> {
    let find = || ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path);
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    install(&["chromium"])?;
    find().context("Chromium was installed but is not on the PATH; name it in CHROMIUM")
}

/// Checks that Node is there and new enough.
pub fn node() -> Result<()> {
    let [major, minor] = NODE_OLDEST;
    let wanted = format!(
        "Node {major}.{minor} or newer is needed, with npm: https://nodejs.org/en/download"
    );
    if on_path("npm").is_none() {
        bail!("npm is missing. {wanted}");
    }
    let printed = output(Command::new("node").arg("--version")).with_context(|| wanted.clone())?;
    let printed = String::from_utf8_lossy(&printed);
    match version(&printed) {
        Some(found) if found >= NODE_OLDEST => Ok(()),
        Some(_) | None => bail!("this is Node {}. {wanted}", printed.trim()),
    }
}

/// `v20.20.2` as major and minor.
fn version(printed: &str) -> Option<[u32; 2]> {
    let mut parts = printed.trim().trim_start_matches('v').split('.').map(str::parse);
    Some([parts.next()?.ok()?, parts.next()?.ok()?])
}

/// A cargo subcommand, found on the PATH, else installed below the target folder in this version: ready-made in
/// seconds where Python's pip is there, else compiled, which takes minutes.
pub fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    if let Some(found) = on_path(name) {
        return Ok(found);
    }
    let home = target()?.join("tools").join(format!("{name}-{version}"));
    let program = home.join("bin").join(name);
    if program.exists() {
        return Ok(program);
    }
    // Installed aside and moved when complete, so that an interrupted installation is never taken for one.
    let aside = home.with_extension("part");
    if aside.exists() {
        fs::remove_dir_all(&aside)?;
    }
    let ready = run(Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"])
        .arg("--target")
        .arg(&aside)
        .arg(format!("astral-dev-toolchain-{name}=={version}"))
        .env("PIP_ROOT_USER_ACTION", "ignore"));
    if ready.is_err() || !aside.join("bin").join(name).exists() {
        say(&format!("{name} cannot be had ready-made; compiling it takes some minutes."));
        run(Command::new("cargo")
            .args(["install", "--locked", "--version", version, name, "--root"])
            .arg(&aside))?;
    }
    fs::rename(&aside, &home)?;
    Ok(program)
}

/// Installs Debian packages, or says which are wanted.
fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    let may_sudo = || {
        let tried = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    if on_path("apt-get").is_none() || !(is_root || may_sudo()) {
        bail!("please install what these Debian packages hold, then run this again: {names}");
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(if is_root { "env" } else { "sudo" });
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command.args(["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"]);
        run(command.args(arguments))
    };
    let wanted = || -> Result<()> {
        apt(&["update", "-qq"])?;
        apt(&[&["install", "--yes", "-qq", "--no-install-recommends"], packages].concat())
    };
    wanted().with_context(|| {
        format!("please install these Debian packages, then run this again: {names}")
    })
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::{NODE_OLDEST, version};

    #[test]
    fn a_node_older_than_the_build_needs_is_told_apart() {
        assert!(version("v20.9.0\n").unwrap() < NODE_OLDEST);
        assert!(version("v20.19.0\n").unwrap() >= NODE_OLDEST);
        assert!(version("v22.1.0\n").unwrap() >= NODE_OLDEST);
        assert_eq!(version("not a version"), None);
    }
}
