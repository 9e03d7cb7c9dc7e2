//! What a word sounds like, so that spellings of one Indian or English name fall together.
//!
//! Invariant: a sound is made of ASCII letters only and is never longer than [`SOUND_MAX`] bytes.
//!
//! Ready phonetic codes (Soundex, Metaphone) are made for English: they part Lakshmi from Laxmi and
//! lump Krishna with Krishnan. A sound here keeps its vowels and is used for equality and for
//! prefixes; its skeleton drops them, and voicing too, for scripts that do not write them.

/// Longest sound kept, in bytes; longer words are cut.
pub const SOUND_MAX: usize = 32;

/// Shortest sound that loses its last `a`, so that Krishn is Krishna but Uma is not Um.
const KEEPS_END_BELOW: usize = 4;

/// The sound of one romanised word: equal for Rajeev and Rajiv, for Laxmi and Lakshmi.
#[must_use]
pub fn sound(word: &str) -> String {
    let w: Vec<u8> = letters(word);
    if matches!(w.as_slice(), b"mohd" | b"mohmd" | b"md" | b"mhd" | b"muhd" | b"mhmd") {
        return MOHAMMED.to_owned();
    }
    let mut out: Vec<u8> = Vec::with_capacity(w.len());
    let mut i = 0;
    while i < w.len() && out.len() < SOUND_MAX {
        let next = w.get(i + 1).copied();
        let initial_y = w[i] == b'y' && i == 0 && next.is_some_and(is_vowel);
        if !initial_y && is_vowel(w[i]) {
            i = vowels(&w, i, &mut out);
        } else {
            i = consonant(&w, i, &mut out);
        }
    }
    out.truncate(SOUND_MAX);
    if out.len() >= KEEPS_END_BELOW && out.ends_with(b"a") && !is_vowel(out[out.len() - 2]) {
        out.pop();
    }
    if is_mohammed(&out) {
        return MOHAMMED.to_owned();
    }
    out.into_iter().map(char::from).collect()
}

/// The consonants of a sound with voicing folded: equal for Prasad and Tamil's Prasath.
#[must_use]
pub fn skeleton(sound: &str) -> String {
    let mut out = String::with_capacity(sound.len());
    for (i, b) in sound.bytes().enumerate() {
        let folded = match b {
            b'a' | b'e' | b'i' | b'o' | b'u' if i == 0 => 'a',
            b'a' | b'e' | b'i' | b'o' | b'u' => continue,
            b'g' => 'k',
            b'd' => 't',
            b'b' | b'f' => 'p',
            b'j' => 'c',
            other => char::from(other),
        };
        out.push(folded);
    }
    out
}

const MOHAMMED: &str = "mohamad";

/// Mohammed is written in more ways than rules can follow; its consonants are enough, but Mahmud is another name.
fn is_mohammed(out: &[u8]) -> bool {
    out.iter().filter(|&&b| !is_vowel(b)).eq(b"mhmd".iter()) && !out.ends_with(b"ud")
}

