//! The picture for a paper, whole, and what it must not need.

use std::time::Duration;

use picklock_sim::time::SimTime;

use super::*;
use crate::report::scene::lay_out;
use crate::report::timeline::tests::{around, outcome, paused_over_its_lease};

fn picture(from_ms: u64, until_ms: u64) -> String {
    let timeline = around(paused_over_its_lease());
    let ms = SimTime::from_millis;
    let story = ["It was paused.".to_owned(), "Two <held> it.".to_owned()];
    let caption = Caption { title: "a lock & its lease", story: &story };
    render(&lay_out(&timeline), Window { from: ms(from_ms), until: ms(until_ms) }, &caption)
}

#[test]
fn the_picture_of_the_gc_pause() {
    insta::assert_snapshot!(picture(900, 2700).replace("><", ">\n<"));
}

#[test]
fn it_stands_alone() {
    let picture = picture(900, 2700);
    assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(picture.contains("Two &lt;held&gt; it."));
    for needed in ["var(", "class=\"\"", "@media", "src=", "https://"] {
        assert!(!picture.contains(needed), "{needed}");
    }
    for missing in ["fill=\"NaN", "inf"] {
        assert!(!picture.contains(missing), "{missing}");
    }
}

#[test]
fn what_lies_outside_the_stretch_is_not_drawn() {
    let picture = picture(1_000, 1_150);
    assert!(!picture.contains("process paused") && !picture.contains("violation 2.060 s"));
    assert!(picture.contains("1.10 s"));
}

#[test]
fn only_so_many_marks_and_the_witnesses_stay() {
    use picklock_sim::history::{Kind, Op};
    use picklock_sim::host::HostName;
    const ONE: HostName = HostName::client(1);
    let mut events = vec![(10, ONE, Kind::Invoke, Op::ACQUIRE), (11, ONE, Kind::Ok, Op::ACQUIRE)];
    for ms in 0..1_000 {
        events.push((20 + ms, ONE, Kind::Invoke, Op::READ));
        events.push((20 + ms, ONE, Kind::Ok, Op::Read { value: Some(9) }));
    }
    let scene = lay_out(&around(outcome(&events)));
    let window = Window { from: SimTime::ZERO, until: SimTime::ZERO + Duration::from_secs(1) };
    let drawn = shown(&scene.marks, window, &Scale::of(window));
    assert!((100..200).contains(&drawn.len()), "{}", drawn.len());
}
