//! E-mails, as a mail server over TCP hears them.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use jiff::ToSpan as _;
use prm::content::Content;
use prm::conversation::{Address, Way};
use prm::id::{ConversationId, MessageId};
use prm::message::{Progress, Purpose, Saying, State};
use prm::patient::Registration;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::http::tests::Clinic;
use crate::outbox;

/// What a mail server does with one connection.
#[derive(Clone)]
enum Script {
    /// Takes every letter.
    Takes,
    /// Answers `RCPT` so.
    ToRcpt(&'static str),
    /// Answers a letter so.
    ToLetter(&'static str),
    /// Hangs up as soon as it has the letter, without a word.
    HangsUp,
    /// Lets nobody in.
    LetsNobodyIn,
    /// Wants TLS first, and shows this.
    StartsTls(Arc<ServerConfig>),
}

/// What a mail server heard.
#[derive(Default)]
struct Heard {
    commands: Vec<String>,
    letters: Vec<String>,
}

/// A mail server that does what it is told, connection by connection; the last is for all that follow.
struct Peer {
    port: u16,
    heard: Arc<Mutex<Heard>>,
}

impl Peer {
    async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let hearing = Arc::clone(&heard);
        tokio::spawn(async move {
            let mut scripts = scripts.into_iter().peekable();
            let mut last = Script::Takes;
            while let Ok((stream, _)) = listener.accept().await {
                last = scripts.next().unwrap_or(last);
                let (script, heard) = (last.clone(), Arc::clone(&hearing));
                tokio::spawn(async move {
                    let mut stream = BufStream::new(stream);
                    let upgrades = talk(&mut stream, &script, &heard, true).await;
                    if let (Script::StartsTls(config), Some(true)) = (&script, upgrades) {
                        let acceptor = TlsAcceptor::from(Arc::clone(config));
                        if let Ok(stream) = acceptor.accept(stream.into_inner()).await {
                            let mut stream = BufStream::new(stream);
                            talk(&mut stream, &Script::Takes, &heard, false).await;
                        }
                    }
                });
            }
        });
        Self { port, heard }
    }

    fn letters(&self) -> Vec<String> {
        self.heard.lock().unwrap().letters.clone()
    }

    fn commands(&self) -> Vec<String> {
        self.heard.lock().unwrap().commands.clone()
    }
}

/// Speaks SMTP as the script says; whether TLS is to be begun.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    script: &Script,
    heard: &Mutex<Heard>,
    greets: bool,
) -> Option<bool> {
    if greets {
        say(stream, "220 mail.example").await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().commands.push(line.clone());
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match (verb.as_str(), script) {
            ("EHLO", Script::StartsTls(_)) => {
                say(stream, "250-mail.example\r\n250 STARTTLS").await?
            }
            ("EHLO", _) => say(stream, "250-mail.example\r\n250 AUTH PLAIN LOGIN").await?,
            ("STARTTLS", Script::StartsTls(_)) => {
                say(stream, "220 go on").await?;
                return Some(true);
            }
            ("AUTH", Script::LetsNobodyIn) => say(stream, "535 5.7.8 no").await?,
            ("AUTH", _) => say(stream, "235 yes").await?,
            ("RCPT", Script::ToRcpt(answer)) => say(stream, answer).await?,
            ("DATA", _) => {
                say(stream, "354 go on").await?;
                let mut letter = String::new();
                while !letter.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut letter).await.ok()? == 0 {
                        return None;
                    }
                }
                heard.lock().unwrap().letters.push(letter);
                match script {
                    Script::HangsUp => return None,
                    Script::ToLetter(answer) => say(stream, answer).await?,
                    Script::Takes
                    | Script::ToRcpt(_)
                    | Script::LetsNobodyIn
                    | Script::StartsTls(_) => say(stream, "250 taken").await?,
                }
            }
            ("QUIT", _) => {
                say(stream, "221 bye").await?;
                return None;
            }
            _ => say(stream, "250 good").await?,
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    line: &str,
) -> Option<()> {
    stream.write_all(line.as_bytes()).await.ok()?;
    stream.write_all(b"\r\n").await.ok()?;
    stream.flush().await.ok()
}

