//! From people to the box.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::Arc;

use channels::heard::{Down, MEDIA_BYTES_MAX, Missing, PART_BYTES_MAX, Part};
use sync_hub::channel;
use sync_hub::media::fetch::{Fetched, Fetcher};
use sync_hub::media::incoming::{self, AGE_MS_MAX, CLAIM_MS};
use sync_hub::relay::due;
use sync_hub::store::{self, sql};
use sync_protocol::relay::Batch;

use super::super::messages::{opened, says};
use super::super::webhooks::{meta_at, signed_form};
use super::keeper::{Keeper, Kept};
use super::*;

/// How many bytes lie here of what goes to the box.
fn bytes_kept(place: &Place, clinic: [u8; 16]) -> i64 {
    let sql = "SELECT coalesce(max(length(body)), 0) FROM message_in
        WHERE clinic = ?1 AND media IS NOT NULL";
    let read =
        |tx: &store::Tx<'_>| tx.row(sql, &[sql::Param::from(&clinic)], |row| row.get::<i64>(0));
    place.hub.store.read(clinic, read).unwrap().unwrap()
}

#[tokio::test]
async fn a_picture_follows_its_message_in_parts_and_is_forgotten_when_the_box_has_it() {
    let keeper = Keeper::start().await;
    let (place, device) = clinic(&keeper).await;
    let whole = picture(2);
    keeper.keep("77", Kept::Bytes(whole.clone()));
    for _ in 0..2 {
        sent_by_meta(&place, "77").await;
    }
    let mut numbers = 0;
    let first = taken(&place, &device, &mut numbers);
    let [(_, Down::Heard(_))] = &first[..] else { panic!("{first:?}") };
    assert!(keeper.shelf().asked.is_empty(), "the webhook does not wait for it");
    assert_eq!((fetch_once(&place).await, fetch_once(&place).await), (1, 0));
    let came = parts(taken(&place, &device, &mut numbers));
    // What it is its bytes say, not who sent it.
    assert_eq!(came, Part::of("77", "image/png", &whole));
    assert_eq!(
        came.iter().map(|it| it.bytes.len()).collect::<Vec<_>>(),
        [PART_BYTES_MAX, PART_BYTES_MAX, 8]
    );
    assert!(bytes_kept(&place, device.clinic) < 64);
    // The box is put back from a copy that knows its message and one part.
    says(&place, &device, Batch { taken: Some(2), ask: true, ..Batch::default() }).unwrap();
    numbers = 2;
    assert_eq!(fetch_once(&place).await, 1);
    assert_eq!(
        parts(taken(&place, &device, &mut numbers)),
        Part::of("77", "image/png", &whole)[1..]
    );
    assert!(bytes_kept(&place, device.clinic) < 64);
}

