//! The files of the repository, and Rust code as a row of tokens without comments, texts and tests.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A text file that belongs to the repository.
pub struct File {
    /// From the top of the repository, with `/`.
    pub path: String,
    pub text: String,
}

impl File {
    pub fn ends_with(&self, endings: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }

    /// Whether all of the file is compiled for tests or measurements only.
    pub fn is_test(&self) -> bool {
        let of_tests = ["tests", "tests.rs", "benches"];
        self.path.split('/').any(|part| of_tests.contains(&part))
    }
}

/// A word, a bracket or a sign of Rust code; `::` is one token.
pub struct Token {
    pub word: String,
    pub line: usize,
}

pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All text files that git knows or would add.
pub fn files() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(read_files);
    &FILES
}

fn read_files() -> Vec<File> {
    // A build server's checkout may belong to another user than the one who runs the tests.
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is there");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let mut files: Vec<File> = listed
        .split_terminator('\0')
        // What is no text (a picture), or was deleted and not yet committed, has no lines to look at.
        .filter_map(|path| {
            let text = std::fs::read_to_string(root().join(path)).ok()?;
            Some(File { path: path.to_owned(), text })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "git lists this repository");
    files
}

/// The tokens of a file, without what is marked `#[cfg(test)]`.
pub fn code(file: &File) -> Vec<Token> {
    let stream: TokenStream =
        file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    tokens
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    let mut first_colon = false;
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                let is_for_tests = matches!(trees.peek(), Some(TokenTree::Group(attribute))
                    if attribute.stream().to_string().replace(' ', "") == "cfg(test)");
                if is_for_tests {
                    // The item ends with its body, or with a semicolon if it has none.
                    for skipped in trees.by_ref() {
                        match skipped {
                            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => break,
                            TokenTree::Punct(sign) if sign.as_char() == ';' => break,
                            TokenTree::Group(_)
                            | TokenTree::Punct(_)
                            | TokenTree::Ident(_)
                            | TokenTree::Literal(_) => {}
                        }
                    }
                }
            }
            TokenTree::Punct(sign) if first_colon => {
                first_colon = false;
                tokens.push(Token { word: format!(":{}", sign.as_char()), line });
            }
            TokenTree::Punct(sign) if sign.as_char() == ':' && sign.spacing() == Spacing::Joint => {
                first_colon = true;
            }
            TokenTree::Punct(sign) => tokens.push(Token { word: sign.to_string(), line }),
            TokenTree::Ident(word) => tokens.push(Token { word: word.to_string(), line }),
            TokenTree::Literal(_) => {}
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token { word: open.to_owned(), line });
                let end = group.span_close().start().line;
                flatten(group.stream(), tokens);
                tokens.push(Token { word: close.to_owned(), line: end });
            }
        }
    }
}

/// Where code asks what time it is, by line.
pub fn clock_readings(code: &[Token]) -> Vec<(usize, String)> {
    let clocks = ["Timestamp", "SystemTime", "Zoned", "Instant", "Utc", "Local", "OffsetDateTime"];
    code.windows(3)
        .filter(|it| {
            clocks.contains(&it[0].word.as_str()) && it[1].word == "::" && it[2].word == "now"
        })
        .map(|it| (it[0].line, format!("{}::now", it[0].word)))
        .collect()
}
