//! A backup opens with the stock programs and with ours, and never half.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;

const CLINIC: &str = "01935c3e-0000-7000-8000-000000000001";

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

/// A folder with two files to back up, and an identity made by the stock `age-keygen`.
struct Clinic {
    folder: TempDir,
    recipient: String,
}

impl Clinic {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipient = keygen(&folder.path().join("key.txt"));
        // Longer than several chunks of age, and not a multiple of tar's blocks.
        let database: Vec<u8> = (0..300_001_u32).map(|at| (at / 7 % 251) as u8).collect();
        fs::write(folder.path().join("db"), database).unwrap();
        fs::write(folder.path().join("k"), [7; 32]).unwrap();
        Self { folder, recipient }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, recipients: &[&str]) -> Result<Manifest, BackupError> {
        let recipients: Vec<String> = recipients.iter().map(|text| (*text).to_owned()).collect();
        let (database, key) = (self.path("db"), self.path("k"));
        let parts = [("carepost.db", database.as_path()), ("keys/db.key", key.as_path())];
        write(&self.path("b.age"), &recipients, &parts, CLINIC, now())
    }

    /// A file encrypted for the clinic with these entries, whatever they are.
    fn forge(&self, entries: &[(&str, &[u8])]) -> PathBuf {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, content) in entries {
            let mut entry = header("x", content.len() as u64, now()).unwrap();
            entry.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            entry.set_cksum();
            tar.append(&entry, *content).unwrap();
        }
        let recipient: age::x25519::Recipient = self.recipient.parse().unwrap();
        let sealed = age::encrypt(&recipient, &tar.into_inner().unwrap()).unwrap();
        fs::write(self.path("forged.age"), sealed).unwrap();
        self.path("forged.age")
    }

    fn open(&self, name: &str) -> Result<Contents, BackupError> {
        open(&self.path(name), &self.path("key.txt"))
    }

    fn left_behind(&self) -> usize {
        let names = fs::read_dir(self.folder.path()).unwrap();
        names
            .filter(|name| name.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'))
            .count()
    }
}

fn keygen(file: &Path) -> String {
    let made = Command::new("age-keygen").arg("-o").arg(file).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let public = Command::new("age-keygen").arg("-y").arg(file).output().unwrap();
    String::from_utf8(public.stdout).unwrap().trim().to_owned()
}

fn manifest_of(parts: &[(&str, &[u8])], format: u32) -> Vec<u8> {
    let parts = parts
        .iter()
        .map(|(name, content)| {
            let mut hashed = Hashed::new(*content);
            io::copy(&mut hashed, &mut io::sink()).unwrap();
            let (size, sha256) = hashed.finish();
            Part { name: (*name).to_owned(), size, sha256 }
        })
        .collect();
    let manifest = Manifest {
        format,
        program: "carepost 9".into(),
        clinic: CLINIC.into(),
        made_at: now(),
        parts,
    };
    serde_json::to_vec(&manifest).unwrap()
}

