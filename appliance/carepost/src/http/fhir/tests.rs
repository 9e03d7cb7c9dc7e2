//! FHIR from outside.
