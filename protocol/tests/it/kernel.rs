//! What must hold of operations, whatever they are.

use super::support::{applied, assert_canonical, length, operation, steps, text};
use motet_protocol::{
    codec::{self, CodecError},
    json,
    limits::{LENGTH_MAX, OPERATION_COMPONENTS_MAX},
    message::{ClientMessage, Command},
    ot::{
        Component, Operation, OperationError,
        position::{Bias, Scalar},
    },
};
use proptest::prelude::*;
use ropey::Rope;

proptest! {
    #[test]
    fn two_concurrent_edits_meet_in_the_same_text(text in text(40), mine in steps(), others in steps()) {
        let (mine, others) = (operation(length(&text), &mine), operation(length(&text), &others));
        let (mine_after, others_after) = mine.transform(&others).unwrap();
        assert_canonical(&mine_after);
        assert_canonical(&others_after);
        prop_assert_eq!(
            applied(&others_after, &applied(&mine, &text)),
            applied(&mine_after, &applied(&others, &text))
        );
    }

    #[test]
    fn of_two_insertions_at_one_place_the_transformed_one_stands_to_the_left(text in text(10), at in 0_u64..10) {
        let at = at.min(length(&text));
        let insertion = |new: &str| Operation::builder().retain(at).insert(new).retain(length(&text) - at).build().unwrap();
        let (mine, logged) = (insertion("zz"), insertion("aa"));
        let (mine_after, logged_after) = mine.transform(&logged).unwrap();
        let expected: String = text.chars().take(at as usize).chain("zzaa".chars()).chain(text.chars().skip(at as usize)).collect();
        prop_assert_eq!(&applied(&mine_after, &applied(&logged, &text)), &expected);
        prop_assert_eq!(&applied(&logged_after, &applied(&mine, &text)), &expected);
    }

    #[test]
    fn a_composed_operation_does_what_its_two_do(text in text(40), first in steps(), second in steps()) {
        let first = operation(length(&text), &first);
        let second = operation(first.target_len(), &second);
        let composed = first.compose(&second).unwrap();
        assert_canonical(&composed);
        prop_assert_eq!(applied(&composed, &text), applied(&second, &applied(&first, &text)));
    }

    #[test]
    fn an_inverse_takes_its_operation_back(text in text(40), steps in steps()) {
        let operation = operation(length(&text), &steps);
        let inverse = operation.invert_on_rope(&Rope::from_str(&text)).unwrap();
        assert_canonical(&inverse);
        prop_assert_eq!(applied(&inverse, &applied(&operation, &text)), text);
    }

    #[test]
    fn a_rope_changes_as_a_string_does(text in text(40), steps in steps()) {
        let operation = operation(length(&text), &steps);
        assert_canonical(&operation);
        let mut rope = Rope::from_str(&text);
        operation.apply_to_rope(&mut rope).unwrap();
        prop_assert_eq!(rope.to_string(), applied(&operation, &text));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing(text in text(20), longer in 1_u64..5, steps in steps()) {
        let operation = operation(length(&text) + longer, &steps);
        let mut rope = Rope::from_str(&text);
        prop_assert!(operation.apply_to_rope(&mut rope).is_err());
        prop_assert_eq!(rope.to_string(), text.clone());
        prop_assert!(operation.invert_on_rope(&rope).is_err());
        let fitting = Operation::builder().retain(length(&text)).build().unwrap();
        prop_assert!(operation.transform(&fitting).is_err());
        prop_assert!(fitting.compose(&operation).is_err());
    }

    #[test]
    fn every_form_gives_the_operation_back(base in 0_u64..1_000_000, steps in steps()) {
        let operation = operation(base, &steps);
        prop_assert_eq!(&Operation::from_compact(&operation.to_compact()).unwrap(), &operation);
        prop_assert_eq!(&codec::decode::<Operation>(&codec::encode(&operation)).unwrap(), &operation);
        prop_assert_eq!(&json::decode::<Operation>(&json::encode(&operation)).unwrap(), &operation);
    }

    #[test]
    fn any_bytes_are_an_operation_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(operation) = Operation::from_compact(&bytes) {
            assert_canonical(&operation);
            prop_assert!(operation.within_limits().is_ok());
            prop_assert_eq!(Operation::from_compact(&operation.to_compact()).unwrap(), operation);
        }
        let _ = codec::decode::<ClientMessage>(&bytes);
        let _ = codec::about_of(&bytes);
    }

    #[test]
    fn any_list_is_an_operation_or_an_error(
        items in prop::collection::vec(prop_oneof![any::<i64>().prop_map(serde_json::Value::from),
            (-9_i64..9).prop_map(serde_json::Value::from), text(3).prop_map(serde_json::Value::from)], 0..8)
    ) {
        if let Ok(operation) = json::decode::<Operation>(&serde_json::Value::from(items).to_string()) {
            assert_canonical(&operation);
            prop_assert!(operation.within_limits().is_ok());
        }
    }

    #[test]
    fn the_pieces_of_a_split_are_small_and_make_the_whole(
        base in 0_u64..60, steps in steps(), bytes_max in 0_usize..12, components_max in 0_usize..8,
    ) {
        let whole = operation(base, &steps);
        let pieces_max = whole.inserted_bytes() + whole.component_count() + 1;
        let mut composed: Option<Operation> = None;
        let (mut rest, mut pieces) = (Some(whole.clone()), 0);
        while let Some(operation) = rest {
            let (piece, later) = operation.split_within(bytes_max, components_max);
            rest = later;
            pieces += 1;
            prop_assert!(pieces <= pieces_max, "every piece takes something");
            assert_canonical(&piece);
            prop_assert!(piece.inserted_bytes() <= bytes_max.max(4));
            prop_assert!(piece.component_count() <= components_max.max(3));
            composed = Some(composed.map_or(piece.clone(), |composed| composed.compose(&piece).unwrap()));
        }
        prop_assert_eq!(composed.unwrap(), whole);
    }

    #[test]
    fn a_position_follows_its_character(base in 0_u64..40, steps in steps()) {
        let name = |n: u64| char::from_u32(0x4E00 + n as u32).unwrap();
        // Characters that the operation does not insert, each once.
        let before: Vec<char> = (0x100..0x100 + base).map(name).collect();
        let operation = operation(base, &steps);
        let after: Vec<char> = applied(&operation, &String::from_iter(&before)).chars().collect();
        let map = |position, bias| operation.map_position(Scalar(position), bias).0;
        let mut last = (0, 0);
        for position in 0..=base {
            let now = (map(position, Bias::Before), map(position, Bias::After));
            prop_assert!(now.0 <= now.1 && now.1 <= operation.target_len());
            prop_assert!(last.0 <= now.0 && last.1 <= now.1, "positions stay in order");
            last = now;
            if let Some(place) = before.get(position as usize).and_then(|c| after.iter().position(|d| d == c)) {
                prop_assert_eq!(now.1, place as u64);
            }
        }
        prop_assert_eq!(map(base + 9, Bias::After), operation.target_len());
    }

    #[test]
    fn a_diff_makes_the_other_text(before in text(60), after in text(60), steps in steps()) {
        let edited = applied(&operation(length(&before), &steps), &before);
        for after in [after, edited] {
            let diff = Operation::diff(&before, &after).unwrap();
            assert_canonical(&diff);
            prop_assert_eq!(applied(&diff, &before), after.clone());
            prop_assert_eq!(Operation::diff_rope(&Rope::from_str(&before), &after).unwrap(), diff);
        }
    }
}

