//! Takes out of a sequence what its failure does not need.
//!
//! Steps do not depend on each other, so any of them may go; to leave runs of them out, long ones first, needs few
//! conversations (Zeller's delta debugging). What is inside a step stays as it was drawn.

/// The steps that are left when every run that can be left out is, in at most `tries` looks.
pub(super) fn shrink<S: Clone>(
    mut steps: Vec<S>,
    mut tries: usize,
    mut still_fails: impl FnMut(&[S]) -> bool,
) -> Vec<S> {
    let mut length = steps.len() / 2;
    while length > 0 {
        let mut removed = false;
        let mut start = 0;
        while start < steps.len() && tries > 0 {
            let end = (start + length).min(steps.len());
            let rest = [&steps[..start], &steps[end..]].concat();
            tries -= 1;
            if !rest.is_empty() && still_fails(&rest) {
                steps = rest;
                removed = true;
            } else {
                start = end;
            }
        }
        // Single steps are tried until none can go: what needed another one may not need it any more.
        if length > 1 || !removed {
            length /= 2;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_a_failure_needs_is_left_and_nothing_else() {
        let steps: Vec<u32> = (0..40).collect();
        let needs = |steps: &[u32]| steps.contains(&7) && steps.contains(&31);
        assert_eq!(shrink(steps, 1000, needs), [7, 31]);
    }

    #[test]
    fn a_step_that_another_needs_goes_after_it() {
        // 5 is only needed while 6 is there.
        let fails =
            |steps: &[u32]| steps.contains(&9) && (!steps.contains(&6) || steps.contains(&5));
        assert_eq!(shrink((0..16).collect(), 1000, fails), [9]);
    }

    #[test]
    fn it_gives_up_when_it_has_tried_enough() {
        let mut looks = 0;
        let left = shrink((0..64).collect(), 5, |_| {
            looks += 1;
            false
        });
        assert_eq!((left.len(), looks), (64, 5));
    }
}
