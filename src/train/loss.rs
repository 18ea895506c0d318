//! Losses. Each is a mean over the images that count.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

use crate::ops::Value;
use crate::ops::kernels::softmax_loss;

/// Cross-entropy with labels.
///
/// # Shapes
///
/// - `logits`: `[batch, classes]`
/// - `labels`: `[batch, classes]`, one-hot; a row of zeros where an image is not labelled
/// - `labelled`: how many rows are labelled
/// - result: `[1]`
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<2>, labelled: usize) -> Tensor<1> {
    let share = 1.0 / labelled.max(1) as f64;
    match softmax_loss(&logits, &labels, 1.0, false) {
        Some(rows) => rows.sum().mul_scalar(share),
        None => (log_softmax(logits, 1) * labels).sum().mul_scalar(-share),
    }
}

/// Knowledge distillation (Hinton et al., 2015): `T² · KL(teacher ‖ student)` of the outputs softened by temperature
/// `T`, in nats.
///
/// # Shapes
///
/// - `student`, `teacher`: logits, `[batch, classes]`
/// - result: `[1]`
pub fn distillation(student: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
    let [batch, _] = student.dims();
    let scale = temperature * temperature / batch.max(1) as f64;
    if let Some(rows) = softmax_loss(&student, &teacher, temperature as f32, true) {
        return rows.sum().mul_scalar(scale);
    }
    let teacher = teacher.div_scalar(temperature);
    let log_student = log_softmax(student.div_scalar(temperature), 1);
    let log_teacher = log_softmax(teacher.clone(), 1);
    let divergence = (softmax(teacher, 1) * (log_teacher - log_student)).sum();
    divergence.mul_scalar(scale)
}

/// Squared distance of an inner tensor from the teacher's, relative to the teacher's mean square (FitNets, Romero et
/// al., 2015).
///
/// # Shapes
///
/// - `student`, `teacher`: the same shape
/// - result: `[1]`
pub fn hint(student: Value, teacher: Value) -> Tensor<1> {
    let (student, teacher) = (student.to_rank::<4>(), teacher.to_rank::<4>());
    let scale = teacher.clone().powi_scalar(2).mean().add_scalar(1e-6);
    (student - teacher).powi_scalar(2).mean() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::read;
    use burn::tensor::Device;

    fn scalar(tensor: Tensor<1>) -> f32 {
        pollster::block_on(read(tensor.into())).unwrap()[0]
    }

    #[test]
    fn a_student_equal_to_its_teacher_has_no_divergence() {
        let logits = Tensor::<2>::from_floats([[1.0, -2.0, 0.5], [3.0, 0.0, 0.0]], &Device::flex());
        assert!(scalar(distillation(logits.clone(), logits, 4.0)).abs() < 1e-6);
    }

    #[test]
    fn unlabelled_rows_do_not_count() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[0.0, 0.0], [9.0, -9.0]], &device);
        let labels = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 0.0]], &device);
        assert!((scalar(cross_entropy(logits, labels, 1)) - 2.0_f32.ln()).abs() < 1e-6);
    }
}
