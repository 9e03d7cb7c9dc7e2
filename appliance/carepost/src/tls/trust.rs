//! What a tablet needs to trust the box: a fingerprint that can be read aloud, and Apple's
//! profile with the authority's certificate in it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bip39::Language;
use ring::digest::{SHA256, digest};

/// How many words a spoken fingerprint has: 66 bits, beyond what a rogue page could match.
pub const FINGERPRINT_WORDS: usize = 6;
const WORD_BITS: usize = 11;
const LINE: usize = 64;

/// The SHA-256 of the authority's certificate. Shown as browsers show it, in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }

    /// Its first 66 bits as six English words of the BIP 39 list, which was chosen so that no
    /// two words begin with the same four letters.
    pub fn words(&self) -> [&'static str; FINGERPRINT_WORDS] {
        let list = Language::English.word_list();
        std::array::from_fn(|word| {
            let bits = word * WORD_BITS..(word + 1) * WORD_BITS;
            let index = bits.fold(0, |index, bit| {
                index << 1 | usize::from(self.0[bit / 8] >> (7 - bit % 8) & 1)
            });
            list[index]
        })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Apple's configuration profile (`.mobileconfig`, served as `application/x-apple-aspen-config`)
/// that installs the authority's certificate. The same certificate makes the same profile, so
/// installing it again replaces it.
pub fn mobileconfig(ca_der: &[u8], clinic: &str) -> String {
    let clinic = escape(clinic);
    let fingerprint = Fingerprint::of(ca_der);
    let short: String = fingerprint.0[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let (profile, payload) = (uuid_of("profile", ca_der), uuid_of("certificate", ca_der));
    let encoded = STANDARD.encode(ca_der);
    let mut certificate = String::with_capacity(encoded.len() * 2);
    for (at, letter) in encoded.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            certificate.push('\n');
        }
        certificate.push(letter);
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key>
      <string>carepost.crt</string>
      <key>PayloadContent</key>
      <data>
{certificate}
      </data>
      <key>PayloadDisplayName</key>
      <string>Carepost, {clinic}</string>
      <key>PayloadIdentifier</key>
      <string>carepost.{short}.certificate</string>
      <key>PayloadType</key>
      <string>com.apple.security.root</string>
      <key>PayloadUUID</key>
      <string>{payload}</string>
      <key>PayloadVersion</key>
      <integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key>
  <string>Lets this device open the screens of {clinic} over a secure connection. The certificate is good for the clinic's own box only.</string>
  <key>PayloadDisplayName</key>
  <string>Carepost, {clinic}</string>
  <key>PayloadIdentifier</key>
  <string>carepost.{short}</string>
  <key>PayloadOrganization</key>
  <string>{clinic}</string>
  <key>PayloadRemovalDisallowed</key>
  <false/>
  <key>PayloadType</key>
  <string>Configuration</string>
  <key>PayloadUUID</key>
  <string>{profile}</string>
  <key>PayloadVersion</key>
  <integer>1</integer>
</dict>
</plist>
"#
    )
}

/// Characters that XML 1.0 does not allow even escaped are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\u{FFFE}' | '\u{FFFF}' => {}
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn uuid_of(part: &str, certificate: &[u8]) -> uuid::Uuid {
    let hash = digest(&SHA256, &[part.as_bytes(), certificate].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
