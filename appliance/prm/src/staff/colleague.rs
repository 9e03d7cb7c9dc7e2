//! To whom work may be given.

use std::fmt;

use super::from_row;
use crate::db::Read;
use crate::error::{Error, Result};
use crate::id::{Noun, StaffId};
use crate::stamp::{Right, Stamp, allows};

/// Somebody of the staff, as everybody who works with them may know.
#[derive(Clone, PartialEq, Eq)]
pub struct Colleague {
    /// The id.
    pub id: StaffId,
    /// Their name.
    pub name: String,
}

impl fmt::Debug for Colleague {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Colleague({})", self.id)
    }
}

/// Who has a right and is not kept out, by name; for whoever has that right, too.
pub fn who_may(read: &Read<'_>, stamp: &Stamp, right: Right) -> Result<Vec<Colleague>> {
    stamp.needs(right)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, username, name, role, practitioner, disabled FROM staff
         WHERE disabled = 0 ORDER BY name, id",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let person = from_row(row)?;
        if allows(person.role, right) {
            found.push(Colleague { id: person.id, name: person.name });
        }
    }
    Ok(found)
}

/// Refuses somebody who is kept out or has not this right: *not found*, as if there were none.
pub(crate) fn must_have(read: &Read<'_>, id: StaffId, right: Right) -> Result<()> {
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, username, name, role, practitioner, disabled FROM staff
         WHERE id = ?1 AND disabled = 0",
    )?;
    let mut rows = statement.query([id])?;
    let person = rows.next()?.map(from_row).transpose()?;
    let may = person.is_some_and(|person| allows(person.role, right));
    if may { Ok(()) } else { Err(Error::NotFound(Noun::Staff)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::World;
    use crate::id::ConversationId;
    use crate::staff::{Addition, Edit, Staff, add, edit, hash_password};
    use crate::stamp::Role;

    fn hire(world: &World, name: &str, role: Role) -> Staff {
        let addition = Addition {
            username: name.to_lowercase(),
            name: name.into(),
            role,
            practitioner: None,
            password: hash_password("correct horse").unwrap(),
        };
        world.write(|tx, stamp| add(tx, stamp, addition))
    }

    #[test]
    fn work_is_given_only_to_those_who_may_do_it() {
        let world = World::monday();
        let meera = hire(&world, "Meera", Role::Clerk);
        let asha = hire(&world, "Asha", Role::Clerk);
        hire(&world, "Iyer", Role::Practitioner);
        let gone = hire(&world, "Gone", Role::Clerk);
        let out = Edit { disabled: Some(true), ..Edit::default() };
        world.write(move |tx, stamp| edit(tx, stamp, gone.id, None, out));
        let clerk = world.role(Role::Clerk);
        let may = world.db.read_blocking(|read| who_may(read, &clerk, Right::Converse)).unwrap();
        assert_eq!(may.iter().map(|it| it.id).collect::<Vec<_>>(), [asha.id, meera.id]);
        let practitioner = world.role(Role::Practitioner);
        let asked = world.db.read_blocking(|read| who_may(read, &practitioner, Right::Converse));
        assert!(matches!(asked, Err(Error::Forbidden)));
        let nobody = StaffId::from_bytes(*ConversationId::new(world.stamp.now).as_bytes());
        for wrong in [gone.id, nobody] {
            let refused = world.db.read_blocking(|read| must_have(read, wrong, Right::Converse));
            assert!(matches!(refused, Err(Error::NotFound(Noun::Staff))));
        }
    }
}
