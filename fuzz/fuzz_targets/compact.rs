//! The compact form of an operation, from anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use motet_protocol::ot::Operation;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(operation) = Operation::from_compact(bytes) {
        operation.within_limits().unwrap();
        motet_fuzz::assert_canonical(&operation);
        assert_eq!(Operation::from_compact(&operation.to_compact()).unwrap(), operation);
        // Any two operations are an answer or an error to each other, whatever lengths they claim.
        let (start, end) = bytes.split_at(bytes.len() / 2);
        if let (Ok(first), Ok(second)) = (Operation::from_compact(start), Operation::from_compact(end)) {
            let _ = first.transform(&second);
            let _ = first.compose(&second);
        }
    }
});
