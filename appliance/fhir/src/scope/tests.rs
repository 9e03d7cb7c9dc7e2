//! Scopes as SMART writes them.

use super::*;

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap_or_else(|unknown| panic!("{text}: {unknown}"))
}

#[test]
fn there_is_room_for_every_type_in_the_order_of_the_alphabet() {
    assert!(TYPES.len() <= TYPES_MAX && TYPES.is_sorted());
}

#[test]
fn a_scope_allows_what_its_letters_say_of_its_type() {
    let some = scopes("system/Patient.rs system/Appointment.cu");
    for (type_, letters) in [("Patient", "rs"), ("Appointment", "cu"), ("Slot", ""), ("None", "")] {
        for permission in Permission::ALL {
            let said = letters.contains(permission.letter());
            assert_eq!(some.allows(type_, permission), said, "{type_} {permission:?}");
        }
    }
    assert!(scopes("system/*.d").allows("Observation", Permission::Delete));
}

#[test]
fn scopes_of_version_1_are_equal_to_those_of_version_2() {
    for (one, two) in [("read", "rs"), ("write", "cud"), ("*", "cruds")] {
        assert_eq!(scopes(&format!("system/*.{one}")), scopes(&format!("system/*.{two}")));
    }
}

#[test]
fn what_is_not_known_is_refused_with_what_to_write() {
    for (text, why) in [
        ("", Unknown::Nothing),
        ("patient/Patient.rs", Unknown::NotOfASystem),
        ("launch", Unknown::NotOfASystem),
        ("system/Patient", Unknown::Permissions),
        ("system/Patient.", Unknown::Permissions),
        ("system/Patient.sr", Unknown::Permissions),
        ("system/Patient.rr", Unknown::Permissions),
        ("system/Patient.rs.c", Unknown::Permissions),
        ("system/Person2.rs", Unknown::Type),
        ("system/patient.rs", Unknown::Type),
        ("system/Observation.rs?category=laboratory", Unknown::Narrowed),
        ("system/Patient.rs system/Nothing.r", Unknown::Type),
    ] {
        assert_eq!(Scopes::parse(text), Err(why), "{text}");
    }
    let long = "system/Patient.rs ".repeat(SCOPES_BYTES_MAX / 18 + 1);
    assert_eq!(Scopes::parse(&long), Err(Unknown::TooLong));
}

#[test]
fn what_is_written_is_read_as_the_same() {
    for (text, written) in [
        ("system/*.cruds", "system/*.cruds"),
        ("system/*.read system/Patient.write", "system/*.rs system/Patient.cruds"),
        ("system/Slot.s system/Slot.r system/Patient.c", "system/Patient.c system/Slot.rs"),
    ] {
        assert_eq!(scopes(text).to_string(), written);
        assert_eq!(scopes(written), scopes(text));
    }
}

#[test]
fn only_what_was_registered_is_granted() {
    let registered = scopes("system/Patient.rs system/Appointment.cruds");
    for (asked, answered) in [
        ("system/Patient.rs", Some("system/Patient.rs")),
        ("system/Patient.read", Some("system/Patient.read")),
        ("system/Patient.cruds", Some("system/Patient.rs")),
        ("system/*.rs", Some("system/Appointment.rs system/Patient.rs")),
        ("launch system/Patient.r", Some("system/Patient.r")),
        ("system/Patient.r system/Patient.cruds", Some("system/Patient.r system/Patient.s")),
        ("system/Patient.cud", None),
        ("system/Observation.rs", None),
        ("system/Patient.rs?name=x", None),
        ("", None),
    ] {
        let granted = granted(asked, registered);
        assert_eq!(granted.as_ref().map(|(_, text)| text.as_str()), answered, "{asked}");
        if let Some((granted, text)) = granted {
            assert_eq!(scopes(&text), granted, "{asked}");
            assert!(granted.without(registered).is_empty(), "{asked}");
        }
    }
}
