//! What outputs are worth, computed on the host.

use crate::task_kind::TaskKind;

/// How alike two networks' outputs are, and how good each is: sums over images, of 1 for an image that is all right. Of a task
/// of classes that is the right class; of labels it is the share of those that are right; of values it is what is left of 1
/// after the squared error relative to the variance, so that the mean is the coefficient of determination.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    pub images: usize,
    /// Both networks against each other.
    pub agreeing: f64,
    pub labelled: usize,
    /// The original against the labels.
    pub original_right: f64,
    /// The merged network against the labels.
    pub merged_right: f64,
}

/// Index of the largest value; the first of equals.
pub fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in logits.iter().enumerate() {
        if *value > logits[best] {
            best = index;
        }
    }
    best
}

/// Compares two networks' outputs on the same images.
///
/// # Shapes
///
/// - `original`, `merged`: `[images, units]`, row-major
/// - `targets`: `[images]`, each `[units]` as `TaskKind::target` gives it; `None` where an image is not labelled
pub fn agreement(
    kind: TaskKind,
    original: &[f32],
    merged: &[f32],
    targets: &[Option<&[f32]>],
    units: usize,
) -> Agreement {
    let rows = || original.chunks_exact(units).zip(merged.chunks_exact(units)).zip(targets);
    let labels = rows().filter_map(|(_, target)| *target);
    let spread_of_labels = spread(labels, units);
    let spread_of_original = spread(rows().map(|((original, _), _)| original), units);
    let mut result = Agreement::default();
    for ((original, merged), target) in rows() {
        result.images += 1;
        result.agreeing += match kind {
            TaskKind::Class => f64::from(u8::from(argmax(original) == argmax(merged))),
            TaskKind::Labels => share(original, |unit, value| (value > 0.0) == (merged[unit] > 0.0)),
            TaskKind::Values => closeness(merged, original, &spread_of_original),
        };
        if let Some(target) = target {
            let right = |said: &[f32]| match kind {
                TaskKind::Class => f64::from(u8::from(argmax(said) == argmax(target))),
                TaskKind::Labels => share(said, |unit, value| (value > 0.0) == (target[unit] > 0.5)),
                TaskKind::Values => closeness(said, target, &spread_of_labels),
            };
            result.labelled += 1;
            result.original_right += right(original);
            result.merged_right += right(merged);
        }
    }
    result
}

fn share(values: &[f32], right: impl Fn(usize, f32) -> bool) -> f64 {
    let count = values.iter().enumerate().filter(|(unit, value)| right(*unit, **value)).count();
    count as f64 / values.len().max(1) as f64
}

/// 1 less the mean squared difference in units of the spread.
fn closeness(said: &[f32], wanted: &[f32], spread: &[f32]) -> f64 {
    let errors = said.iter().zip(wanted).zip(spread);
    let squares: f64 =
        errors.map(|((said, wanted), spread)| f64::from((said - wanted) / spread).powi(2)).sum();
    1.0 - squares / said.len().max(1) as f64
}

/// The standard deviation of each unit over the rows; 1 where all are the same.
pub fn spread<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone, units: usize) -> Vec<f32> {
    let count = rows.clone().count().max(1) as f64;
    let mean = |value: &dyn Fn(&[f32]) -> f64| rows.clone().map(value).sum::<f64>() / count;
    (0..units)
        .map(|unit| {
            let centre = mean(&|row| f64::from(row[unit]));
            let variance = mean(&|row| (f64::from(row[unit]) - centre).powi(2));
            if variance > 0.0 { variance.sqrt() as f32 } else { 1.0 }
        })
        .collect()
}

