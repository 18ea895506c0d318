//! Sums of products by the letters of their axes.

use super::axes::{broadcast, strides};
use super::kernels::matmul;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::{MAX_RANK, Shape, elements};

pub const OPERATORS: &[Support] = &[Support::new("Einsum", &[12, 28])];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&vec!["inputs"; view.inputs().max(1)], 0, 1)?;
    view.only(&["equation"])?;
    let equation = view.string("equation")?.ok_or_else(|| view.invalid("attribute 'equation' is missing"))?;
    let ranks: Vec<usize> = (0..view.inputs()).map(|index| view.input_shape(index).len()).collect();
    let einsum = Einsum::parse(equation, &ranks);
    Ok(Box::new(
        einsum.ok_or_else(|| view.invalid(format!("the equation '{equation}' does not fit its inputs")))?,
    ))
}

/// ONNX `Einsum` (12, 28).
#[derive(Debug)]
struct Einsum {
    /// For every operand the letter of each axis; the axes of an ellipsis are digits, counted from the right.
    operands: Vec<Vec<char>>,
    output: Vec<char>,
}

impl Einsum {
    fn parse(equation: &str, ranks: &[usize]) -> Option<Self> {
        let equation: String = equation.chars().filter(|letter| !letter.is_whitespace()).collect();
        let (left, right) = match equation.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&equation[..], None),
        };
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != ranks.len() {
            return None;
        }
        let mut hidden = 0;
        let mut operands = Vec::new();
        for (term, rank) in terms.iter().zip(ranks) {
            let letters = term.chars().filter(|letter| *letter != '.').count();
            let dots = if term.contains("...") { rank.checked_sub(letters)? } else { 0 };
            hidden = hidden.max(dots);
            let axes = labels(term, dots)?;
            if axes.len() != *rank {
                return None;
            }
            operands.push(axes);
        }
        let output = match right {
            Some(right) => labels(right, hidden)?,
            None => {
                let mut letters: Vec<char> = operands.iter().flatten().copied().collect();
                letters.sort_unstable();
                let single = letters
                    .iter()
                    .filter(|letter| letters.iter().filter(|other| other == letter).count() == 1);
                let named = single.filter(|letter| letter.is_alphabetic()).copied();
                ellipsis(hidden).chain(named).collect()
            }
        };
        let given = |letter: &char| operands.iter().any(|axes| axes.contains(letter));
        let distinct = (0..output.len()).all(|index| !output[..index].contains(&output[index]));
        (distinct && output.iter().all(given)).then_some(Self { operands, output })
    }

    /// The letters that are still needed once operand `index` is taken in.
    fn wanted(&self, index: usize) -> Vec<char> {
        self.output.iter().chain(self.operands[index + 1..].iter().flatten()).copied().collect()
    }

    /// Checks the products of the first operands, which later ones are multiplied with.
    fn between(&self, inputs: &[&[usize]]) -> Result<(), String> {
        let mut letters: Vec<char> = Vec::new();
        for (index, operand) in self.operands.iter().enumerate() {
            let own: Shape =
                operand.iter().map(|letter| self.size(*letter, inputs)).collect::<Result<_, _>>()?;
            if elements(&own).is_none() {
                return Err(format!("an operand becomes one of the shape {own:?}, which is too large"));
            }
            letters.extend(operand);
            letters.sort_unstable();
            letters.dedup();
            let wanted = self.wanted(index);
            letters.retain(|letter| wanted.contains(letter));
            let shape: Shape =
                letters.iter().map(|letter| self.size(*letter, inputs)).collect::<Result<_, _>>()?;
            if shape.len() > MAX_RANK || elements(&shape).is_none() {
                return Err(format!(
                    "it makes a tensor of the shape {shape:?} on its way, which is too large"
                ));
            }
        }
        Ok(())
    }

    /// The size of every letter.
    fn size(&self, letter: char, inputs: &[&[usize]]) -> Result<usize, String> {
        let axes =
            self.operands.iter().zip(inputs).flat_map(|(letters, shape)| letters.iter().zip(shape.iter()));
        let sizes: Vec<[usize; 1]> =
            axes.filter(|(other, _)| **other == letter).map(|(_, size)| [*size]).collect();
        let sizes: Vec<&[usize]> = sizes.iter().map(|size| &size[..]).collect();
        let size =
            broadcast(&sizes).map_err(|_| format!("axis '{letter}' has several sizes in {inputs:?}"))?;
        Ok(size.first().copied().unwrap_or(1))
    }
}

fn labels(term: &str, dots: usize) -> Option<Vec<char>> {
    let (before, after) = term.split_once("...").unwrap_or((term, ""));
    if !before.chars().chain(after.chars()).all(|letter| letter.is_ascii_alphabetic()) {
        return None;
    }
    let hidden = if term.contains("...") { dots } else { 0 };
    Some(before.chars().chain(ellipsis(hidden)).chain(after.chars()).collect())
}

fn ellipsis(axes: usize) -> impl Iterator<Item = char> {
    (0..axes).rev().map(|axis| char::from(b'0' + (axis % 10) as u8))
}

