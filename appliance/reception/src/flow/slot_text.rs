//! A slot's id as text, where it is remembered.

use prm::id::SlotId;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(id: &Option<SlotId>, to: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => to.collect_str(id),
        None => to.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SlotId>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}