/// How alike a student's outputs are to its teacher's, beyond chance, and how far from them: Cohen's kappa and the divergence
/// at the best temperature. Labels are compared one by one, as classes of two; of values it is the coefficient of
/// determination, from 0, and the mean squared difference relative to the variance.
///
/// # Shapes
///
/// - `teacher`, `student`: `[images, units]`, row-major
pub fn likeness(kind: TaskKind, teacher: &[f32], student: &[f32], units: usize) -> (f64, f64) {
    match kind {
        TaskKind::Class => {
            (cohens_kappa(teacher, student, units), divergence_at_best_temperature(teacher, student, units))
        }
        TaskKind::Labels => likeness(TaskKind::Class, &pairs(teacher), &pairs(student), 2),
        TaskKind::Values => {
            let error = relative_error(teacher, student, units);
            ((1.0 - error).max(0.0), error)
        }
    }
}

/// How far a student's outputs are from its teacher's, from 0 to 1: the mean total variation distance of the class
/// probabilities, or of each label's; of values half the mean squared difference relative to the variance, which is 1 where they
/// have nothing to do with each other.
///
/// # Shapes
///
/// - `teacher`, `student`: `[images, units]`, row-major
pub fn distance(kind: TaskKind, teacher: &[f32], student: &[f32], units: usize) -> f64 {
    match kind {
        TaskKind::Class => total_variation(teacher, student, units),
        TaskKind::Labels => total_variation(&pairs(teacher), &pairs(student), 2),
        TaskKind::Values => (relative_error(teacher, student, units) / 2.0).min(1.0),
    }
}

/// Every logit of a sigmoid as the logits of a softmax over two.
fn pairs(logits: &[f32]) -> Vec<f32> {
    logits.iter().flat_map(|logit| [0.0, *logit]).collect()
}

fn relative_error(teacher: &[f32], student: &[f32], units: usize) -> f64 {
    let spread = spread(teacher.chunks_exact(units), units);
    let rows = teacher.chunks_exact(units).zip(student.chunks_exact(units));
    let errors: Vec<f64> =
        rows.map(|(teacher, student)| 1.0 - closeness(student, teacher, &spread)).collect();
    errors.iter().sum::<f64>() / errors.len().max(1) as f64
}

/// Cohen's kappa (1960): agreement of two networks beyond what their class frequencies alone would give; 1 is perfect, 0
/// is chance. Unlike bare agreement it can be compared between tasks of different numbers of classes.
///
/// # Shapes
///
/// - `first`, `second`: logits, `[images, classes]`, row-major
fn cohens_kappa(first: &[f32], second: &[f32], classes: usize) -> f64 {
    let mut counts = vec![[0.0_f64; 2]; classes];
    let (mut images, mut agreeing) = (0.0_f64, 0.0_f64);
    for (first, second) in first.chunks_exact(classes).zip(second.chunks_exact(classes)) {
        let (first, second) = (argmax(first), argmax(second));
        counts[first][0] += 1.0;
        counts[second][1] += 1.0;
        images += 1.0;
        agreeing += f64::from(u8::from(first == second));
    }
    let observed = agreeing / images.max(1.0);
    let chance =
        counts.iter().map(|[first, second]| first * second).sum::<f64>() / (images * images).max(1.0);
    // Both always give one and the same class: nothing is known beyond chance.
    if chance < 1.0 { (observed - chance) / (1.0 - chance) } else { 0.0 }
}

/// Temperatures tried on the student, on a logarithmic grid.
const TEMPERATURES: usize = 25;

/// Mean `KL(teacher ‖ student)` in nats, the student's logits divided by the temperature from 0.1 to 10 that makes it
/// smallest. A graft often has the right order of classes at the wrong scale; this looks past the scale.
///
/// # Shapes
///
/// - `teacher`, `student`: logits, `[images, classes]`, row-major
fn divergence_at_best_temperature(teacher: &[f32], student: &[f32], classes: usize) -> f64 {
    let images = (teacher.len() / classes.max(1)).max(1);
    (0..TEMPERATURES)
        .map(|step| 10_f64.powf(-1.0 + 2.0 * step as f64 / (TEMPERATURES - 1) as f64))
        .map(|temperature| {
            let rows = teacher.chunks_exact(classes).zip(student.chunks_exact(classes));
            rows.map(|(teacher, student)| divergence(teacher, student, temperature)).sum::<f64>()
                / images as f64
        })
        .fold(f64::INFINITY, f64::min)
}

