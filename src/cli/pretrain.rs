//! `graftlab pretrain`

use super::{Failure, PretrainOptions};

pub fn pretrain(_options: &PretrainOptions) -> Result<(), Failure> {
    Ok(())
}
