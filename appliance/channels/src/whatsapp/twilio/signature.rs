//! Who sent a webhook of Twilio's.
//!
//! The signature is over the address as Twilio called it, and over the fields of the form in the order of their names.
//! Twilio has always been of two minds whether the address has its port, so both are tried. It has no time in it: only the
//! message's id stops what is said again.

use std::collections::BTreeSet;

use ring::{digest, hmac};

use crate::signature::{Forged, is_hmac, is_same, unbase64};

/// A webhook as it came.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The public address that Twilio was given, with path and query as they came. Never from `Host` or any header
    /// that a stranger may write.
    pub url: &'a str,
    /// The header [`super::SIGNATURE`].
    pub signature: &'a str,
    /// The header [`super::SIGNATURE_SETTINGS`].
    pub settings: Option<&'a str>,
    /// The header `content-type`.
    pub content_type: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// Checks who sent it: by the account's token, or, if the webhook names a shared key, by the secret of that.
///
/// # Errors
/// [`Forged`], whatever is wrong.
pub fn verify(token: &str, shared_key: Option<&str>, signed: &Signed<'_>) -> Result<(), Forged> {
    let (algorithm, secret) = match named_algorithm(signed.settings) {
        None => (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token),
        Some(name) if name.eq_ignore_ascii_case("HMAC_SHA1") => {
            (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, shared_key.ok_or(Forged)?)
        }
        Some(name) if name.eq_ignore_ascii_case("HMAC_SHA256") => {
            (hmac::HMAC_SHA256, shared_key.ok_or(Forged)?)
        }
        Some(_) => return Err(Forged),
    };
    // An empty secret is nobody's.
    if secret.is_empty() {
        return Err(Forged);
    }
    let tag = unbase64(signed.signature).ok_or(Forged)?;
    let essence = signed.content_type.split(';').next().unwrap_or_default().trim();
    let fields = if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        form_urlencoded::parse(signed.body).collect::<BTreeSet<_>>()
    } else {
        // Any other body is signed by its hash in the address.
        let query = signed.url.split_once('?').ok_or(Forged)?.1;
        let mut named = form_urlencoded::parse(query.as_bytes());
        let (_, named) = named.find(|(name, _)| name == "bodySHA256").ok_or(Forged)?;
        let hash = digest::digest(&digest::SHA256, signed.body);
        let hash = crate::signature::hex(hash.as_ref());
        if !is_same(&hash, &named.to_ascii_lowercase()) {
            return Err(Forged);
        }
        BTreeSet::new()
    };
    let is_signed = |url: String| {
        let mut text = url;
        for (name, value) in &fields {
            text.push_str(name);
            text.push_str(value);
        }
        is_hmac(algorithm, secret.as_bytes(), text.as_bytes(), &tag)
    };
    if addresses(signed.url).into_iter().any(is_signed) { Ok(()) } else { Err(Forged) }
}

/// `key=...,algorithm=HMAC_SHA256`; nothing means the token and SHA-1.
fn named_algorithm(settings: Option<&str>) -> Option<&str> {
    settings?.split(',').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        (name.trim() == "algorithm" && !value.trim().is_empty()).then(|| value.trim())
    })
}

/// The address as it is, without a port, and with one.
fn addresses(url: &str) -> Vec<String> {
    let mut addresses = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return addresses };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| {
        // The separator stays with the user.
        (authority.get(..=user.len()).unwrap_or_default(), host)
    });
    let has_port =
        |(_, port): &(&str, &str)| !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
    match host.rsplit_once(':').filter(has_port) {
        Some((host, _)) => addresses.push(format!("{scheme}://{user}{host}{path}")),
        None => {
            let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
            addresses.push(format!("{scheme}://{user}{host}:{port}{path}"));
        }
    }
    addresses
}
