//! Whether a broker lets an end in, tried once, beside whatever connection there is.

use std::time::Duration;

use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Packet};
use rumqttc::v5::{AsyncClient, ConnectionError, Event};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Settings;
use super::connection::{options, reason};

/// The broker answers within this long, or it does not.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// What waits inside the client: nothing is said.
const REQUESTS_MAX: usize = 1;

/// Why a broker does not let an end in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shut {
    /// Nothing answers there.
    Unreachable(String),
    /// Something answers, but the encryption cannot be agreed on.
    Tls(String),
    /// It does not know this end.
    Refused(String),
    /// It ends the connection, or is no broker.
    Broken(String),
}

/// Connects once as these settings say, and leaves as soon as the broker has let it in. Nothing is subscribed to, and
/// nothing is kept for it; the client id must be nobody's who is connected.
///
/// # Errors
/// [`Shut`].
pub async fn knock(settings: &Settings) -> Result<(), Shut> {
    let broker = &settings.broker;
    let reached = TcpStream::connect(format!("{}:{}", broker.host, broker.port));
    match timeout(ANSWERS_WITHIN, reached).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(Shut::Unreachable(error.to_string())),
        Err(_) => return Err(Shut::Unreachable("it does not answer".to_owned())),
    }
    // Dropped with this function, and what leads there with it.
    let mut leading = JoinSet::new();
    let options = options(settings, &mut leading).await.map_err(Shut::Tls)?;
    let (client, mut events) = AsyncClient::new(options, REQUESTS_MAX);
    let answer = async {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => return Ok(()),
                Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
                Err(ConnectionError::ConnectionRefused(code)) => return Err(refused(code)),
                Err(error) => return Err(Shut::Broken(reason(&error))),
            }
        }
    };
    let answer = timeout(ANSWERS_WITHIN, answer).await;
    drop(client);
    answer.unwrap_or_else(|_| Err(Shut::Broken("it does not answer".to_owned())))
}

fn refused(code: ConnectReturnCode) -> Shut {
    Shut::Refused(format!("{code:?}"))
}
