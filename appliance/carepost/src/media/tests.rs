//! Files on a real disk: written, torn, read from anywhere, swept.

use std::collections::HashSet;
use std::fs;

use super::*;

const FREE_NO_MATTER: u64 = 0;

struct Folder {
    data: tempfile::TempDir,
    blobs: Blobs,
}

impl Folder {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join(place::KEYS)).unwrap();
        let blobs = Blobs::open(data.path(), FREE_NO_MATTER).unwrap();
        Self { data, blobs }
    }

    fn file(&self, id: MediaId) -> PathBuf {
        path(&self.data.path().join(place::MEDIA), id)
    }

    fn holds(&self, bytes: &[u8]) -> MediaId {
        let id = id();
        let mut writer = self.blobs.begin(id).unwrap();
        writer.append(0, bytes).unwrap();
        writer.finish().unwrap();
        id
    }
}

fn id() -> MediaId {
    MediaId::new(Timestamp::now())
}

/// Bytes of which none is like the one before.
fn sound(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn what_is_written_in_pieces_is_read_back_from_anywhere_and_lies_encrypted() {
    let folder = Folder::new();
    for length in [0, 1, 65_535, 65_536, 65_537, 3 * 65_536, 200_001] {
        let (id, whole) = (id(), sound(length));
        let mut writer = folder.blobs.begin(id).unwrap();
        for piece in whole.chunks(70_000) {
            writer.append(writer.length(), piece).unwrap();
        }
        let finished = writer.finish().unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &whole);
        assert_eq!((finished.bytes, &finished.sha256[..]), (length as u64, digest.as_ref()));
        assert_eq!(folder.blobs.length(id).unwrap(), length as u64);
        for range in [0..u64::MAX, 0..0, 5..9, 65_530..65_540, 131_072..131_073, 199_999..300_000] {
            let end = whole.len().min(usize::try_from(range.end).unwrap_or(usize::MAX));
            let expected = whole.get(range.start as usize..end).unwrap_or_default();
            assert!(folder.blobs.read(id, range).unwrap() == expected);
        }
        let stored = fs::read(folder.file(id)).unwrap();
        assert!(length < 100 || !stored.windows(32).any(|it| it == &whole[..32]));
    }
    let mode = fs::metadata(folder.file(folder.holds(b"x"))).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn writing_goes_on_after_a_crash_where_whole_pieces_end() {
    let folder = Folder::new();
    let (id, whole) = (id(), sound(200_000));
    let mut writer = folder.blobs.begin(id).unwrap();
    writer.append(0, &whole[..150_000]).unwrap();
    assert!(matches!(folder.blobs.begin(id), Err(MediaError::Busy(_))));
    drop(writer);
    // Torn in the middle of a piece, with rubbish behind it.
    let torn = folder.file(id).with_extension(UNFINISHED);
    let mut bytes = fs::read(&torn).unwrap();
    bytes.truncate(100_000);
    bytes.extend([0; 90_000]);
    fs::write(&torn, bytes).unwrap();
    let mut writer = folder.blobs.begin(id).unwrap();
    assert_eq!(writer.length(), 65_536);
    assert!(matches!(writer.append(65_537, &whole), Err(MediaError::Gap(65_536))));
    writer.append(0, &whole).unwrap();
    writer.append(10, &whole[10..500]).unwrap();
    assert!(!folder.blobs.is_there(id), "it is not whole yet");
    writer.finish().unwrap();
    assert!(folder.blobs.read(id, 0..u64::MAX).unwrap() == whole);
    // Torn before it began.
    let id = self::id();
    fs::write(folder.file(id).with_extension(UNFINISHED), b"CPM").unwrap();
    let mut writer = folder.blobs.begin(id).unwrap();
    writer.append(0, &whole).unwrap();
    writer.finish().unwrap();
    assert!(folder.blobs.read(id, 0..u64::MAX).unwrap() == whole);
}

#[test]
fn what_was_changed_moved_or_cut_off_is_damaged_and_never_something_else() {
    let folder = Folder::new();
    let damaged = folder.holds(&sound(200_000));
    let good = fs::read(folder.file(damaged)).unwrap();
    let record = 65_536 + 28;
    let changed = [&good[..100], &[good[100] ^ 1], &good[101..]].concat();
    let swapped = [
        &good[..8],
        &good[8 + record..8 + 2 * record],
        &good[8..8 + record],
        &good[8 + 2 * record..],
    ]
    .concat();
    let cut = good[..8 + 2 * record].to_vec();
    let cut_inside = good[..good.len() - 1].to_vec();
    let shorter = good[..8 + 2 * record + 28].to_vec();
    for wrong in [changed, swapped, cut, cut_inside, shorter, Vec::new()] {
        fs::write(folder.file(damaged), wrong).unwrap();
        let read = folder.blobs.read(damaged, 0..u64::MAX);
        assert!(matches!(read, Err(MediaError::Damaged(_))), "{:?}", read.map(|it| it.len()));
    }
    let other = id();
    fs::write(folder.file(other), &good).unwrap();
    assert!(matches!(folder.blobs.read(other, 0..9), Err(MediaError::Damaged(_))));
    assert!(matches!(folder.blobs.read(id(), 0..9), Err(MediaError::NotThere(_))));
}

#[test]
fn a_disk_without_room_and_a_full_store_say_so() {
    let folder = Folder::new();
    let tight = Blobs::open(folder.data.path(), u64::MAX - (1 << 40)).unwrap();
    let error = tight.begin(id()).err().unwrap().to_string();
    assert!(error.contains("no room") && error.contains("make room"), "{error}");
    let mut writer = folder.blobs.begin(id()).unwrap();
    folder.blobs.0.bytes.store(STORE_BYTES_MAX - 3, Ordering::Relaxed);
    assert!(matches!(writer.append(0, b"four"), Err(MediaError::StoreFull)));
    folder.blobs.0.bytes.store(0, Ordering::Relaxed);
    let too_long = vec![0; BLOB_BYTES_MAX as usize + 1];
    assert!(matches!(writer.append(0, &too_long), Err(MediaError::TooLong)));
}

#[test]
fn the_key_is_made_once_and_nothing_takes_its_place_while_there_are_files() {
    let folder = Folder::new();
    let id = folder.holds(b"heard");
    let again = Blobs::open(folder.data.path(), FREE_NO_MATTER).unwrap();
    assert_eq!(again.read(id, 0..9).unwrap(), b"heard");
    let key = place::keys(folder.data.path()).join(place::MEDIA_KEY);
    fs::remove_file(&key).unwrap();
    let error = Blobs::open(folder.data.path(), FREE_NO_MATTER).err().unwrap().to_string();
    assert!(error.contains("is missing") && error.contains("backup"), "{error}");
    assert!(!key.exists());
}

#[test]
fn a_sweep_removes_what_nobody_knows_of_after_a_day_and_nothing_else() {
    let folder = Folder::new();
    let (known, unknown) = (folder.holds(b"known"), folder.holds(b"unknown"));
    drop(folder.blobs.begin(id()).unwrap());
    let foreign = folder.data.path().join(place::MEDIA).join("notes.txt");
    fs::write(&foreign, "mine").unwrap();
    let ids = HashSet::from([known]);
    let now = Timestamp::now();
    let sweep = |now| folder.blobs.sweep(now, |id| Ok(ids.contains(&id))).unwrap();
    assert_eq!(sweep(now).removed, 0, "it may be about to become known");
    let swept = sweep(now.checked_add(jiff::SignedDuration::from_hours(25)).unwrap());
    assert_eq!((swept.files, swept.removed), (1, 2));
    assert!(folder.blobs.is_there(known) && !folder.blobs.is_there(unknown) && foreign.exists());
}