#[tokio::test]
async fn what_does_not_come_is_said_by_a_word_and_nothing_else_is_dialled() {
    let keeper = Keeper::start().await;
    let (place, device) = clinic(&keeper).await;
    let inner = TcpListener::bind("127.0.0.1:0").unwrap();
    inner.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/kept/9", inner.local_addr().unwrap());
    let mut long = picture(1);
    long.resize(MEDIA_BYTES_MAX + 1, 0);
    let cases = [
        ("1", Kept::Status(404), Missing::Gone),
        ("2", Kept::Bytes(Vec::new()), Missing::Gone),
        ("3", Kept::Bytes(long.clone()), Missing::TooLong),
        ("4", Kept::Streamed(long), Missing::TooLong),
        ("5", Kept::Bytes(b"<html><script>".to_vec()), Missing::NotAllowed),
        ("6", Kept::At(elsewhere.clone()), Missing::NotAllowed),
        ("7", Kept::At("http://169.254.169.254/".to_owned()), Missing::NotAllowed),
        ("8", Kept::Led(elsewhere), Missing::NotAllowed),
    ];
    for (id, kept, _) in &cases {
        keeper.keep(id, kept.clone());
        sent_by_meta(&place, id).await;
    }
    // Twilio's own address leads on, and the address of a stranger is asked for nothing.
    keeper.keep("ME1", Kept::Led("/kept/ME2".to_owned()));
    keeper.keep("ME2", Kept::Bytes(b"OggS\0voice".to_vec()));
    let [led, strange] = [format!("{}/2010/ME1", keeper.url), "https://evil.example/x".to_owned()];
    let fields = [
        ("MessageSid", "SM1"),
        ("AccountSid", webhooks::SID),
        ("From", "whatsapp:+919844111173"),
        ("To", webhooks::OURS),
        ("NumMedia", "2"),
        ("MediaUrl0", &led),
        ("MediaContentType0", "audio/ogg"),
        ("MediaUrl1", &strange),
    ];
    let request = signed_form(TOKEN, sync_hub::http::TWILIO, &fields);
    assert_eq!(webhook(&place, request).await, StatusCode::OK);
    assert_eq!(fetch_once(&place).await, cases.len() + 2);
    let mut came = parts(taken(&place, &device, &mut 0));
    came.sort_by_key(|it| it.reference.clone());
    let mut expected: Vec<Part> = cases.iter().map(|it| Part::none(it.0, it.2)).collect();
    expected.extend(Part::of(&led, "audio/ogg", b"OggS\0voice"));
    expected.push(Part::none(&strange, Missing::NotAllowed));
    expected.sort_by_key(|it| it.reference.clone());
    assert_eq!(came, expected);
    assert_eq!(inner.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    // With its account goes what it could be asked with.
    let of_meta = |it: &channel::Channel| it.account.carrier() == "meta";
    sent_by_meta(&place, "3").await;
    sent_by_meta(&place, "10").await;
    let removed = place.hub.store.write(device.clinic, |tx| {
        let of = store::clinic(tx, device.clinic)?.unwrap();
        let all = channel::all_of(&place.hub, tx, &of).unwrap();
        store::remove_channel(tx, device.clinic, all.iter().find(|it| of_meta(it)).unwrap().id)
    });
    assert!(removed.unwrap());
    assert_eq!(fetch_once(&place).await, 1);
    assert_eq!(parts(taken(&place, &device, &mut 100)), [Part::none("10", Missing::Gone)]);
}

#[tokio::test]
async fn a_keeper_that_is_down_is_asked_again_and_a_hub_that_was_killed_leaves_nothing_out() {
    let keeper = Keeper::start().await;
    let (mut place, device) = clinic(&keeper).await;
    let whole = picture(2);
    for status in [503, 401] {
        keeper.keep("77", Kept::Status(status));
        if status == 503 {
            sent_by_meta(&place, "77").await;
        }
        assert_eq!((fetch_once(&place).await, fetch_once(&place).await), (1, 0));
        later(&place, 10_000);
    }
    keeper.keep("77", Kept::Bytes(whole.clone()));
    // Two hubs look at once, and the one that took it is killed between fetching and writing.
    let other = place.another();
    let jobs = incoming::claim(&place.hub, 9).await;
    assert_eq!((jobs.len(), incoming::claim(&other, 9).await.len()), (1, 0));
    let fetcher = Fetcher::new().unwrap();
    assert_eq!(incoming::fetch_once(&fetcher, &jobs[0]).await, Fetched::Whole(whole.clone()));
    place.restart();
    later(&place, CLAIM_MS);
    // The next one is killed after the first part.
    let jobs = incoming::claim(&place.hub, 9).await;
    let all = Part::of("77", "image/png", &whole);
    assert!(incoming::put(&place.hub, &jobs[0], &all[..1]).unwrap());
    place.restart();
    later(&place, CLAIM_MS);
    assert_eq!((fetch_once(&place).await, fetch_once(&place).await), (1, 0));
    later(&place, CLAIM_MS);
    assert_eq!(fetch_once(&place).await, 0, "it is done");
    assert_eq!(parts(taken(&place, &device, &mut 0)), all, "each part once");
    // What is not handed out for too long is gone.
    keeper.keep("78", Kept::Status(500));
    sent_by_meta(&place, "78").await;
    assert_eq!(fetch_once(&place).await, 1);
    later(&place, AGE_MS_MAX + 1);
    assert_eq!(fetch_once(&place).await, 1);
    assert_eq!(parts(taken(&place, &device, &mut 100)), [Part::none("78", Missing::Gone)]);
}

#[tokio::test]
async fn no_inner_address_is_dialled_whatever_a_name_leads_to() {
    let inner = TcpListener::bind("127.0.0.1:0").unwrap();
    inner.set_nonblocking(true).unwrap();
    let address = inner.local_addr().unwrap();
    let lead = move |_: String| {
        let found = std::future::ready(Ok(vec![address]));
        Box::pin(found) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
    };
    let fetcher = Fetcher::with_lookup(Arc::new(lead)).unwrap();
    let account = meta_at(NUMBER, APP_SECRET, None);
    let fetched = fetcher.fetch(&account, "77").await;
    assert_eq!(fetched, Fetched::Later { code: "unreachable".to_owned() });
    assert_eq!(inner.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_clinic_of_which_too_much_waits_to_be_fetched_hears_nothing_more_for_now() {
    let keeper = Keeper::start().await;
    let (place, device) = clinic(&keeper).await;
    let clinic = device.clinic;
    sent_by_meta(&place, "77").await;
    let many = "INSERT INTO media_in (clinic, id, channel, body, state, since, next_at, tries)
        SELECT clinic, ?2, channel, body, state, since, next_at, tries FROM media_in
        WHERE clinic = ?1 LIMIT 1";
    place
        .hub
        .store
        .write(clinic, |tx| -> Result<(), store::StoreError> {
            for number in 1..incoming::WAITING_MAX {
                let id = u128::from(number).to_be_bytes();
                tx.execute(many, &[sql::Param::from(&clinic), sql::Param::from(&id)])?;
            }
            Ok(())
        })
        .unwrap();
    let body = meta_picture("919844111173", "78");
    let request = signed_json(META, APP_SECRET, &body);
    assert_eq!(webhook(&place, request).await, StatusCode::SERVICE_UNAVAILABLE);
    let goes = due(&place.hub, clinic, false).unwrap().unwrap();
    assert_eq!(opened(&device, &goes).items.len(), 1);
}