fn is_vowel(b: u8) -> bool {
    matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// The letters alone, with runs of `a` and of `y` taken as one.
fn letters(word: &str) -> Vec<u8> {
    let mut w: Vec<u8> = Vec::with_capacity(word.len());
    for b in word.bytes().map(|b| b.to_ascii_lowercase()).filter(u8::is_ascii_lowercase) {
        if !(matches!(b, b'a' | b'y') && w.last() == Some(&b)) {
            w.push(b);
        }
    }
    w
}

/// Vowel groups in the order they are tried; the first that fits is taken.
const VOWEL_GROUPS: &[(&[u8], &[u8])] = &[
    (b"ayi", b"e"),
    (b"ai", b"e"),
    (b"ay", b"e"),
    (b"ae", b"e"),
    (b"ei", b"e"),
    (b"ey", b"e"),
    (b"au", b"o"),
    (b"ao", b"o"),
    (b"ou", b"o"),
    (b"oa", b"o"),
    (b"oe", b"o"),
    (b"oo", b"u"),
    (b"uu", b"u"),
    (b"ue", b"u"),
    (b"eu", b"u"),
    (b"ee", b"i"),
    (b"ea", b"i"),
    (b"ii", b"i"),
    (b"ie", b"i"),
    (b"iy", b"i"),
    (b"oi", b"oi"),
    (b"oy", b"oi"),
    (b"y", b"i"),
];

/// Writes the run of vowels that begins at `i`; gives back where it ends.
fn vowels(w: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
    let mut i = start;
    let from = out.len();
    while i < w.len() && is_vowel(w[i]) {
        let rest = &w[i..];
        let ends = |n: usize| i + n >= w.len();
        let (taken, text): (usize, &[u8]) =
            if (rest.starts_with(b"aiya") || rest.starts_with(b"aiye")) && !ends(4) {
                (4, b"e")
            } else if (rest.starts_with(b"aya") || rest.starts_with(b"aye")) && !ends(3)
                || i == 0 && (rest.starts_with(b"iya") || rest.starts_with(b"iye"))
            {
                // Nayar is Nair, Ayyar is Iyer.
                (3, b"e")
            } else if rest.starts_with(b"ye") && i == start && start > 0 {
                // Syed is Sayed.
                (2, b"e")
            } else if let Some(n) = rounded(rest) {
                (n, if rest[0] == b'e' { b"u" } else { b"o" })
            } else if let Some((group, text)) = VOWEL_GROUPS.iter().find(|g| rest.starts_with(g.0))
            {
                (group.len(), text)
            } else {
                (1, &rest[..1])
            };
        for &b in text {
            if out.len() == from || out.last() != Some(&b) {
                out.push(b);
            }
        }
        i += taken;
    }
    i
}

/// Length of `aw`, `ow` or `ew` where the w is no consonant, as in Gowda and Mathew.
fn rounded(rest: &[u8]) -> Option<usize> {
    let round = matches!(rest, [b'a' | b'o' | b'e', b'w', ..]);
    (round && rest.get(2).is_none_or(|&b| !is_vowel(b))).then_some(2)
}

/// Consonant groups in the order they are tried. One `h` after any other consonant is dropped further down.
const CONSONANT_GROUPS: &[(&[u8], &[u8])] = &[
    (b"ksh", b"ks"),
    (b"dny", b"gn"),
    (b"jny", b"gn"),
    (b"gny", b"gn"),
    (b"tch", b"c"),
    (b"sch", b"s"),
    (b"geo", b"jo"),
    (b"rge", b"rj"),
    (b"chr", b"kr"),
    (b"jn", b"gn"),
    (b"gy", b"gn"),
    (b"ch", b"c"),
    (b"ck", b"k"),
    (b"ph", b"f"),
    (b"sh", b"s"),
    (b"zh", b"l"),
];

/// Writes the consonant or group at `i`; gives back where it ends.
fn consonant(w: &[u8], i: usize, out: &mut Vec<u8>) -> usize {
    let rest = &w[i..];
    if let Some((group, text)) = CONSONANT_GROUPS.iter().find(|g| rest.starts_with(g.0)) {
        push(out, text);
        return i + group.len();
    }
    let next = rest.get(1).copied();
    let mut taken = 1;
    let text: &[u8] = match rest[0] {
        b'c' if matches!(next, Some(b'e' | b'i' | b'y')) => b"s",
        b'c' => b"k",
        b'q' => {
            if next == Some(b'u') && rest.get(2).copied().is_some_and(is_vowel) {
                taken = 2;
            }
            b"k"
        }
        b'x' if i == 0 => b"j",
        b'x' => b"ks",
        b'w' => b"v",
        b'z' => b"j",
        b'h' if i > 0 && (next.is_none() || !is_vowel(w[i - 1])) => b"",
        _ => &rest[..1],
    };
    push(out, text);
    i + taken
}

/// Adds consonants; a letter said twice is said once.
fn push(out: &mut Vec<u8>, text: &[u8]) {
    for &b in text {
        if out.last() != Some(&b) {
            out.push(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(names: &[&str]) {
        for name in names {
            assert_eq!(sound(name), sound(names[0]), "{name} and {}", names[0]);
        }
    }

    #[test]
    fn spellings_of_one_name_sound_the_same() {
        same(&["rajiv", "rajeev", "raajeev", "rajiiv"]);
        same(&["lakshmi", "laxmi", "lakshmy", "laksmi"]);
        same(&["geeta", "gita", "geetha", "githa"]);
        same(&["pooja", "puja", "poojaa"]);
        same(&["shaikh", "sheikh", "shekh"]);
        same(&["mohammed", "muhammad", "mohd", "mohamed", "md", "mhmd"]);
        same(&["gowda", "gouda", "gauda"]);
        same(&["iyer", "aiyar", "ayyar"]);
        same(&["nair", "nayar", "nayyar"]);
        same(&["swamy", "svami", "swami"]);
        same(&["zakir", "jakir", "zaakir"]);
        same(&["joseph", "josef"]);
        same(&["phadke", "fadke"]);
        same(&["qureshi", "kureshi"]);
        same(&["siddiqui", "siddiqi"]);
        same(&["krishna", "krishn", "crishna"]);
        same(&["dnyaneshwar", "gyaneshwar", "jnaneshwar"]);
        same(&["kanimozhi", "kanimoli"]);
        same(&["rao", "rau", "row"]);
        same(&["syed", "sayed"]);
        same(&["desai", "desayi"]);
        same(&["george", "jorj"]);
    }

    #[test]
    fn different_names_sound_different() {
        for (a, b) in [
            ("krishna", "krishnan"),
            ("ramesh", "rajesh"),
            ("rao", "roy"),
            ("mohammed", "mahmood"),
            ("mohan", "mohammed"),
            ("uma", "hema"),
            ("sunil", "sunita"),
        ] {
            assert_ne!(sound(a), sound(b), "{a} and {b}");
        }
    }

    #[test]
    fn a_skeleton_ignores_vowels_and_voicing() {
        assert_eq!(skeleton(&sound("prasad")), skeleton(&sound("prasath")));
        assert_eq!(skeleton(&sound("salim")), skeleton(&sound("slim")));
        assert_ne!(skeleton(&sound("krishna")), skeleton(&sound("krishnan")));
    }
}
