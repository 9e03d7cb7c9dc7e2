//! What programs are told before they ask for a token.

use super::*;
use crate::scope::Scopes;

#[test]
fn what_is_promised_is_what_is_served() {
    let said = configuration("https://box.local:8443/fhir");
    assert_eq!(said["token_endpoint"], "https://box.local:8443/auth/token");
    let scopes = said["scopes_supported"].as_array().unwrap();
    for scope in scopes {
        assert!(Scopes::parse(scope.as_str().unwrap()).is_ok(), "{scope}");
    }
    assert!(scopes.contains(&json!("system/Appointment.crus")), "records are never deleted");
    assert!(scopes.contains(&json!("system/Slot.rs")), "slots are computed");
    assert!(!scopes.iter().any(|scope| scope.as_str().unwrap().contains("Subscription")));
    for absent in ["authorization_endpoint", "issuer", "jwks_uri"] {
        assert_eq!(said.get(absent), None, "{absent}");
    }
}