/// A clinic with a mail server, and a patient with an e-mail address.
struct Post {
    clinic: Clinic,
    with: ConversationId,
}

impl Post {
    fn of(peer: &Peer) -> Self {
        let port = peer.port;
        let settings = format!(
            "[email]\nserver = \"smtp://127.0.0.1:{port}\"\nfrom = \"desk@shanti.example\"\n\
             [fhir]\nbooking_phone = \"+91 80 1234 5678\""
        );
        let clinic = Clinic::with_settings(&settings);
        let stamp = Stamp::of_box(clinic.app.now());
        let with = clinic.app.db.write_blocking(move |tx| {
            let registration = Registration {
                name: "Asha Rao".into(),
                email: Some("Asha@Example.org".into()),
                language: Some("hi".into()),
                ..Registration::default()
            };
            let asha = patient::register(tx, &stamp, registration)?.id;
            conversation::of_patient(tx, &stamp, asha)
        });
        Self { with: with.unwrap(), clinic }
    }

    fn now(&self) -> Timestamp {
        self.clinic.app.now()
    }

    fn later(&self, span: jiff::Span) {
        self.clinic.app.clock.set(self.now().checked_add(span).unwrap());
    }

    /// Puts a message into the outbox, and begins its way.
    fn says(&self, content: Content) -> MessageId {
        let (app, with, stamp) = (&self.clinic.app, self.with, Stamp::of_box(self.now()));
        let rules = outbox::Rules::of(app);
        let said = app.db.write_blocking(move |tx| {
            let address = Address::email("asha@example.org")?;
            let saying = Saying {
                conversation: with,
                content,
                purpose: Purpose::Reminder,
                route: vec![Way { medium: Medium::Email, address }],
                not_before: None,
                not_after: stamp.now.checked_add(48.hours()).ok(),
                collapse_key: None,
                reply_to: None,
            };
            let said = message::say(tx, &stamp, saying)?.id;
            outbox::look_at(tx, &stamp, &rules, said)?;
            Ok(said)
        });
        said.unwrap()
    }

    async fn sends(&self) -> std::result::Result<bool, Trouble> {
        let settings = self.clinic.app.config.email.clone().unwrap();
        send_due(&self.clinic.app, &settings, &Stopping::default()).await.unwrap()
    }

    fn fares(&self, id: MessageId) -> (State, Progress, Option<String>) {
        let stamp = Stamp::of_box(self.now());
        let found = self.clinic.app.db.read_blocking(|read| {
            let state = message::get(read, &stamp, id)?.said()?.state;
            let tries = message::deliveries(read, &stamp, id)?;
            let [one] = tries.as_slice() else { panic!("one try") };
            Ok((state, one.progress, one.error.clone()))
        });
        found.unwrap()
    }
}

fn reminder() -> Content {
    let arguments = ["Asha Rao", "Dr. Rao", "मंगलवार", "10:00", "Shanti Clinic"];
    Content::Template {
        name: ::reception::REMINDER_TO_CONFIRM.into(),
        language: "hi".into(),
        arguments: arguments.map(Into::into).into(),
        text: "आएँगे तो हाँ लिखें".into(),
    }
}