impl Operator for Einsum {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        for (letters, shape) in self.operands.iter().zip(inputs) {
            if letters.len() != shape.len() {
                return Err(format!("the shape {shape:?} does not fit the axes {letters:?}"));
            }
            for (letter, size) in letters.iter().zip(shape.iter()) {
                let same = |(other, others): (&char, &usize)| other != letter || others == size;
                if !letters.iter().zip(shape.iter()).all(same) {
                    return Err(format!("axis '{letter}' has several sizes in {shape:?}"));
                }
                self.size(*letter, inputs)?;
            }
        }
        self.between(inputs)?;
        Ok(vec![self.output.iter().map(|letter| self.size(*letter, inputs)).collect::<Result<_, _>>()?])
    }

    fn macs(&self, inputs: &[&[usize]], _outputs: &[Shape]) -> u64 {
        if inputs.len() < 2 {
            return 0;
        }
        let mut letters: Vec<char> = self.operands.iter().flatten().copied().collect();
        letters.sort_unstable();
        letters.dedup();
        let sizes = letters.iter().map(|letter| self.size(*letter, inputs).unwrap_or(1) as u64);
        sizes.fold(1, u64::saturating_mul)
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let mut left: Option<Labelled> = None;
        for (index, letters) in self.operands.iter().enumerate() {
            let right = Labelled { value: tensor(inputs, index), letters: letters.clone() }.diagonal();
            let wanted = self.wanted(index);
            left = Some(match left {
                None => right.summed(|letter| wanted.contains(&letter)),
                Some(left) => left.times(right, &wanted),
            });
        }
        let Some(result) = left else { unreachable!("`read` has refused nodes without inputs") };
        let result = result.summed(|letter| self.output.contains(&letter));
        let shape = result.value.dims();
        let order: Vec<usize> = self.output.iter().filter_map(|letter| result.position(*letter)).collect();
        let sizes: Shape = order.iter().map(|axis| shape[*axis]).collect();
        result.value.reshape(&shape[..result.letters.len()]).permute(&order).reshape(&sizes).into()
    }
}

/// A tensor with a letter per axis.
struct Labelled {
    value: Value,
    letters: Vec<char>,
}

impl Labelled {
    fn position(&self, letter: char) -> Option<usize> {
        self.letters.iter().position(|other| *other == letter)
    }

    fn size(&self, letter: char) -> usize {
        self.position(letter).map_or(1, |axis| self.value.dims()[axis])
    }

    /// Keeps of axes with the same letter what is on their diagonal.
    fn diagonal(mut self) -> Self {
        let twice = |letters: &[char]| {
            let later =
                |first: usize| (first + 1..letters.len()).find(|second| letters[*second] == letters[first]);
            (0..letters.len()).find_map(|first| Some((first, later(first)?)))
        };
        while let Some((first, second)) = twice(&self.letters) {
            let dims = self.value.dims();
            let (rows, columns) = (dims[first], dims[second]);
            let order: Vec<usize> = (0..dims.len())
                .filter(|axis| *axis != first && *axis != second)
                .chain([first, second])
                .collect();
            let kept: Shape = order[..dims.len() - 2].iter().map(|axis| dims[*axis]).collect();
            let flat = [&kept[..], &[rows * columns]].concat();
            let step = strides(&[rows, columns])[0] + 1;
            let indices: Vec<usize> = (0..rows.min(columns)).map(|index| index * step).collect();
            let value = self.value.permute(&order).reshape(&flat).select(kept.len(), &indices);
            let letters: Vec<char> =
                order[..order.len() - 1].iter().map(|axis| self.letters[*axis]).collect();
            self = Self { value, letters };
        }
        self
    }

    /// Sums over the letters that are not wanted.
    fn summed(mut self, wanted: impl Fn(char) -> bool) -> Self {
        for letter in self.letters.clone() {
            if let Some(axis) = self.position(letter).filter(|_| !wanted(letter)) {
                let mut shape = self.value.dims();
                shape.remove(axis);
                self.value = self.value.sum_axis(axis).reshape(&shape);
                self.letters.remove(axis);
            }
        }
        self
    }

    /// The product with another tensor, summed over the shared letters that nobody wants any more: one product of
    /// matrices for every index of the shared letters that are wanted.
    fn times(self, other: Self, wanted: &[char]) -> Self {
        let left = self.summed(|letter| wanted.contains(&letter) || other.letters.contains(&letter));
        let right = other.summed(|letter| wanted.contains(&letter) || left.letters.contains(&letter));
        let shared: Vec<char> = left.letters.iter().copied().filter(|l| right.letters.contains(l)).collect();
        let (batch, inner): (Vec<char>, Vec<char>) =
            shared.iter().partition(|letter| wanted.contains(letter));
        let rows: Vec<char> = left.letters.iter().copied().filter(|l| !shared.contains(l)).collect();
        let columns: Vec<char> = right.letters.iter().copied().filter(|l| !shared.contains(l)).collect();
        let size = |letter: &char| left.size(*letter).max(right.size(*letter));
        let count = |letters: &[char]| letters.iter().map(size).product::<usize>();
        let matrix = |side: &Self, letters: [&[char]; 3]| {
            let all = letters.concat();
            let order: Vec<usize> = all.iter().filter_map(|letter| side.position(*letter)).collect();
            let sizes: Shape = all.iter().map(size).collect();
            let value = side.value.clone().reshape(&side.value.dims()[..side.letters.len()]).permute(&order);
            value.expand(&sizes).reshape(&letters.map(count))
        };
        let a = matrix(&left, [&batch, &rows, &inner]).to_rank::<3>();
        let b = matrix(&right, [&batch, &inner, &columns]).to_rank::<3>();
        let letters = [batch, rows, columns].concat();
        let shape: Shape = letters.iter().map(size).collect();
        Self { value: Value::from(matmul(a, b)).reshape(&shape), letters }
    }
}

#[cfg(test)]
mod tests;
