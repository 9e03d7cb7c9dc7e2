//! A PostgreSQL server of the test's own, in a folder that goes with it. Other crates' tests use it, too.
//!
//! The first test makes an empty one and keeps it below the target folder; the others begin with a
//! copy of that. PostgreSQL does not run as root, so then it runs as the user of Debian's package.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sync_hub::store::prepare;
use tempfile::TempDir;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// What is enough for tests.
const SETTINGS: [&str; 3] = ["listen_addresses=", "shared_buffers=16MB", "max_connections=60"];
/// Of a server that listens to nothing but a socket in its folder.
const PORT: u16 = 5432;
/// Of the administrator and of the hub's role: every connection in the tests shows it.
pub const PASSWORD: &str = "only-for-tests";

/// A server; stopped when it is dropped.
pub struct Cluster {
    pub folder: TempDir,
    port: u16,
    server: Child,
}

impl Cluster {
    /// A server with a database `carepost` that is ready for a hub in the role `hub`.
    pub fn start() -> Self {
        Self::start_as(&SETTINGS, PORT, |_| {})
    }

    /// The same with other settings, and a port for those who listen to more than a socket. Before it starts,
    /// `furnish` may write into its folder.
    pub fn start_as(settings: &[&str], port: u16, furnish: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let template = template();
        if let Some((user, group)) = other_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let copied = Command::new("cp").arg("-a").arg(&template).arg(&data).status().unwrap();
        assert!(copied.success());
        furnish(&data);
        if let Some((user, group)) = other_user() {
            for file in fs::read_dir(&data).unwrap() {
                chown(file.unwrap().path(), Some(user), Some(group)).unwrap();
            }
        }
        let mut command = as_user(&program("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-p", &port.to_string()]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
        let ready = said.by_ref().any(|line| line.unwrap().contains("ready to accept connections"));
        assert!(ready, "PostgreSQL did not start; its folder was {}", data.display());
        // Somebody has to listen, or it waits until somebody does.
        std::thread::spawn(move || said.for_each(drop));
        let cluster = Self { folder, port, server };
        cluster.ask("postgres", "postgres", "CREATE DATABASE carepost").unwrap();
        let [admin, hub] = ["postgres", "hub"].map(|it| cluster.address(it, "carepost"));
        prepare(&admin.parse().unwrap(), &hub.parse().unwrap()).unwrap();
        cluster
    }

    /// Copies the database as it is. Connections to it are cut.
    pub fn copy(&self) {
        self.end_connections();
        self.ask("postgres", "postgres", "CREATE DATABASE copy TEMPLATE carepost").unwrap();
    }

    /// Puts back the copy in place of the database.
    pub fn put_back(&self) {
        self.end_connections();
        self.ask("postgres", "postgres", "DROP DATABASE carepost").unwrap();
        self.ask("postgres", "postgres", "ALTER DATABASE copy RENAME TO carepost").unwrap();
    }

    fn end_connections(&self) {
        let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE datname = 'carepost'";
        self.ask("postgres", "postgres", end).unwrap();
    }

    /// The address of a database as this role.
    pub fn address(&self, role: &str, database: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgres://{role}:{PASSWORD}@/{database}?host={folder}&port={}", self.port)
    }

    /// Runs statements as this role: the rows that they answer, or the code of the error.
    pub fn ask(&self, role: &str, database: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let (address, sql) = (self.address(role, database), sql.to_owned());
        let asked = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let (client, connection) = tokio_postgres::connect(&address, NoTls).await?;
                tokio::spawn(connection);
                client.simple_query(&sql).await
            })
        });
        let told = asked.join().unwrap().map_err(|error| {
            error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned())
        })?;
        let cells = |it: &SimpleQueryMessage| {
            let SimpleQueryMessage::Row(row) = it else { return None };
            Some((0..row.len()).map(|at| row.get(at).unwrap_or("").to_owned()).collect())
        };
        Ok(told.iter().filter_map(cells).collect())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

/// An empty server's folder, made once.
fn template() -> PathBuf {
    let version = Command::new(program("postgres")).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version).replace(|it: char| !it.is_alphanumeric(), "-");
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = kept.join(format!("cluster-{version}"));
    let lock = File::create(kept.join("cluster.lock")).unwrap();
    lock.lock().unwrap();
    if template.exists() {
        return template;
    }
    let folder = tempfile::tempdir().unwrap();
    if let Some((user, group)) = other_user() {
        chown(folder.path(), Some(user), Some(group)).unwrap();
    }
    let (data, password) = (folder.path().join("data"), folder.path().join("password"));
    fs::write(&password, PASSWORD).unwrap();
    let made = as_user(&program("initdb"))
        .args(["--no-locale", "--encoding=UTF8", "--username=postgres", "--wal-segsize=1"])
        .args(["--auth=scram-sha-256", "--no-sync", "--pwfile"])
        .arg(&password)
        .arg("-D")
        .arg(&data)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    // Under its name there is a whole one, or none.
    let part = template.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    assert!(Command::new("cp").arg("-a").arg(&data).arg(&part).status().unwrap().success());
    fs::rename(&part, &template).unwrap();
    template
}

/// A program of PostgreSQL: on the PATH, or where Debian puts it, the newest.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<_> = versions.map(|it| it.unwrap().path().join("bin")).collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    let found = folders.into_iter().map(|it| it.join(name)).find(|it| it.exists());
    found.unwrap_or_else(|| panic!("these tests need PostgreSQL; install the package postgresql"))
}

/// Whom to run as if this is root.
fn other_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let found = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields[0] == "postgres").then(|| Some((fields[2].parse().ok()?, fields[3].parse().ok()?)))
    });
    found.unwrap_or_else(|| {
        panic!("as root these tests need the user postgres; install the package postgresql")
    })
}

fn as_user(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group).current_dir("/");
    }
    command
}