#[test]
fn each_recipient_opens_it_with_the_stock_programs_alone() {
    let clinic = Clinic::new();
    let second = keygen(&clinic.path("second.txt"));
    clinic.back_up(&[&clinic.recipient, &second]).unwrap();
    for key in ["key.txt", "second.txt"] {
        let out = clinic.path(&format!("stock-{key}"));
        fs::create_dir(&out).unwrap();
        let mut age = Command::new("age")
            .arg("-d")
            .arg("-i")
            .arg(clinic.path(key))
            .arg(clinic.path("b.age"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tar = Command::new("tar")
            .arg("-x")
            .current_dir(&out)
            .stdin(age.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(age.wait().unwrap().success() && tar.status.success(), "{tar:?}");
        for (name, original) in [("carepost.db", "db"), ("keys/db.key", "k")] {
            assert_eq!(fs::read(out.join(name)).unwrap(), fs::read(clinic.path(original)).unwrap());
        }
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["clinic"], CLINIC);
        assert_eq!(manifest["made_at"], "2026-11-21T08:00:00Z");
        let sums: String = ["carepost.db", "keys/db.key"]
            .iter()
            .zip(manifest["parts"].as_array().unwrap())
            .map(|(name, part)| format!("{}  {name}\n", part["sha256"].as_str().unwrap()))
            .collect();
        fs::write(out.join("sums"), sums).unwrap();
        let checked = Command::new("sha256sum").args(["-c", "sums"]).current_dir(&out).output();
        assert!(checked.unwrap().status.success());
    }
}

#[test]
fn what_was_backed_up_is_unpacked_again_for_its_owner_only() {
    let clinic = Clinic::new();
    let written = clinic.back_up(&[&clinic.recipient]).unwrap();
    let contents = clinic.open("b.age").unwrap();
    assert_eq!(*contents.manifest(), written);
    contents.check().unwrap();
    contents.unpack(&clinic.path("out")).unwrap();
    for (name, original) in [("carepost.db", "db"), ("keys/db.key", "k")] {
        let unpacked = clinic.path("out").join(name);
        assert_eq!(fs::read(&unpacked).unwrap(), fs::read(clinic.path(original)).unwrap());
        assert_eq!(fs::metadata(unpacked).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for (name, mode) in [("b.age", 0o600), ("out", 0o700), ("out/keys", 0o700)] {
        assert_eq!(fs::metadata(clinic.path(name)).unwrap().permissions().mode() & 0o777, mode);
    }
    let again = contents.unpack(&clinic.path("out")).unwrap_err();
    assert!(matches!(again, BackupError::NotEmpty(_)), "{again}");
    assert_eq!(clinic.left_behind(), 0);
}

#[test]
fn a_backup_for_somebody_else_is_told_from_a_damaged_one() {
    let clinic = Clinic::new();
    clinic.back_up(&[&clinic.recipient]).unwrap();
    keygen(&clinic.path("other.txt"));
    let other = open(&clinic.path("b.age"), &clinic.path("other.txt")).err().unwrap();
    assert!(matches!(other, BackupError::WrongIdentity(_)), "{other}");
    let swapped = open(&clinic.path("key.txt"), &clinic.path("key.txt")).err().unwrap();
    assert!(matches!(swapped, BackupError::NotABackup(_)), "{swapped}");
    let no_identity = open(&clinic.path("b.age"), &clinic.path("db")).err().unwrap();
    assert!(matches!(no_identity, BackupError::BadIdentity { .. }), "{no_identity}");
    assert!(!clinic.open("nothing.age").err().unwrap().to_string().contains('\n'));
}

#[test]
fn a_backup_that_is_cut_short_or_changed_anywhere_leaves_nothing_behind() {
    let clinic = Clinic::new();
    clinic.back_up(&[&clinic.recipient]).unwrap();
    let whole = fs::read(clinic.path("b.age")).unwrap();
    let chunk = 64 * 1024 + 16;
    let cuts = [0, 1, 10, 100, 250, chunk, whole.len() - chunk, whole.len() - 1];
    let mut broken: Vec<Vec<u8>> = cuts.iter().map(|at| whole[..*at].to_vec()).collect();
    // Cut exactly between two blocks, where every byte that is left is genuine.
    let mac = whole.windows(5).position(|window| window == b"\n--- ").unwrap();
    let payload = mac + 5 + 43 + 1 + 16;
    broken.extend([0, 1, 4].map(|blocks| whole[..payload + blocks * chunk].to_vec()));
    for at in [25, 60, 120, 180, 400, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        broken.push(changed);
    }
    broken.push([whole.as_slice(), b"more"].concat());
    for (at, bytes) in broken.iter().enumerate() {
        fs::write(clinic.path("broken.age"), bytes).unwrap();
        let outcome = clinic.open("broken.age").and_then(|contents| {
            assert!(contents.check().is_err(), "number {at}");
            contents.unpack(&clinic.path("out"))
        });
        let error = outcome.unwrap_err();
        assert!(!error.to_string().contains('\n'), "{error}");
        assert!(!clinic.path("out").exists());
        assert_eq!(clinic.left_behind(), 0);
    }
}

#[test]
fn a_forged_backup_writes_nowhere_else() {
    let clinic = Clinic::new();
    let names = ["../evil", "/tmp/evil", "a/../../evil", ".ssh/x", "a//b", "-x", "manifest.json"];
    for name in names {
        let parts: [(&str, &[u8]); 1] = [(name, b"x")];
        let forged = clinic.forge(&[("manifest.json", &manifest_of(&parts, 1)), parts[0]]);
        let refused = open(&forged, &clinic.path("key.txt")).err().unwrap();
        assert!(matches!(refused, BackupError::BadName(_)), "{name}: {refused}");
    }
    let good: [(&str, &[u8]); 1] = [("a", b"x")];
    let manifest = manifest_of(&good, 1);
    let lists: [&[(&str, &[u8])]; 5] = [
        &[("manifest.json", &manifest), ("../evil", b"x")],
        &[("manifest.json", &manifest), ("a", b"y")],
        &[("manifest.json", &manifest), ("a", b"xx")],
        &[("manifest.json", &manifest), ("a", b"x"), ("b", b"x")],
        &[("manifest.json", &manifest)],
    ];
    for entries in lists {
        let forged = clinic.forge(entries);
        let contents = open(&forged, &clinic.path("key.txt")).unwrap();
        let refused = contents.unpack(&clinic.path("out")).unwrap_err();
        assert!(matches!(refused, BackupError::Damaged { .. }), "{refused}");
        assert!(!clinic.path("out").exists());
    }
    clinic.forge(&[("manifest.json", &manifest_of(&good, 2)), ("a", b"x")]);
    assert!(matches!(clinic.open("forged.age"), Err(BackupError::Newer { .. })));
    clinic.forge(&[("other.txt", b"x")]);
    assert!(matches!(clinic.open("forged.age"), Err(BackupError::NotABackup(_))));
    let recipient: age::x25519::Recipient = clinic.recipient.parse().unwrap();
    fs::write(clinic.path("text.age"), age::encrypt(&recipient, &[b'x'; 2000]).unwrap()).unwrap();
    assert!(matches!(clinic.open("text.age"), Err(BackupError::NotABackup(_))));
}

#[test]
fn a_backup_that_cannot_be_finished_leaves_the_last_one_alone() {
    let clinic = Clinic::new();
    fs::write(clinic.path("b.age"), "the last one").unwrap();
    let secret = fs::read_to_string(clinic.path("key.txt")).unwrap();
    let secret = secret.lines().last().unwrap();
    let error = clinic.back_up(&[secret]).unwrap_err();
    assert!(matches!(error, BackupError::SecretRecipient));
    assert!(!error.to_string().contains(secret));
    assert!(matches!(clinic.back_up(&[]), Err(BackupError::NoRecipient)));
    assert!(matches!(clinic.back_up(&["age1x"]), Err(BackupError::BadRecipient(_))));
    let many = [clinic.recipient.as_str(); RECIPIENTS_MAX + 1];
    assert!(matches!(clinic.back_up(&many), Err(BackupError::TooManyRecipients)));
    fs::remove_file(clinic.path("k")).unwrap();
    let missing = clinic.back_up(&[&clinic.recipient]).unwrap_err();
    assert!(missing.to_string().starts_with(&clinic.path("k").display().to_string()), "{missing}");
    let recipients = [clinic.recipient.clone()];
    let twice = clinic.path("db");
    for names in [["a", "a"], ["../a", "b"]] {
        let parts = names.map(|name| (name, twice.as_path()));
        let refused = write(&clinic.path("b.age"), &recipients, &parts, CLINIC, now());
        assert!(matches!(refused, Err(BackupError::BadName(_))));
    }
    assert_eq!(fs::read(clinic.path("b.age")).unwrap(), b"the last one");
    assert_eq!(clinic.left_behind(), 0);
}

#[test]
fn a_full_disk_is_called_that() {
    let path = Path::new("/media/stick/b.age");
    let full = write_failed(path, io::Error::from(io::ErrorKind::StorageFull));
    assert_eq!(
        full.to_string(),
        "no room for /media/stick/b.age; make room or choose another disk, then do it again"
    );
}
