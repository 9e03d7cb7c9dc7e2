//! Speaking with the person or the program at the command line.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: u64 = 4096;

/// Prints to stdout. Somebody who does not want to hear the end (`| head`) is no error.
pub(super) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("stdout cannot be written")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints one line to stderr.
pub(super) fn complain(line: &str) {
    // When stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "carepost: {line}");
}

/// Reads a password: the first line of stdin, without showing it on a terminal.
pub(super) fn password() -> anyhow::Result<Zeroizing<String>> {
    let stdin = io::stdin();
    let mut line = Zeroizing::new(String::new());
    if stdin.is_terminal() {
        write!(io::stderr(), "password: ")?;
        let before = tcgetattr(&stdin)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &quiet)?;
        let read = stdin.lock().take(LINE_BYTES_MAX).read_line(&mut line);
        tcsetattr(&stdin, OptionalActions::Now, &before)?;
        writeln!(io::stderr())?;
        read?;
    } else {
        stdin.lock().take(LINE_BYTES_MAX).read_line(&mut line)?;
    }
    let text = line.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        bail!("give the password on stdin, for example: echo -n ... | carepost user add ...");
    }
    Ok(Zeroizing::new(text.to_owned()))
}