#[test]
fn a_diff_of_long_texts_finds_the_ends_that_are_equal() {
    // Long enough that the rope holds it in many pieces.
    let before = "some words in a line ß😀\n".repeat(2_000);
    for (start, end, new) in [(0, 0, "x"), (20_000, 20_010, ""), (7, 51_900, "😁"), (before.len(), before.len(), "ğ")]
    {
        let (start, end) = (before.floor_char_boundary(start), before.floor_char_boundary(end));
        let after = [&before[..start], new, &before[end..]].concat();
        let diff = Operation::diff_rope(&Rope::from_str(&before), &after).unwrap();
        assert_eq!(applied(&diff, &before), after);
        assert_eq!(Operation::diff(&before, &after).unwrap(), diff);
        assert!(diff.inserted_bytes() <= new.len(), "{}", json::encode(&diff));
    }
}

/// The lengths that wrap around to a base length of 5 in the crate's own arithmetic.
#[test]
fn lengths_that_overflow_are_refused_in_every_form() {
    let huge = i64::MAX as u64;
    let lengths = format!("[-{huge},1,-{huge},1,-5]");
    let submit = format!(r#"{{"type":"submit","channel":1,"seq":1,"base":0,"command":{{"edit":{lengths}}}}}"#);
    for text in [&lengths, &format!("[{},1]", i64::MIN), &format!("[{huge},{huge},{huge}]")] {
        let refused = json::decode::<Operation>(text);
        assert!(matches!(refused, Err(CodecError::BadOperation(_))), "{text}: {refused:?}");
    }
    assert!(matches!(json::decode::<ClientMessage>(&submit), Err(CodecError::BadOperation(_))));

    // The compact form has two bits less for a length: the largest there, and sums beyond the limit.
    let compact = |components: &[(u64, u64)]| {
        let mut bytes = Vec::new();
        for (length, kind) in components {
            let mut value = length << 2 | kind;
            while value >= 0x80 {
                bytes.push(value as u8 | 0x80);
                value >>= 7;
            }
            bytes.push(value as u8);
        }
        bytes
    };
    let huge = u64::MAX >> 2;
    for components in
        [&[(huge, 2), (1, 0), (huge, 2), (1, 0), (5, 2)][..], &[(LENGTH_MAX, 0), (1, 0)], &[(LENGTH_MAX + 1, 2)]]
    {
        assert_eq!(Operation::from_compact(&compact(components)), Err(OperationError::TooLong));
    }
    assert_eq!(Operation::from_compact(&[0xff; 11]), Err(OperationError::TooLong), "a varint without an end");
    assert!(Operation::from_compact(&compact(&[(LENGTH_MAX, 0)])).is_ok());
}

#[test]
fn malformed_operations_are_refused_with_the_reason() {
    assert_eq!(Operation::from_compact(&[0x00]), Err(OperationError::Empty(0)));
    assert_eq!(Operation::from_compact(&[0x04, 0x01]), Err(OperationError::Empty(1)));
    for bytes in [&[0x07][..], &[0x80], &[0x09, b'a'], &[0x05, 0xff]] {
        assert!(matches!(Operation::from_compact(bytes), Err(OperationError::Malformed(_))), "{bytes:?}");
    }
    for text in ["[0]", r#"[1,""]"#] {
        assert!(matches!(json::decode::<Operation>(text), Err(CodecError::BadOperation(_))), "{text}");
    }
    for text in ["[1.5]", "[true]", "{}", "7", "[[1]]", "[1e400]", "[99999999999999999999]", r#"["\ud800"]"#] {
        assert!(json::decode::<Operation>(text).is_err(), "{text}");
    }
}

#[test]
fn an_operation_of_too_many_components_is_refused() {
    let many = |pairs: usize| {
        let mut operation = Operation::builder();
        for _ in 0..pairs {
            operation = operation.retain(1).delete(1);
        }
        operation
    };
    assert!(many(OPERATION_COMPONENTS_MAX / 2).build().is_ok());
    assert_eq!(many(OPERATION_COMPONENTS_MAX / 2 + 1).build(), Err(OperationError::TooManyComponents));
    // However many steps are given, what counts is what they come to.
    let typed = (0..OPERATION_COMPONENTS_MAX * 5).fold(Operation::builder(), |operation, _| operation.insert("a"));
    assert_eq!(typed.build().unwrap().component_count(), 1);
}

#[test]
fn an_operation_that_outgrew_the_limits_says_so_and_can_be_cut() {
    // One deletion, cut into many by what others type within it: first between all pairs, then within most pairs.
    let deletion = Operation::builder().delete(10_000).build().unwrap();
    let between = (0..5_000).fold(Operation::builder(), |typing, _| typing.retain(2).insert("x")).build().unwrap();
    let within = (0..3_000).fold(Operation::builder().retain(1), |typing, _| typing.insert("y").retain(3));
    let within = within.retain(15_000 - 1 - 9_000).build().unwrap();
    let (deletion, _) = deletion.transform(&between).unwrap();
    let (deletion, _) = deletion.transform(&within).unwrap();
    assert_eq!(deletion.within_limits(), Err(OperationError::TooManyComponents));
    let mut rest = Some(deletion);
    while let Some(operation) = rest {
        let (piece, later) = operation.split(4);
        piece.within_limits().unwrap();
        rest = later;
    }
}

#[test]
fn all_of_a_long_text_can_be_deleted_and_brought_back() {
    let text = Rope::from_str(&"a line of some length\n".repeat(2_000_000));
    let deletion = Operation::builder().delete(text.len_chars() as u64).build().unwrap();
    let inverse = deletion.invert_on_rope(&text).unwrap();
    let mut rope = text.clone();
    deletion.apply_to_rope(&mut rope).unwrap();
    inverse.apply_to_rope(&mut rope).unwrap();
    assert_eq!(rope, text);
}

#[test]
fn replacing_a_text_in_pieces_never_makes_it_longer_than_both() {
    let whole = Operation::builder().insert(&"b".repeat(1_000)).delete(1_000).build().unwrap();
    let mut rest = Some(whole);
    while let Some(operation) = rest {
        let (piece, later) = operation.split(100);
        assert!(piece.target_len() <= 1_000);
        rest = later;
    }
}

#[test]
fn a_long_paste_edited_in_many_places_composes_at_once() {
    let paste = Operation::builder().insert(&"x".repeat(4_000_000)).build().unwrap();
    let edits = (0..4_999).fold(Operation::builder(), |edits, _| edits.retain(500).insert("y"));
    let edits = edits.retain(4_000_000 - 4_999 * 500).build().unwrap();
    let composed = paste.compose(&edits).unwrap();
    // Cutting and copying the rest at each edit would move ten billion characters here.
    assert_eq!(composed.components().collect::<Vec<_>>().len(), 1);
    assert!(matches!(composed.components().next(), Some(Component::Insert(text)) if text.len() == 4_004_999));
}

#[test]
fn a_command_holds_its_operation_in_both_encodings() {
    let command = Command::Edit(Operation::builder().retain(1).insert("ß").delete(2).build().unwrap());
    assert_eq!(json::encode(&command), r#"{"edit":[1,"ß",-2]}"#);
    assert_eq!(&codec::encode(&command)[..], [0, 5, 0x04, 0x09, 0xc3, 0x9f, 0x0a]);
}
