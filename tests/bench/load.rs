//! Loads on a box that serves: one request at a time, many clients that each wait for their answer, and requests that
//! come when they come.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use fastrand::Rng;
use futures_util::future::join_all;
use hyper::body::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, spawn_local};

use crate::client::{Ask, Client};
use crate::laps::Laps;

/// A connection that was not used for longer than this is not trusted any more.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Asks one after the other on one connection; answers the times and the bytes of the last answer.
pub fn one_by_one(address: SocketAddr, token: &str, asks: Vec<Ask>) -> Result<(Laps, usize)> {
    runtime()?.block_on(async {
        let mut client = Client::open(address, token).await?;
        let mut laps = Laps::default();
        let mut bytes = 0;
        for ask in asks {
            let begun = Instant::now();
            bytes = client.ask(ask).await?.len();
            laps.add(begun.elapsed());
        }
        Ok((laps, bytes))
    })
}

/// Asks one thing on a connection of its own; answers the status and the body.
pub fn once(address: SocketAddr, token: &str, ask: Ask) -> Result<(u16, Bytes)> {
    runtime()?.block_on(async { Client::open(address, token).await?.ask_either(ask).await })
}

/// So many clients ask, each the next thing as soon as its last was answered; answers the times and the whole time.
pub fn closed(
    address: SocketAddr,
    token: &str,
    clients: usize,
    time: Duration,
    asks: &mut impl Iterator<Item = Ask>,
) -> Result<(Laps, Duration)> {
    let asks = RefCell::new(asks);
    runtime()?.block_on(async {
        let mut open = Vec::new();
        for _ in 0..clients {
            open.push(Client::open(address, token).await?);
        }
        let begun = Instant::now();
        let work = open.into_iter().map(|mut client| {
            let asks = &asks;
            async move {
                let mut laps = Laps::default();
                while begun.elapsed() < time {
                    let next = asks.borrow_mut().next();
                    let ask = next.ok_or_else(|| anyhow!("nothing is left to ask"))?;
                    let asked = Instant::now();
                    client.ask(ask).await?;
                    laps.add(asked.elapsed());
                }
                anyhow::Ok(laps)
            }
        });
        let mut all = Laps::default();
        for laps in join_all(work).await {
            all.append(laps?);
        }
        Ok((all, begun.elapsed()))
    })
}

/// Requests at random instants, so many in a second on average, whether or not earlier ones are answered. A time counts
/// from the instant at which the request was due.
pub fn open(
    address: SocketAddr,
    token: &str,
    per_second: f64,
    asks: Vec<Ask>,
) -> Result<Vec<(&'static str, Duration)>> {
    let token: Rc<str> = token.into();
    LocalSet::new().block_on(&runtime()?, async {
        let idle: Rc<RefCell<Vec<(Client, Instant)>>> = Rc::default();
        let mut rng = Rng::with_seed(7);
        let mut due = tokio::time::Instant::now();
        let mut under_way = Vec::with_capacity(asks.len());
        for ask in asks {
            due += Duration::from_secs_f64(-(1.0 - rng.f64()).ln() / per_second);
            tokio::time::sleep_until(due).await;
            let (idle, token) = (Rc::clone(&idle), Rc::clone(&token));
            under_way.push(spawn_local(async move {
                let kind = ask.kind;
                let kept = idle.borrow_mut().pop().filter(|(_, since)| since.elapsed() < IDLE_MAX);
                let mut client = match kept {
                    Some((client, _)) => client,
                    None => Client::open(address, &token).await?,
                };
                client.ask(ask).await?;
                let lap = due.elapsed();
                idle.borrow_mut().push((client, Instant::now()));
                anyhow::Ok((kind, lap))
            }));
        }
        let mut laps = Vec::with_capacity(under_way.len());
        for task in under_way {
            laps.push(task.await??);
        }
        Ok(laps)
    })
}

fn runtime() -> Result<Runtime> {
    // One thread: the box is to have the rest of the machine.
    Ok(Builder::new_current_thread().enable_all().build()?)
}
