//! What can go wrong while the bundled networks and samples are made.

/// What is missing or wrong, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PretrainError {
    #[error("{count} font files are missing. Hint: install their Debian packages: apt-get install {}", packages.join(" "))]
    MissingFonts { count: usize, packages: Vec<String> },
    #[error("the font table is wrong at {row}: {reason}. Hint: correct src/pretrain/fonts.csv")]
    FontTable { row: String, reason: String },
    #[error(
        "{path} is not a font that can be drawn ({reason}). Hint: reinstall its package, or take it out of fonts.csv"
    )]
    BadFont { path: String, reason: String },
    #[error(
        "the {style} face of {family} is not what its name says: {reason}. Hint: take the family out of fonts.csv"
    )]
    FalseFace { family: String, style: String, reason: String },
    #[error("{path} cannot be read or written ({reason}). Hint: {hint}")]
    File { path: String, reason: String, hint: String },
    #[error("{path} is not what it should be: {reason}. Hint: {hint}")]
    BadData { path: String, reason: String, hint: String },
}
