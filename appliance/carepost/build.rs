//! Says when the screens must be embedded again.

use std::path::Path;

fn main() {
    let screens = Path::new("../../kiosk/dist");
    // The folder must be there to be embedded; `cargo xtask` fills it. Where it cannot be made,
    // the embedding itself says so.
    let _ = std::fs::create_dir_all(screens);
    let mut out = std::io::stdout();
    let _ = std::io::Write::write_all(&mut out, b"cargo::rerun-if-changed=../../kiosk/dist\n");
}
