//! A telephone of the demonstration, and somebody who plays the hub.

use axum::body::Bytes;
use axum::extract::State;
use channels::whatsapp::meta;
use tokio::sync::mpsc;

use super::*;

fn account() -> Account {
    Account {
        access_token: "token".into(),
        app_secret: "secret".into(),
        verify_token: "verify".into(),
    }
}

async fn hub() -> (SocketAddr, mpsc::UnboundedReceiver<(String, Value)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let take = |State(tell): State<mpsc::UnboundedSender<(String, Value)>>,
                headers: HeaderMap,
                body: Bytes| async move {
        let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
        tell.send((signature, serde_json::from_slice(&body).unwrap())).unwrap();
    };
    let router = Router::new().route(WEBHOOK, post(take)).with_state(tell);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, told)
}

#[tokio::test]
async fn what_a_patient_writes_reaches_the_hub_and_what_the_clinic_sends_the_screen() {
    let (address, mut told) = hub().await;
    let phones = Phones::open(account()).await.unwrap();
    phones.post_to(address);
    let now = "2026-11-23T08:00:00Z".parse().unwrap();
    let asha = ("+919844111173", "Asha");
    assert_eq!(phones.say(asha, Said::Text("hello".into()), now).await.unwrap(), 200);
    let (signature, posted) = told.recv().await.unwrap();
    assert!(signature.starts_with("sha256=") && signature.len() == 71, "{signature}");
    let message = &posted["entry"][0]["changes"][0]["value"]["messages"][0];
    assert_eq!(
        (&message["from"], &message["text"]["body"]),
        (&"919844111173".into(), &"hello".into())
    );

    let body = json!({
        "messaging_product": "whatsapp", "to": "919844111173", "type": "interactive",
        "interactive": {
            "type": "button", "body": { "text": "When?" },
            "action": { "buttons": [{ "type": "reply", "reply": { "id": "a", "title": "10:15" } }] },
        },
    });
    let url = format!("{}/v23.0/{NUMBER_ID}/messages", phones.url());
    let client = client().unwrap();
    let refused = client.post(&url).bearer_auth("other").json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let taken = client.post(&url).bearer_auth("token").json(&body).send().await.unwrap();
    assert_eq!(taken.status(), 200);
    let shown = phones.messages("+919844111173", 1);
    assert_eq!(shown.len(), 1);
    assert!(shown[0].is_from_clinic && shown[0].text == "When?");
    assert_eq!(shown[0].choices[0].title, "10:15");
    for status in ["sent", "delivered", "read"] {
        let (_, posted) = told.recv().await.unwrap();
        let said = &posted["entry"][0]["changes"][0]["value"]["statuses"][0];
        assert_eq!((&said["status"], &said["id"]), (&status.into(), &shown[0].id.as_str().into()));
    }
}

#[tokio::test]
async fn pictures_are_handed_over_looked_up_and_fetched_as_at_meta() {
    let (address, mut told) = hub().await;
    let phones = Phones::open(account()).await.unwrap();
    phones.post_to(address);
    let now = "2026-11-23T08:00:00Z".parse().unwrap();
    let bytes = Bytes::from_static(b"\x89PNG\r\n\x1A\n--shown\r\n\r\n");
    let id = phones.put(Picture { media_type: "image/png".into(), bytes: bytes.clone() });
    let said = Said::Media(Sending { id: id.clone(), caption: Some("my report".into()) });
    assert_eq!(phones.say(("+919844111173", "Asha"), said, now).await.unwrap(), 200);
    let (_, posted) = told.recv().await.unwrap();
    let image = &posted["entry"][0]["changes"][0]["value"]["messages"][0]["image"];
    assert_eq!(*image, json!({ "id": id, "mime_type": "image/png", "caption": "my report" }));

    // The hub's own words, as they go to Meta.
    let number = NUMBER_ID;
    let of = meta::Account { phone_number_id: number, access_token: "token", version: "v24.0" };
    let url = phones.url();
    let client = client().unwrap();
    let get = async |fetch: channels::whatsapp::Fetch| {
        let asked = client.get(fetch.address).header("authorization", fetch.authorization.unwrap());
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    };
    let looked = get(meta::look_up(&of, Some(&url), &id).unwrap()).await;
    let found = meta::looked_up(&of, Some(&url), (looked.0, &looked.1)).unwrap();
    assert_eq!((found.bytes, found.media_type.as_str()), (bytes.len() as u64, "image/png"));
    assert_eq!(get(found.fetch).await, (200, bytes.clone()));
    let looked = get(meta::look_up(&of, Some(&url), "1").unwrap()).await;
    let gone = Err(channels::whatsapp::NotFound::Never(channels::heard::Missing::Gone));
    assert_eq!(meta::looked_up(&of, Some(&url), (looked.0, &looked.1)), gone);

    let request = meta::hand_over(&of, "image/png", &bytes, 7).unwrap();
    let mut asked = client.post(format!("{url}{}", request.path)).body(request.body);
    for (name, value) in request.headers {
        asked = asked.header(name, value);
    }
    let answer = asked.send().await.unwrap();
    let status = answer.status().as_u16();
    let handed = meta::handed_over(status, None, &answer.bytes().await.unwrap());
    let channels::whatsapp::Outcome::Accepted(handed) = handed else { panic!("{handed:?}") };
    let body = json!({ "to": "919844111173", "type": "image",
        "image": { "id": handed, "caption": "Show this at the desk" } });
    let messages = format!("{url}/v24.0/{NUMBER_ID}/messages");
    let taken = client.post(&messages).bearer_auth("token").json(&body).send().await.unwrap();
    assert_eq!(taken.status(), 200);
    let shown = phones.messages("+919844111173", 1);
    assert_eq!((shown.len(), shown[0].text.as_str()), (1, "Show this at the desk"));
    let media = shown[0].media.as_ref().unwrap();
    assert_eq!(phones.picture(&media.id).unwrap().bytes, bytes);
    let body = json!({ "to": "919844111173", "type": "image", "image": { "id": "1" } });
    let refused = client.post(&messages).bearer_auth("token").json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 400);
}
