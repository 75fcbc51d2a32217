use std::path::Path;
use crate::{Failure, figures::Race};
pub(crate) fn write(_race: &Race, _docs: &Path) -> Result<(), Failure> { Ok(()) }
