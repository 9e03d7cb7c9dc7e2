//! How what was heard looks as JSON.

use serde::{Deserialize, Serialize};

/// [`super::Said`] with a word for its kind and all fields beside it. A kind that is not known here, or lacks
/// what belongs to it, is not lost: its word is kept.
#[derive(Serialize, Deserialize)]
pub struct Said {
    r#type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latitude: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    longitude: Option<String>,
}

impl Said {
    fn of(kind: &str) -> Self {
        Self {
            r#type: kind.to_owned(),
            text: None,
            id: None,
            title: None,
            reference: None,
            media_type: None,
            name: None,
            caption: None,
            bytes: None,
            latitude: None,
            longitude: None,
        }
    }
}

impl From<super::Said> for Said {
    fn from(said: super::Said) -> Self {
        use super::Said as Known;
        match said {
            Known::Text(text) => Self { text: Some(text), ..Self::of("text") },
            Known::Chosen { id, title } => {
                Self { id: Some(id), title: Some(title), ..Self::of("chosen") }
            }
            Known::Media { reference, media_type, name, caption, bytes } => Self {
                reference: Some(reference),
                media_type: Some(media_type),
                name,
                caption,
                bytes,
                ..Self::of("media")
            },
            Known::Location { latitude, longitude, name } => Self {
                latitude: Some(latitude),
                longitude: Some(longitude),
                name,
                ..Self::of("location")
            },
            Known::Unsupported { kind } => Self::of(&kind),
        }
    }
}

impl From<Said> for super::Said {
    fn from(said: Said) -> Self {
        let kind = said.r#type;
        let known = match kind.as_str() {
            "text" => said.text.map(Self::Text),
            "chosen" => said.id.zip(said.title).map(|(id, title)| Self::Chosen { id, title }),
            "media" => said.reference.zip(said.media_type).map(|(reference, media_type)| {
                let (name, caption, bytes) = (said.name, said.caption, said.bytes);
                Self::Media { reference, media_type, name, caption, bytes }
            }),
            "location" => said.latitude.zip(said.longitude).map(|(latitude, longitude)| {
                Self::Location { latitude, longitude, name: said.name }
            }),
            _ => None,
        };
        known.unwrap_or(Self::Unsupported { kind })
    }
}

/// The JSON of what always has one: maps with text as keys, no number that is not finite.
pub fn write<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("invariant: these types have a JSON form")
}

/// Bytes as base64.
pub mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(|_| D::Error::custom("not base64"))
    }
}
