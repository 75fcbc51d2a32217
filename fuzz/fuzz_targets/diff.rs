//! Diffs of any two texts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use motet_protocol::ot::Operation;
use ropey::Rope;

fuzz_target!(|texts: (&str, &str)| {
    // Short texts many times over, so that lines, words and the rope's pieces all come into it.
    for times in [1, 7, 300] {
        let (before, after) = (texts.0.repeat(times), texts.1.repeat(times));
        let mut rope = Rope::from_str(&before);
        let diff = Operation::diff(&before, &after).unwrap();
        assert_eq!(Operation::diff_rope(&rope, &after).unwrap(), diff);
        motet_fuzz::assert_canonical(&diff);
        diff.within_limits().unwrap();
        diff.apply_to_rope(&mut rope).unwrap();
        assert_eq!(rope, after.as_str());
    }
});
