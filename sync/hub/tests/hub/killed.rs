//! The real program, killed between its commit and the box's hearing of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use sync_hub::store;
use sync_protocol::ledger::Extent;

use super::Place;
use super::device::SEALED;

/// The program, serving; killed when the test is over.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(place: &Place) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_carepost-hub"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(place.arguments())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        lines.read_line(&mut said).unwrap();
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let address = said["fields"]["listen"].as_str().unwrap().parse().unwrap();
        Self { child, address }
    }

    /// Sends a bundle, and does not listen.
    fn send(&self, envelope: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "POST /v1/bundles HTTP/1.1\r\nhost: hub\r\nconnection: close\r\ncontent-type: {SEALED}\r\ncontent-length: {}\r\n\r\n",
            envelope.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(envelope).unwrap();
        stream
    }

    /// Sends a bundle and answers the body of the response.
    fn ask(&self, envelope: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        self.send(envelope).read_to_end(&mut answer).unwrap();
        let head = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        answer.split_off(head + 4)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn what_was_committed_before_the_kill_is_held_and_taken_once() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.sync(&place.hub).await;
    let mut program = Program::start(&place);
    for round in 1..=5_u64 {
        device.write_patient(&round.to_string(), "Asha");
        let envelope = device.seal(&device.bundle(3).unwrap());
        let unheard = program.send(&envelope);
        // It is killed as soon as its commit can be seen, whatever it was doing by then.
        let key = format!("Patient/{round}");
        while place
            .hub
            .store
            .read(device.clinic, |tx| store::record(tx, device.clinic, key.as_bytes()))
            .unwrap()
            .is_none()
        {
            std::thread::yield_now();
        }
        program.kill();
        drop(unheard);
        program = Program::start(&place);
        let receipt = device.open(&program.ask(&envelope)).unwrap();
        assert!(matches!(receipt.extent, Extent::Log { through, .. } if through == round));
        assert_eq!(place.record_count(device.clinic), round);
        device.hear(&receipt);
        assert_eq!(device.bundle(3), None, "nothing is left to send");
    }
}
