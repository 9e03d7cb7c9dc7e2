//! How programs get a token for this box: what `.well-known/smart-configuration` and the
//! `CapabilityStatement` say of it.
//!
//! Source: <https://hl7.org/fhir/smart-app-launch/conformance.html> (2.2). What only apps with a person in
//! front of them need (an authorisation page, PKCE, OpenID) is not offered and so not said.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::capability::interactions;
use crate::scope::Permission;
use crate::structure;

/// The path of FHIR's address, which the path of the token endpoint stands in place of.
const FHIR_PATH: &str = "/fhir";
/// The path of the token endpoint.
pub const TOKEN_PATH: &str = "/auth/token";
/// The only type of assertion (RFC 7523, section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The only type of grant (RFC 6749, section 4.4).
pub const GRANT_TYPE: &str = "client_credentials";
/// The algorithms of signatures (RFC 7518, section 3.1).
pub const ALGORITHMS: [&str; 2] = ["RS384", "ES384"];

/// The extension with the addresses of OAuth
/// (<http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris>).
const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";
/// <https://hl7.org/fhir/R4/valueset-restful-security-service.html>
const SERVICES: &str = "http://terminology.hl7.org/CodeSystem/restful-security-service";

/// The token endpoint of the box whose FHIR is at `origin`.
pub fn token_endpoint(origin: &str) -> String {
    format!("{}{TOKEN_PATH}", origin.strip_suffix(FHIR_PATH).unwrap_or(origin))
}

/// The JSON under `.well-known/smart-configuration` of the box whose FHIR is at `origin`.
pub fn configuration(origin: &str) -> Value {
    let of_types = structure::each_type().filter_map(scope_of);
    let scopes: Vec<String> =
        ["system/*.cruds", "system/*.rs"].into_iter().map(str::to_owned).chain(of_types).collect();
    json!({
        "token_endpoint": token_endpoint(origin),
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "scopes_supported": scopes,
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    })
}

/// The scope of all that can be done with resources of a type; none if they are not served.
fn scope_of(type_: &str) -> Option<String> {
    let can = |permission: &Permission| {
        interactions(type_).iter().any(|it| Permission::of(*it) == *permission)
    };
    let letters: String = Permission::ALL.into_iter().filter(can).map(Permission::letter).collect();
    (!letters.is_empty()).then(|| format!("system/{type_}.{letters}"))
}

/// `CapabilityStatement.rest.security` of the box whose FHIR is at `origin`.
pub fn security(origin: &str) -> Value {
    json!({
        "extension": [{
            "url": OAUTH_URIS,
            "extension": [{ "url": "token", "valueUri": token_endpoint(origin) }],
        }],
        "service": [{
            "coding": [{ "system": SERVICES, "code": "SMART-on-FHIR", "display": "SMART-on-FHIR" }],
            "text": "SMART Backend Services, or a bearer token that the clinic made",
        }],
    })
}