/// Mean total variation distance of two networks' class probabilities: from 0, always the same, to 1. Half the sum of
/// absolute differences; unlike a divergence it means the same for any number of classes.
///
/// # Shapes
///
/// - `teacher`, `student`: logits, `[images, classes]`, row-major
fn total_variation(teacher: &[f32], student: &[f32], classes: usize) -> f64 {
    let rows = teacher.chunks_exact(classes).zip(student.chunks_exact(classes));
    let distance = rows.map(|(teacher, student)| {
        let (teacher, student) = (log_softmax(teacher, 1.0), log_softmax(student, 1.0));
        0.5 * teacher.iter().zip(&student).map(|(a, b)| (a.exp() - b.exp()).abs()).sum::<f64>()
    });
    distance.sum::<f64>() / (teacher.len() / classes.max(1)).max(1) as f64
}

fn divergence(teacher: &[f32], student: &[f32], temperature: f64) -> f64 {
    let teacher = log_softmax(teacher, 1.0);
    let student = log_softmax(student, temperature);
    teacher.iter().zip(&student).map(|(teacher, student)| teacher.exp() * (teacher - student)).sum()
}

fn log_softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let scaled: Vec<f64> = logits.iter().map(|logit| f64::from(*logit) / temperature).collect();
    let largest = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = largest + scaled.iter().map(|logit| (logit - largest).exp()).sum::<f64>().ln();
    scaled.iter().map(|logit| logit - log_sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labelled_images_count_for_accuracy() {
        let original = [2.0, 1.0, 0.0, 1.0, 5.0, 0.0];
        let merged = [0.0, 1.0, 0.0, 1.0, 5.0, 0.0];
        let targets = [Some(&[1.0, 0.0][..]), None, Some(&[0.0, 1.0])];
        let result = agreement(TaskKind::Class, &original, &merged, &targets, 2);
        let expected =
            Agreement { images: 3, agreeing: 2.0, labelled: 2, original_right: 1.0, merged_right: 0.0 };
        assert_eq!(result, expected);
    }

    #[test]
    fn each_label_counts_by_itself() {
        let result = agreement(TaskKind::Labels, &[3.0, -1.0], &[3.0, 1.0], &[Some(&[1.0, 0.0][..])], 2);
        assert_eq!((result.agreeing, result.original_right, result.merged_right), (0.5, 1.0, 0.5));
    }

    #[test]
    fn values_are_worth_their_coefficient_of_determination() {
        let targets = [Some(&[0.0][..]), Some(&[2.0])];
        let result = agreement(TaskKind::Values, &[0.0, 2.0], &[1.0, 1.0], &targets, 1);
        // The mean of all is worth nothing.
        assert_eq!((result.original_right / 2.0, result.merged_right / 2.0), (1.0, 0.0));
    }

    #[test]
    fn kappa_is_one_for_equals_and_zero_for_a_constant() {
        let varied = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        let constant = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        assert!((cohens_kappa(&varied, &varied, 2) - 1.0).abs() < 1e-12);
        assert!(cohens_kappa(&varied, &constant, 2).abs() < 1e-12);
    }

    #[test]
    fn equals_have_no_distance_and_certain_opposites_have_all() {
        let sure = [50.0, 0.0, 0.0, 50.0];
        let opposite = [0.0, 50.0, 50.0, 0.0];
        assert!(total_variation(&sure, &sure, 2) < 1e-12);
        assert!((total_variation(&sure, &opposite, 2) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_wrong_scale_is_forgiven_and_a_wrong_order_is_not() {
        let teacher = [4.0, 0.0, -2.0, 0.0, 1.0, 3.0];
        let shrunk: Vec<f32> = teacher.iter().map(|logit| logit * 0.2).collect();
        let reversed: Vec<f32> = teacher.iter().map(|logit| -logit).collect();
        assert!(divergence_at_best_temperature(&teacher, &shrunk, 3) < 1e-2);
        assert!(divergence_at_best_temperature(&teacher, &reversed, 3) > 0.5);
    }
}
