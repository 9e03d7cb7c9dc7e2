//! The line between the box and the cloud of a demonstration, which can be cut and healed, so that anybody can
//! watch what a clinic does without the internet.
//!
//! A relay of bytes on this machine, with a wire for the hub and one for the broker. Cut, it drops what is on it and answers nobody, as a real line does.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Connections on the line at once; the box needs two or three.
const CONNECTIONS_MAX: usize = 32;

/// A line that can be cut, all its wires at once. It lies as long as the runtime runs.
#[derive(Debug)]
pub struct Line {
    up: watch::Sender<bool>,
}

impl Default for Line {
    fn default() -> Self {
        Self { up: watch::channel(true).0 }
    }
}

impl Line {
    /// Lays a wire to an address; answers where its near end is.
    ///
    /// # Errors
    /// If this machine has no port left.
    pub async fn lay(&self, to: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(carry(listener, to, self.up.subscribe()));
        Ok(address)
    }

    /// Whether it carries anything.
    pub fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Cuts or heals it.
    pub fn turn(&self, up: bool) {
        self.up.send_replace(up);
    }
}

async fn carry(listener: TcpListener, to: SocketAddr, up: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((near, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let mut up = up.clone();
        tokio::spawn(async move {
            if *up.borrow_and_update() {
                tokio::select! {
                    () = connect(near, to) => {}
                    _ = up.wait_for(|up| !up) => {}
                }
            }
            drop(place);
        });
    }
}

/// Carries bytes both ways until one end has gone. Why does not matter: the other end sees it go, too.
async fn connect(mut near: TcpStream, to: SocketAddr) {
    if let Ok(mut far) = TcpStream::connect(to).await {
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn says(wire: SocketAddr, word: &[u8]) -> Option<Vec<u8>> {
        let mut near = TcpStream::connect(wire).await.unwrap();
        near.write_all(word).await.ok()?;
        let mut heard = vec![0; word.len()];
        near.read_exact(&mut heard).await.ok()?;
        Some(heard)
    }

    #[tokio::test]
    async fn a_line_that_is_cut_carries_nothing_and_one_that_is_healed_does_again() {
        let echo = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let line = Line::default();
        let wire = line.lay(echo.local_addr().unwrap()).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut far, _)) = echo.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = far.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        assert_eq!(says(wire, b"one").await.as_deref(), Some(b"one".as_slice()));
        let mut open = TcpStream::connect(wire).await.unwrap();
        open.write_all(b"two").await.unwrap();
        open.read_exact(&mut [0; 3]).await.unwrap();
        line.turn(false);
        assert!(!matches!(open.read(&mut [0; 3]).await, Ok(1..)), "what was on it is dropped");
        assert_eq!(says(wire, b"three").await, None);
        line.turn(true);
        assert_eq!(says(wire, b"four").await.as_deref(), Some(b"four".as_slice()));
    }
}
