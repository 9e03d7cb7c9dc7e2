//! The public keys of a client: a JSON Web Key Set (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA384, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The largest key set, in bytes.
pub const KEY_SET_BYTES_MAX: usize = 64 * 1024;
/// Keys that one set holds at the most.
const KEYS_MAX: usize = 32;
/// The longest name of a key, in bytes.
pub const KID_BYTES_MAX: usize = 256;
/// The bytes of a modulus of RSA: 2048 to 8192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// The bytes of a coordinate on P-384 (RFC 7518, section 6.2.1.2).
const COORDINATE_BYTES: usize = 48;

/// An algorithm of signatures that is known here (RFC 7518, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl Algorithm {
    /// The algorithm of this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS384" => Some(Self::Rs384),
            "ES384" => Some(Self::Es384),
            _ => None,
        }
    }
}

/// Why a key set cannot be used: what its owner has to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// There is too much of it.
    #[error("a key set has at most {KEYS_MAX} keys and {KEY_SET_BYTES_MAX} bytes")]
    TooLarge,
    /// It is none.
    #[error("this is no JSON Web Key Set: an object with a list of keys (RFC 7517)")]
    NoSet,
    /// It holds a secret.
    #[error("this holds a private key; keep that and give only the public half of each key")]
    Private,
    /// Nothing in it can check a signature here.
    #[error("there is no key with a kid for RS384 (RSA of 2048 to 8192 bits) or ES384 (P-384)")]
    NoneUsable,
    /// A signature could be meant for either.
    #[error("two keys have the same kid; give each its own")]
    Twice,
}

/// The keys of a client that can check signatures.
#[derive(Debug)]
pub struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    kid: String,
    public: Public,
}

#[derive(Debug)]
enum Public {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// The point as SEC 1 writes it without compression.
    P384(Vec<u8>),
}

impl Public {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs384,
            Self::P384(_) => Algorithm::Es384,
        }
    }
}

/// A key as it is written; members that say nothing about checking signatures are not looked at.
#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    use_: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// The private half of RSA and of curves.
    d: Option<IgnoredAny>,
    /// A key that both sides have.
    k: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct WrittenSet {
    keys: Vec<Written>,
}

impl KeySet {
    /// Reads a key set. Keys for other purposes are left out.
    ///
    /// # Errors
    /// What its owner has to mend.
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        if text.len() > KEY_SET_BYTES_MAX {
            return Err(KeySetError::TooLarge);
        }
        let WrittenSet { keys } = serde_json::from_str(text).map_err(|_| KeySetError::NoSet)?;
        if keys.len() > KEYS_MAX {
            return Err(KeySetError::TooLarge);
        }
        if keys.iter().any(|key| key.d.is_some() || key.k.is_some()) {
            return Err(KeySetError::Private);
        }
        let mut usable: Vec<Key> = Vec::new();
        for key in keys.into_iter().filter_map(Written::usable) {
            if usable.iter().any(|other| key.is(&other.kid, other.public.algorithm())) {
                return Err(KeySetError::Twice);
            }
            usable.push(key);
        }
        if usable.is_empty() { Err(KeySetError::NoneUsable) } else { Ok(Self(usable)) }
    }

    /// Whether there is a key of this name for an algorithm.
    pub fn has(&self, kid: &str, algorithm: Algorithm) -> bool {
        self.0.iter().any(|key| key.is(kid, algorithm))
    }

    /// Whether the key of this name signed the message, by this algorithm.
    pub fn verify(
        &self,
        (kid, algorithm): (&str, Algorithm),
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let Some(key) = self.0.iter().find(|key| key.is(kid, algorithm)) else { return false };
        match &key.public {
            Public::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_2048_8192_SHA384, message, signature)
                .is_ok(),
            Public::P384(point) => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

impl Key {
    fn is(&self, kid: &str, algorithm: Algorithm) -> bool {
        self.kid == kid && self.public.algorithm() == algorithm
    }
}

impl Written {
    /// The key, if it can check signatures by an algorithm that is known here.
    fn usable(self) -> Option<Key> {
        let signs = self.use_.as_deref().is_none_or(|use_| use_ == "sig");
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        let may = signs && self.key_ops.as_ref().is_none_or(verifies);
        let kid = self.kid.filter(|kid| !kid.is_empty() && kid.len() <= KID_BYTES_MAX)?;
        let public = match self.kty.as_str() {
            "RSA" => {
                let modulus = number(&self.n?)?;
                let fits = MODULUS_BYTES.contains(&modulus.len());
                fits.then_some(Public::Rsa { modulus, exponent: number(&self.e?)? })?
            }
            "EC" if self.crv.as_deref() == Some("P-384") => {
                let (x, y) = (coordinate(&self.x?)?, coordinate(&self.y?)?);
                Public::P384([&[4][..], &x, &y].concat())
            }
            _ => return None,
        };
        let algorithm = public.algorithm();
        let fits = self.alg.as_deref().is_none_or(|alg| Algorithm::parse(alg) == Some(algorithm));
        (may && fits).then_some(Key { kid, public })
    }
}

/// A number as RFC 7518 writes it, without zeros before it.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes.get(first..)?.to_vec())
}

fn coordinate(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == COORDINATE_BYTES)
}

#[cfg(test)]
mod tests;