/// The text of a letter, decoded.
fn text_of(letter: &str) -> String {
    use base64::Engine as _;
    let (head, body) = letter.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Transfer-Encoding: base64"), "{head}");
    let body: String = body.trim_end_matches(".\r\n").split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_reminder_goes_in_the_patients_language_and_asks_for_no_answer() {
    let peer = Peer::start(vec![Script::Takes]).await;
    let post = Post::of(&peer);
    let id = post.says(reminder());
    assert_eq!(post.sends().await, Ok(false));
    assert_eq!(post.fares(id), (State::Sent, Progress::Sent, None));
    let [letter] = peer.letters().try_into().unwrap();
    let text = text_of(&letter);
    assert!(text.contains("मंगलवार") && text.contains("+91 80 1234 5678"), "{text}");
    assert!(!text.contains("हाँ लिखें"), "answers are not heard: {text}");
    for header in ["To: asha@example.org\r\n", "Auto-Submitted: auto-generated\r\n"] {
        assert!(letter.contains(header), "{letter}");
    }
    assert!(letter.contains(&format!("Message-ID: <{id}@shanti.example>\r\n")), "{letter}");
    // Nothing more is heard of an e-mail, so it goes by no other way either.
    post.later(20.minutes());
    let due = post.clinic.app.db.read_blocking(message::next_due).unwrap();
    assert_eq!((due, post.sends().await), (None, Ok(false)));
    assert_eq!(peer.letters().len(), 1);
}

#[tokio::test]
async fn what_a_server_refuses_fails_and_what_it_puts_off_is_tried_again_later() {
    let scripts = vec![
        Script::ToRcpt("550 5.1.1 nobody"),
        // Not the letter's fault, but the account's.
        Script::ToRcpt("530 5.7.0 say who you are"),
        Script::ToLetter("452 4.3.1 full"),
        Script::Takes,
    ];
    let peer = Peer::start(scripts).await;
    let post = Post::of(&peer);
    let refused = post.says(reminder());
    post.sends().await.unwrap();
    assert_eq!(post.fares(refused), (State::Waiting, Progress::Failed, Some("550".into())));
    let id = post.says(reminder());
    post.sends().await.unwrap();
    assert_eq!(post.fares(id).1, Progress::Queued);
    // Too early, then a second time in vain, then it is there.
    post.sends().await.unwrap();
    assert_eq!(peer.letters().len(), 0);
    post.later(61.seconds());
    post.sends().await.unwrap();
    assert_eq!((post.fares(id).1, peer.letters().len()), (Progress::Queued, 1));
    post.later(61.seconds());
    post.sends().await.unwrap();
    assert_eq!(peer.letters().len(), 1, "the pause doubles");
    post.later(60.seconds());
    post.sends().await.unwrap();
    assert_eq!((post.fares(id).1, peer.letters().len()), (Progress::Sent, 2));
}

#[tokio::test]
async fn what_is_put_off_too_often_has_failed() {
    let peer = Peer::start(vec![Script::ToRcpt("451 4.7.1 not now")]).await;
    let post = Post::of(&peer);
    let id = post.says(reminder());
    for _ in 0..TRIES_MAX {
        assert_eq!(post.fares(id).1, Progress::Queued);
        post.sends().await.unwrap();
        post.later(4.hours());
    }
    assert_eq!(post.fares(id).1, Progress::Failed);
}

#[tokio::test]
async fn a_letter_of_which_nobody_knows_goes_again_under_the_same_name() {
    let peer = Peer::start(vec![Script::HangsUp, Script::Takes]).await;
    let post = Post::of(&peer);
    let id = post.says(reminder());
    post.sends().await.unwrap();
    assert_eq!(post.fares(id).1, Progress::Queued);
    post.later(61.seconds());
    post.sends().await.unwrap();
    assert_eq!(post.fares(id).1, Progress::Sent);
    let named: Vec<_> = peer
        .letters()
        .iter()
        .map(|it| it.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned())
        .collect();
    assert_eq!(named.len(), 2);
    assert_eq!(named[0], named[1]);
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_costs_no_message_its_tries() {
    let peer = Peer::start(vec![Script::LetsNobodyIn, Script::Takes]).await;
    let post = Post::of(&peer);
    let login = place::keys(&post.clinic.app.data).join(server::LOGIN);
    std::fs::write(&login, "desk\nsecret\n").unwrap();
    std::fs::set_permissions(&login, std::fs::Permissions::from_mode(0o644)).unwrap();
    let id = post.says(reminder());
    assert_eq!(post.sends().await, Err(Trouble { code: "login-readable".into() }));
    assert_eq!(peer.commands(), [""; 0]);
    std::fs::set_permissions(&login, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(post.sends().await, Err(Trouble { code: "535".into() }));
    assert_eq!(post.fares(id).1, Progress::Queued);
    assert_eq!(post.sends().await, Ok(false));
    assert_eq!(post.fares(id).1, Progress::Sent);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_elsewhere_without_tls() {
    let peer = Peer::start(vec![Script::Takes]).await;
    let post = Post::of(&peer);
    let id = post.says(reminder());
    let mut settings = post.clinic.app.config.email.clone().unwrap();
    settings.server.security = server::Security::StartTls;
    let sent = send_due(&post.clinic.app, &settings, &Stopping::default()).await.unwrap();
    assert_eq!(sent, Err(Trouble { code: "not-let-in".into() }));
    assert!(peer.commands().iter().all(|it| it.starts_with("EHLO") || it == "QUIT"));
    assert_eq!(post.fares(id).1, Progress::Queued);
}

#[tokio::test]
async fn with_starttls_the_letter_goes_to_whom_the_clinics_authority_vouches_for() {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let vouching = authority.self_signed(&key).unwrap();
    let own = KeyPair::generate().unwrap();
    let named = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let shown = named.signed_by(&own, &Issuer::new(authority, key)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![shown.der().clone()],
            PrivateKeyDer::try_from(own.serialize_der()).unwrap(),
        )
        .unwrap();
    let peer = Peer::start(vec![Script::StartsTls(Arc::new(config))]).await;
    let post = Post::of(&peer);
    let id = post.says(reminder());
    let mut settings = post.clinic.app.config.email.clone().unwrap();
    settings.server.security = server::Security::StartTls;
    let (app, stopping) = (&post.clinic.app, Stopping::default());
    let stranger = send_due(app, &settings, &stopping).await.unwrap();
    assert!(stranger.is_err() && peer.letters().is_empty());
    std::fs::write(place::keys(&app.data).join(server::AUTHORITY), vouching.pem()).unwrap();
    assert_eq!(send_due(app, &settings, &stopping).await.unwrap(), Ok(false));
    assert_eq!((post.fares(id).1, peer.letters().len()), (Progress::Sent, 1));
}

#[tokio::test]
async fn what_people_wrote_is_neither_a_header_nor_another_recipient() {
    let peer = Peer::start(vec![Script::Takes]).await;
    let post = Post::of(&peer);
    post.says(Content::text("Hello\r\n.\r\nMAIL FROM:<x@evil.example>\r\nBcc: y@evil.example"));
    post.sends().await.unwrap();
    let letters = peer.letters();
    let (head, _) = letters[0].split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("evil"), "{head}");
    assert_eq!(peer.commands().iter().filter(|it| it.starts_with("MAIL")).count(), 1);

    let settings = post.clinic.app.config.email.clone().unwrap();
    let written = ::reception::Written {
        subject: "News\r\nBcc: y@evil.example".into(),
        text: "Hello".into(),
    };
    let to = Address::email("asha@example.org").unwrap();
    let clinic = "Shanti\r\nBcc: z@evil.example\r\n\r\nClinic";
    let id = (MessageId::new(post.now()), &to);
    let letter = Letter::new(&settings, id, clinic, written, post.now()).unwrap();
    let text = String::from_utf8(letter.bytes).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n ", " ");
    assert!(!unfolded.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert_eq!(letter.envelope.to().len(), 1);
}

#[test]
fn a_mail_server_is_named_by_its_address() {
    use super::server::{Security, Server};
    let of = |text| Server::parse(text).map(|it| (it.host, it.port, it.security));
    assert_eq!(of("smtps://mail.example"), Ok(("mail.example".into(), 465, Security::Tls)));
    assert_eq!(of("smtp://mail.example"), Ok(("mail.example".into(), 587, Security::StartTls)));
    assert_eq!(of("smtp://localhost:25"), Ok(("localhost".into(), 25, Security::Loopback)));
    assert_eq!(of("smtp://[::1]:25"), Ok(("::1".into(), 25, Security::Loopback)));
    // A name that only begins like this machine's is somebody else's.
    assert_eq!(of("smtp://127.0.0.1.example").unwrap().2, Security::StartTls);
    for wrong in ["mail.example", "smtp://", "smtp://a:0", "smtp://u:p@a", "smtp://a/b", "imap://a"]
    {
        assert!(of(wrong).is_err(), "{wrong}");
    }
}
