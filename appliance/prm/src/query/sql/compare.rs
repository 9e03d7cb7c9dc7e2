//! How times, dates, texts, names and numbers are compared.

use super::{NEVER, Sql};
use crate::name;
use crate::query::{Compare, How};

/// Letters of the shortest text that the index of digits can be asked for.
const TRIGRAM: usize = 3;

impl Sql {
    pub(super) fn time(
        &mut self,
        compare: Compare,
        (low, high): (&str, &str),
        (from, to): (i64, i64),
    ) -> String {
        match compare {
            Compare::Equal => {
                format!("({low} >= {} AND {high} <= {})", self.bind(from), self.bind(to))
            }
            Compare::NotEqual => {
                format!("NOT ({low} >= {} AND {high} <= {})", self.bind(from), self.bind(to))
            }
            Compare::Greater => format!("{high} > {}", self.bind(to)),
            Compare::Less => format!("{low} < {}", self.bind(from)),
            Compare::GreaterOrEqual => {
                let (from, to) = (self.bind(from), self.bind(to));
                format!("({high} > {to} OR ({low} >= {from} AND {high} <= {to}))")
            }
            Compare::LessOrEqual => {
                let (from, to) = (self.bind(from), self.bind(to));
                format!("({low} < {from} OR ({low} >= {from} AND {high} <= {to}))")
            }
            Compare::StartsAfter => format!("{low} >= {}", self.bind(to)),
            Compare::EndsBefore => format!("{high} <= {}", self.bind(from)),
            Compare::Overlaps => {
                format!("({low} < {} AND {high} > {})", self.bind(to), self.bind(from))
            }
        }
    }

    /// A moment, which lies in a stretch or beside it.
    pub(super) fn instant(
        &mut self,
        compare: Compare,
        column: &str,
        (from, to): (i64, i64),
    ) -> String {
        match compare {
            Compare::Equal | Compare::Overlaps => {
                format!("({column} >= {} AND {column} < {})", self.bind(from), self.bind(to))
            }
            Compare::NotEqual => {
                format!("({column} < {} OR {column} >= {})", self.bind(from), self.bind(to))
            }
            Compare::Greater | Compare::StartsAfter => format!("{column} >= {}", self.bind(to)),
            Compare::GreaterOrEqual => format!("{column} >= {}", self.bind(from)),
            Compare::Less | Compare::EndsBefore => format!("{column} < {}", self.bind(from)),
            Compare::LessOrEqual => format!("{column} < {}", self.bind(to)),
        }
    }

    /// Dates as text sort as they follow each other; one without day or month stands before all of
    /// its days and reaches to the end of them.
    pub(super) fn date(&mut self, compare: Compare, column: &str, from: &str, to: &str) -> String {
        let (from, to) = (from.to_owned(), to.to_owned());
        match compare {
            Compare::Equal => self.within(column, from, to),
            Compare::NotEqual => format!("NOT {}", self.within(column, from, to)),
            Compare::Greater => self.reaches_beyond(column, to),
            Compare::Less => format!("{column} < {}", self.bind(from)),
            Compare::GreaterOrEqual => {
                let beyond = self.reaches_beyond(column, to.clone());
                format!("({} OR {beyond})", self.within(column, from, to))
            }
            Compare::LessOrEqual => {
                let before = format!("{column} < {}", self.bind(from.clone()));
                format!("({} OR {before})", self.within(column, from, to))
            }
            Compare::StartsAfter => format!("{column} >= {}", self.bind(to)),
            Compare::EndsBefore => {
                let holds = self.holds_day(column, &from);
                format!("({column} < {} AND NOT {holds})", self.bind(from))
            }
            Compare::Overlaps => {
                let holds = self.holds_day(column, &from);
                format!("({} OR {holds})", self.within(column, from, to))
            }
        }
    }

    /// The year or the month that this begins.
    fn holds_day(&mut self, column: &str, date: &str) -> String {
        let ends = date.match_indices('-').map(|(end, _)| end);
        let wider: Vec<String> =
            ends.filter_map(|end| date.get(..end)).map(|it| self.bind(it.to_owned())).collect();
        format!("{column} IN ({})", wider.join(", "))
    }

