//! What outputs are worth, computed on the host.

/// How often two networks give the same class, and how often one is right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    pub images: usize,
    /// Images to which both give the same class.
    pub agreeing: usize,
    pub labelled: usize,
    /// Labelled images that the original gets right.
    pub original_right: usize,
    /// Labelled images that the merged network gets right.
    pub merged_right: usize,
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

/// Compares two networks' logits on the same images.
///
/// # Shapes
///
/// - `original`, `merged`: `[images, classes]`, row-major
/// - `labels`: `[images]`; `None` where an image is not labelled
pub fn agreement(original: &[f32], merged: &[f32], labels: &[Option<u32>], classes: usize) -> Agreement {
    let mut result = Agreement::default();
    let rows = original.chunks_exact(classes).zip(merged.chunks_exact(classes));
    for ((original, merged), label) in rows.zip(labels) {
        let (original, merged) = (argmax(original), argmax(merged));
        result.images += 1;
        result.agreeing += usize::from(original == merged);
        if let Some(label) = label {
            result.labelled += 1;
            result.original_right += usize::from(original == *label as usize);
            result.merged_right += usize::from(merged == *label as usize);
        }
    }
    result
}

/// Cohen's kappa (1960): agreement of two networks beyond what their class frequencies alone would give; 1 is perfect, 0
/// is chance. Unlike bare agreement it can be compared between tasks of different numbers of classes.
///
/// # Shapes
///
/// - `first`, `second`: logits, `[images, classes]`, row-major
pub fn cohens_kappa(first: &[f32], second: &[f32], classes: usize) -> f64 {
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
pub fn divergence_at_best_temperature(teacher: &[f32], student: &[f32], classes: usize) -> f64 {
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
pub fn total_variation(teacher: &[f32], student: &[f32], classes: usize) -> f64 {
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
        let result = agreement(&original, &merged, &[Some(0), None, Some(1)], 2);
        let expected = Agreement { images: 3, agreeing: 2, labelled: 2, original_right: 1, merged_right: 0 };
        assert_eq!(result, expected);
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
