//! Moving the values of a tensor whose rank is known only at run time.

use burn::tensor::{Int, Tensor, TensorData};

use super::Value;
use super::axes::array;
use super::value::ElementWise;

impl Value {
    /// The axes in another order: axis `index` of the result is axis `order[index]`.
    pub fn permute(self, order: &[usize]) -> Self {
        let still = order.iter().enumerate().all(|(index, axis)| index == *axis);
        if still { self } else { self.map(Permute(order)) }
    }

    /// Repeats axes of size 1 until the shape is `shape`, which has at least as many axes.
    pub fn expand(self, shape: &[usize]) -> Self {
        let dims = self.dims();
        if dims == shape {
            return self;
        }
        let mut wide = vec![1; shape.len().saturating_sub(dims.len())];
        wide.extend(dims);
        self.reshape(&wide).map(Expand(shape))
    }

    /// `size` indices of an axis from `start` on.
    pub fn narrow(self, axis: usize, start: usize, size: usize) -> Self {
        self.map(Narrow { axis, start, size })
    }

    /// The chosen indices of an axis, in their order.
    pub fn select(self, axis: usize, indices: &[usize]) -> Self {
        let counts_up = indices.windows(2).all(|pair| pair[1] == pair[0] + 1);
        match indices.first() {
            Some(first) if counts_up => self.narrow(axis, *first, indices.len()),
            _ => self.map(Select { axis, indices }),
        }
    }

    /// The sum over an axis, which stays with a size of 1.
    pub fn sum_axis(self, axis: usize) -> Self {
        self.map(Sum(axis))
    }
}

struct Sum(usize);

impl ElementWise for Sum {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x.sum_dim(self.0)
    }
}

struct Permute<'a>(&'a [usize]);

impl ElementWise for Permute<'_> {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if self.0.len() == D { x.permute(array::<D>(self.0)) } else { x }
    }
}

struct Expand<'a>(&'a [usize]);

impl ElementWise for Expand<'_> {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x.expand(array::<D>(self.0))
    }
}

struct Narrow {
    axis: usize,
    start: usize,
    size: usize,
}

impl ElementWise for Narrow {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if x.dims()[self.axis] == self.size { x } else { x.narrow(self.axis, self.start, self.size) }
    }
}

struct Select<'a> {
    axis: usize,
    indices: &'a [usize],
}

impl ElementWise for Select<'_> {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let indices: Vec<i32> = self.indices.iter().map(|index| *index as i32).collect();
        let indices =
            Tensor::<1, Int>::from_data(TensorData::new(indices, [self.indices.len()]), &x.device());
        x.select(self.axis, indices)
    }
}
