//! A story that fails, without the steps that do not matter.

use super::story::Step;

/// Stories that are tried at the most.
const TRIES_MAX: usize = 400;

/// Leaves steps out, many at once and then fewer, as long as `fails` says that it still does.
pub fn shrink(story: Vec<Step>, fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let (mut story, mut tries) = (story, 0);
    let mut size = story.len().div_ceil(2).max(1);
    loop {
        let (mut at, mut shorter) = (0, false);
        while at < story.len() && tries < TRIES_MAX {
            tries += 1;
            let mut without = story.clone();
            without.drain(at..story.len().min(at + size));
            if fails(&without) {
                (story, shorter) = (without, true);
            } else {
                at += size;
            }
        }
        if tries >= TRIES_MAX || (size == 1 && !shorter) {
            return story;
        }
        size = (size / 2).max(1);
    }
}

#[test]
fn what_does_not_matter_is_left_out() {
    let story = super::story::draw(3);
    let (first, last) = (story[1], story[story.len() - 2]);
    let fails = |it: &[Step]| it.contains(&first) && it.contains(&last);
    assert_eq!(shrink(story.clone(), fails).len(), if first == last { 1 } else { 2 });
}
