//! Cutting and healing the line to the hub: routes that are there only while `carepost demo` runs, and so
//! stand in no document.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use prm::stamp::Right;
use serde::{Deserialize, Serialize};

use super::auth::Caller;
use super::error::Answer;
use super::json::Body;
use super::openapi::ROOT;
use crate::app::App;

/// The routes of this file.
pub fn routes() -> Router<App> {
    Router::new().route(&format!("{ROOT}/demo/line"), get(look).post(turn))
}

/// How the line is.
#[derive(Debug, Serialize)]
struct LineView {
    up: bool,
}

/// How it is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    up: bool,
}

async fn look(State(app): State<App>, Caller(stamp): Caller) -> Answer<Json<LineView>> {
    stamp.needs(Right::ReadQueue)?;
    Ok(Json(view(&app)))
}

async fn turn(
    State(app): State<App>,
    Caller(stamp): Caller,
    Body(Wanted { up }): Body<Wanted>,
) -> Answer<Json<LineView>> {
    stamp.needs(Right::Book)?;
    if let Some(line) = app.line.get() {
        line.turn(up);
    }
    // Nobody waits until the box finds out by itself.
    app.sync.ring().await;
    Ok(Json(view(&app)))
}

fn view(app: &App) -> LineView {
    LineView { up: app.line.get().is_some_and(crate::demo::Line::is_up) }
}