    fn within(&mut self, column: &str, from: String, to: String) -> String {
        format!("({column} >= {} AND {column} < {})", self.bind(from), self.bind(to))
    }

    fn reaches_beyond(&mut self, column: &str, to: String) -> String {
        let holds = self.holds_day(column, &to);
        format!("({column} >= {} OR {holds})", self.bind(to))
    }

    pub(super) fn text(&mut self, how: How, column: &str, text: &str) -> String {
        match how {
            How::Exact => format!("{column} = {}", self.bind(text.to_owned())),
            How::Sounds => NEVER.to_owned(),
            How::Starts => {
                format!("{column} LIKE {} ESCAPE '\\'", self.bind(format!("{}%", escaped(text))))
            }
            How::Contains => {
                format!("{column} LIKE {} ESCAPE '\\'", self.bind(format!("%{}%", escaped(text))))
            }
        }
    }

    /// Names of patients by their words: the index of the search holds each by its beginning and by
    /// its sound, but only of records that are in use. Of the others those are let through whose name
    /// may fit, or cannot be compared letter by letter.
    pub(super) fn name(&mut self, how: How, number: &str, text: &str) -> String {
        let Some(numbers) = self.numbers_by_name(how, text) else { return NEVER.to_owned() };
        match how {
            How::Exact => {
                let exact = self.bind(text.to_owned());
                let has_other = "EXISTS (SELECT 1 FROM patient_name n WHERE n.patient = r.id";
                format!(
                    "({number} IN ({numbers})
                      AND (r.name = {exact} OR {has_other} AND n.text = {exact})))"
                )
            }
            How::Starts | How::Contains | How::Sounds => format!("{number} IN ({numbers})"),
        }
    }

    /// The numbers of those whose name may fit, as a query.
    pub(super) fn numbers_by_name(&mut self, how: How, text: &str) -> Option<String> {
        let words = match how {
            How::Starts | How::Contains | How::Exact => crate::search::beginning(text),
            How::Sounds => sounding(text),
        };
        let words = self.bind(words?);
        let found = format!("SELECT rowid FROM patient_word WHERE patient_word MATCH {words}");
        let has_other = "EXISTS (SELECT 1 FROM patient_name n WHERE n.patient = i.id";
        let out_of_use = "SELECT i.number FROM patient i WHERE i.active = 0";
        Some(match how {
            How::Exact | How::Sounds => format!("{found} UNION ALL {out_of_use}"),
            How::Starts | How::Contains => {
                let word = name::words(text).into_iter().next().unwrap_or_default();
                let word = self.bind(format!("%{}%", escaped(&word)));
                format!(
                    "{found} UNION ALL {out_of_use} AND (i.name LIKE {word} ESCAPE '\\'
                        OR i.name GLOB '*[^A-Za-z ]*' OR {has_other}))"
                )
            }
        })
    }

    /// A telephone number of a patient by digits that it holds: the index of the search holds them, but
    /// only of records that are in use.
    pub(super) fn digits(&mut self, number: &str, digits: &str) -> String {
        let like = self.bind(format!("%{}%", escaped(digits)));
        let has = |patient: &str| {
            format!(
                "EXISTS (SELECT 1 FROM patient_phone x WHERE x.patient = {patient}
                   AND x.number LIKE {like} ESCAPE '\\')"
            )
        };
        if digits.len() < TRIGRAM || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return has("r.id");
        }
        let phrase = self.bind(format!("\"{digits}\""));
        format!(
            "({number} IN (SELECT rowid FROM patient_digits WHERE patient_digits MATCH {phrase}
                UNION ALL SELECT i.number FROM patient i WHERE i.active = 0)
              AND {})",
            has("r.id")
        )
    }
}

/// The words of a name by their sounds, as the index of the search holds them: behind a 1.
fn sounding(text: &str) -> Option<String> {
    let words = name::words(text);
    let heard = words.iter().map(|word| format!("(\"{word}\" OR \"1{}\")", name::sound(word)));
    (!words.is_empty()).then(|| heard.collect::<Vec<_>>().join(" AND "))
}

/// A text in which the signs of LIKE stand for themselves.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
