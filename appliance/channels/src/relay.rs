//! The wire between box and hub: MQTT 5.

pub mod topic;
