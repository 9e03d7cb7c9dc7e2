//! First paint of the screens, measured by a script that drives a real browser.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::table::Figure;

/// Screens, the goal of each in words and in ms, and what they are called in the script's answer.
const GOALS: [(&str, &str, f64); 2] = [("kiosk", "< 1 s", 1_000.0), ("desk", "< 3 s", 3_000.0)];

/// Opens each screen with the processor slowed down six times.
pub fn paint(program: &Path, root: &Path, times: usize) -> Result<Vec<Figure>> {
    let said = Command::new("node")
        .args(["paint.mjs", &times.to_string()])
        .current_dir(root.join("tests/screens"))
        .env("CAREPOST", program)
        .stderr(Stdio::inherit())
        .output()
        .context("node cannot be started")?;
    ensure!(said.status.success(), "paint.mjs ended with {}", said.status);
    let said: serde_json::Value = serde_json::from_slice(&said.stdout)?;
    let ms = |name: &str| {
        said[name].as_f64().with_context(|| format!("paint.mjs says nothing of {name}"))
    };
    let blank = ms("blank")?;
    let mut figures = Vec::new();
    for (screen, goal, most) in GOALS {
        let (first, whole) = (ms(screen)?, ms(&format!("{screen}_ready"))?);
        figures.push(Figure {
            group: "paint",
            what: format!("first paint of the {screen}, CPU / 6"),
            value: format!("{first:.0} ms, usable after {whole:.0} ms"),
            goal: Some((goal, first < most)),
            reference: format!("a page of one word {blank:.0} ms"),
        });
    }
    Ok(figures)
}
