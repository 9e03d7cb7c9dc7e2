//! Lists of services for a box: asked once, and what the box answered is told.

use axum::http::StatusCode;
use serde_json::json;
use sync_hub::catalogue::{CATALOGUE_BYTES_MAX, CatalogueError, ask};
use sync_protocol::ask::{Ask, Reply};
use sync_protocol::downlink::Taken;

use super::Place;

fn list(value: &str) -> Vec<u8> {
    let service = json!({
        "resourceType": "HealthcareService",
        "identifier": [{ "system": "https://lists.example/services", "value": value }],
        "name": "Vaccination",
    });
    let bundle = json!({
        "resourceType": "Bundle", "type": "collection", "entry": [{ "resource": service }],
    });
    bundle.to_string().into_bytes()
}

#[tokio::test]
async fn a_list_is_asked_once_and_its_answer_is_told_to_whoever_asks_again() {
    let place = Place::new();
    let device = place.living().await;
    assert_eq!(ask(&place.hub, device.clinic, list("1")).unwrap(), None);
    assert_eq!(ask(&place.hub, device.clinic, list("1")).unwrap(), None);
    let batch = device.poll(&place.hub, Taken::NONE.position).await.unwrap();
    let [request] = batch.requests.as_slice() else { panic!("{batch:?}") };
    let Ok(Ask::Catalogue(catalogue)) = Ask::from_bytes(&request.body) else {
        panic!("{request:?}")
    };
    assert_eq!((catalogue.id, catalogue.bundle), (request.id, list("1")));

    let answer = Reply { id: request.id, status: 200, body: b"{}".to_vec(), before: None };
    assert_eq!(device.reply(&place.hub, &answer).await, StatusCode::NO_CONTENT);
    assert_eq!(ask(&place.hub, device.clinic, list("1")).unwrap(), Some(answer));
    assert_eq!(ask(&place.hub, device.clinic, list("2")).unwrap(), None, "another list");
}

#[tokio::test]
async fn a_list_that_no_box_could_take_is_refused_at_once() {
    let place = Place::new();
    let device = place.living().await;
    let refused = |bundle: Vec<u8>| ask(&place.hub, device.clinic, bundle).unwrap_err();
    let long = vec![b' '; CATALOGUE_BYTES_MAX + 1];
    assert!(matches!(refused(long), CatalogueError::TooLong));
    assert!(matches!(refused(b"{".to_vec()), CatalogueError::Invalid(_)));
    let patient = json!({ "resourceType": "Patient" }).to_string().into_bytes();
    assert!(matches!(refused(patient), CatalogueError::NoCatalogue));
    let unnamed = json!({
        "resourceType": "Bundle", "type": "collection",
        "entry": [{ "resource": { "resourceType": "HealthcareService", "name": "Vaccination" } }],
    });
    assert!(matches!(refused(unnamed.to_string().into_bytes()), CatalogueError::NoCatalogue));
}
