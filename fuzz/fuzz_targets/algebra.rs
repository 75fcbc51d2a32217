//! The laws of the kernel, over operations that fit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use motet_fuzz::{Step, assert_canonical, operation};
use motet_protocol::ot::{
    Operation,
    position::{Bias, Scalar},
};
use ropey::Rope;

fn applied(operation: &Operation, text: &Rope) -> Rope {
    let mut text = text.clone();
    operation.apply_to_rope(&mut text).unwrap();
    text
}

fuzz_target!(|input: (String, Vec<Step>, Vec<Step>, Vec<Step>, u8, u8)| {
    let (text, mine, others, next, bytes_max, components_max) = input;
    let text = Rope::from_str(&text);
    let length = text.len_chars() as u64;
    let (mine, others) = (operation(length, &mine), operation(length, &others));
    let next = operation(mine.target_len(), &next);

    let (mine_after, others_after) = mine.transform(&others).unwrap();
    assert_eq!(applied(&others_after, &applied(&mine, &text)), applied(&mine_after, &applied(&others, &text)));

    let composed = mine.compose(&next).unwrap();
    assert_eq!(applied(&composed, &text), applied(&next, &applied(&mine, &text)));

    let inverse = composed.invert_on_rope(&text).unwrap();
    assert_eq!(applied(&inverse, &applied(&composed, &text)), text);

    let mut last = (Scalar(0), Scalar(0));
    for position in (0..=length).map(Scalar) {
        let now = (composed.map_position(position, Bias::Before), composed.map_position(position, Bias::After));
        assert!(last.0 <= now.0 && last.1 <= now.1 && now.0 <= now.1 && now.1.0 <= composed.target_len());
        last = now;
    }

    for operation in [&mine_after, &others_after, &composed, &inverse] {
        assert_canonical(operation);
    }
    let (mut whole, mut rest) = (None::<Operation>, Some(composed.clone()));
    while let Some(operation) = rest {
        let (piece, later) = operation.split_within(bytes_max.into(), components_max.into());
        assert!(piece.inserted_bytes() <= usize::from(bytes_max).max(4));
        assert!(piece.component_count() <= usize::from(components_max).max(3));
        whole = Some(whole.map_or(piece.clone(), |whole| whole.compose(&piece).unwrap()));
        rest = later;
    }
    assert_eq!(whole.unwrap(), composed);
});
