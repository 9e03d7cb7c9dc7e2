//! Lists of services from the hub: merged by identifier, never over what the clinic made its own.

use serde_json::{Value, json};
use sync_agent::ask::{Ask, Catalogue, Id};

use super::Asked;

fn offered(value: &str, name: &str, minutes: i64) -> Value {
    json!({
        "resourceType": "HealthcareService",
        "identifier": [{ "system": "https://lists.example/services", "value": value }],
        "name": name,
        "extension": [{
            "url": fhir::extension::DURATION,
            "valueDuration": { "value": minutes, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min" },
        }],
    })
}

impl Asked {
    /// Takes a list, and answers what became of it: created, changed, unchanged, kept and refused.
    fn list(&self, id: u8, services: &[Value]) -> (u16, Vec<i64>) {
        let entries: Vec<_> = services.iter().map(|it| json!({ "resource": it })).collect();
        let bundle =
            json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string();
        let catalogue = Catalogue { id: Id([id; 16]), bundle: bundle.into_bytes() };
        self.take(&Ask::Catalogue(catalogue));
        let (status, body) = self.reply([id; 16]).unwrap();
        let parts = body["parameter"].as_array().cloned().unwrap_or_default();
        (status, parts.iter().map(|it| it["valueInteger"].as_i64().unwrap()).collect())
    }
}

#[tokio::test]
async fn what_a_list_brings_waits_to_be_accepted_and_follows_the_list_until_then() {
    let asked = Asked::open();
    let (vaccine, scan) = (offered("1", "Vaccination", 10), offered("2", "Ultrasound", 20));
    assert_eq!(asked.list(1, &[vaccine.clone(), scan.clone()]), (200, vec![2, 0, 0, 0, 0]));
    let waiting = asked.items("sync/catalogue").await;
    let names: Vec<_> = waiting.iter().map(|it| (&it["name"], &it["active"])).collect();
    assert_eq!(
        names,
        [(&json!("Ultrasound"), &json!(false)), (&json!("Vaccination"), &json!(false))]
    );

    let longer = offered("1", "Vaccination", 15);
    assert_eq!(asked.list(2, &[longer.clone(), scan]), (200, vec![0, 1, 1, 0, 0]));
    let waiting = asked.items("sync/catalogue").await;
    assert_eq!((waiting.len(), &waiting[1]["duration_minutes"]), (2, &json!(15)));

    // Accepted, it is the clinic's own; a list that says something else of it changes nothing.
    let path = format!("healthcare-services/{}", waiting[1]["id"].as_str().unwrap());
    asked.desk("PATCH", &path, Some(json!({ "active": true }))).await;
    assert_eq!(asked.list(3, &[offered("1", "Vaccination", 40)]), (200, vec![0, 0, 0, 1, 0]));
    let kept = asked.desk("GET", &path, None).await.body;
    assert_eq!((&kept["duration_minutes"], &kept["active"]), (&json!(15), &json!(true)));
    assert_eq!(asked.items("sync/catalogue").await.len(), 1);
    // What a list does not name any more is not taken away.
    assert_eq!(asked.items("healthcare-services").await.len(), 2);
}

#[tokio::test]
async fn what_the_rules_refuse_is_counted_and_a_list_that_is_none_is_refused_whole() {
    let asked = Asked::open();
    let odd = offered("1", "Vaccination", 7);
    assert_eq!(asked.list(1, &[odd, offered("2", "Ultrasound", 20)]), (200, vec![1, 0, 0, 0, 1]));
    let twice = [offered("3", "A", 10), offered("3", "B", 10)];
    assert_eq!(asked.list(2, &twice).0, 422);
    assert_eq!(asked.list(3, &[json!({ "resourceType": "Patient" })]).0, 422);
    assert_eq!(asked.items("healthcare-services").await.len(), 1);
}
