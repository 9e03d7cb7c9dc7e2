//! The box in figures: what it does in a second, how long it takes, what it holds.

mod clinic;
mod people;
mod table;

fn main() {
    let size: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let size = clinic::Size { appointments: size, patients: size/5, practitioners: 20 };
    let below = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-data");
    clinic::kept(&below, size, false).unwrap();
}
