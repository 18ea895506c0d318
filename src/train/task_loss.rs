//! Losses of one task, by its kind.
//!
//! A label is a choice between two classes, there or not: a sigmoid of `x` is a softmax of `[0, x]`. So labels are trained
//! like classes, each as a row of its own.

use burn::tensor::Tensor;

use super::{cross_entropy, distillation};
use crate::task_kind::TaskKind;

/// What one task's output should be.
#[derive(Clone, Debug, Default)]
pub struct TaskTarget {
    pub kind: TaskKind,
    /// The teacher's output, `[batch, units]`.
    pub teacher: Option<Tensor<2>>,
    pub labels: Option<Labelled>,
    /// Of a task of values: how far they spread, `[1, units]`. Errors are measured by it.
    pub spread: Option<Tensor<2>>,
}

/// What labels say of a batch.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// What each unit should be, as `TaskKind::target` gives it, `[batch, units]`; anything where an image is not labelled.
    pub targets: Tensor<2>,
    /// 1 where an image is labelled and 0 where it is not, `[batch, 1]`.
    pub mask: Tensor<2>,
    /// How many are.
    pub count: usize,
}

impl TaskTarget {
    /// The distance of outputs from the labels: cross-entropy, or of values the mean squared error relative to their
    /// variance. `None` where nothing is labelled.
    ///
    /// # Shapes
    ///
    /// - `outputs`: `[batch, units]`
    /// - result: `[1]`
    pub fn supervised(&self, outputs: Tensor<2>) -> Option<Tensor<1>> {
        let Labelled { targets, mask, count } = self.labels.clone().filter(|labels| labels.count > 0)?;
        let [batch, units] = outputs.dims();
        Some(match self.kind {
            TaskKind::Class => cross_entropy(outputs, targets * mask, count),
            TaskKind::Labels => {
                let there = (targets * mask.clone()).reshape([batch * units, 1]);
                let each = mask.repeat_dim(1, units).reshape([batch * units, 1]);
                let labels = Tensor::cat(vec![each - there.clone(), there], 1);
                cross_entropy(pairs(outputs), labels, count * units)
            }
            TaskKind::Values => {
                let errors = self.scaled(outputs - targets).powi_scalar(2) * mask;
                errors.sum().mul_scalar(1.0 / (count * units) as f64)
            }
        })
    }

    /// The distance of outputs from the teacher's: distillation at a temperature, or of values the mean squared difference
    /// relative to their variance. `None` without a teacher.
    ///
    /// # Shapes
    ///
    /// - `outputs`: `[batch, units]`
    /// - result: `[1]`
    pub fn distilled(&self, outputs: Tensor<2>, temperature: f64) -> Option<Tensor<1>> {
        Some(self.between(outputs, self.teacher.clone()?, temperature))
    }

    /// The same between any two outputs of the task.
    pub fn between(&self, student: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
        match self.kind {
            TaskKind::Class => distillation(student, teacher, temperature),
            TaskKind::Labels => distillation(pairs(student), pairs(teacher), temperature),
            TaskKind::Values => self.scaled(student - teacher).powi_scalar(2).mean(),
        }
    }

    fn scaled(&self, differences: Tensor<2>) -> Tensor<2> {
        match &self.spread {
            Some(spread) => differences / spread.clone(),
            None => differences,
        }
    }
}

/// Every logit of a sigmoid as the logits of a softmax: `[batch, units]` to `[batch * units, 2]`.
fn pairs(logits: Tensor<2>) -> Tensor<2> {
    let [batch, units] = logits.dims();
    let there = logits.reshape([batch * units, 1]);
    Tensor::cat(vec![there.zeros_like(), there], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::read;
    use burn::tensor::Device;

    fn scalar(tensor: Tensor<1>) -> f32 {
        pollster::block_on(read(tensor.into())).unwrap()[0]
    }

    fn tensor(rows: [[f32; 2]; 2]) -> Tensor<2> {
        Tensor::from_floats(rows, &Device::flex())
    }

    fn target(
        kind: TaskKind,
        targets: [[f32; 2]; 2],
        mask: [f32; 2],
        spread: Option<[f32; 2]>,
    ) -> TaskTarget {
        let device = Device::flex();
        let mask_tensor = Tensor::from_floats([[mask[0]], [mask[1]]], &device);
        let count = mask.iter().filter(|value| **value > 0.0).count();
        let labels = Some(Labelled { targets: tensor(targets), mask: mask_tensor, count });
        let spread = spread.map(|spread| Tensor::from_floats([spread], &device));
        TaskTarget { kind, teacher: Some(tensor([[0.5, -1.0], [2.0, 0.0]])), labels, spread }
    }

    #[test]
    fn labels_are_binary_cross_entropy_over_the_labelled() {
        let target = target(TaskKind::Labels, [[1.0, 0.0], [1.0, 1.0]], [1.0, 0.0], None);
        let loss = scalar(target.supervised(tensor([[0.3, -0.7], [9.0, -9.0]])).unwrap());
        let entropy = |x: f32, y: f32| (1.0 + x.exp()).ln() - x * y;
        let expected = (entropy(0.3, 1.0) + entropy(-0.7, 0.0)) / 2.0;
        assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
    }

    #[test]
    fn values_are_squared_errors_in_units_of_their_spread() {
        let target = target(TaskKind::Values, [[1.0, 10.0], [0.0, 0.0]], [1.0, 0.0], Some([1.0, 10.0]));
        let loss = scalar(target.supervised(tensor([[2.0, 20.0], [5.0, 5.0]])).unwrap());
        assert!((loss - 1.0).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn a_student_equal_to_its_teacher_has_nothing_to_learn_whatever_the_kind() {
        for kind in [TaskKind::Class, TaskKind::Labels, TaskKind::Values] {
            let target = target(kind, [[0.0; 2]; 2], [0.0; 2], None);
            let teacher = target.teacher.clone().unwrap();
            assert!(scalar(target.distilled(teacher, 4.0).unwrap()).abs() < 1e-6);
            assert!(target.supervised(tensor([[0.0; 2]; 2])).is_none());
        }
    }
}
