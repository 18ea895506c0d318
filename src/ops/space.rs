//! Channels to pixels and back.

use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] =
    &[Support::new("DepthToSpace", &[1, 11, 13, 28]), Support::new("SpaceToDepth", &[1, 13, 28])];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["input"], 0, 1)?;
    view.only(&["blocksize", "mode"])?;
    let block = view.int("blocksize")?.ok_or_else(|| view.invalid("attribute 'blocksize' is missing"))?;
    let block = usize::try_from(block).ok().filter(|block| (1..1 << 15).contains(block));
    let block = block.ok_or_else(|| view.invalid("attribute 'blocksize' is out of range"))?;
    let channels_last = match view.string("mode")?.unwrap_or("DCR") {
        "DCR" => true,
        "CRD" => false,
        other => return Err(view.invalid(format!("mode '{other}' is not known"))),
    };
    let to_space = view.op_type() == "DepthToSpace";
    Ok(Box::new(Blocks { block, channels_last, to_space }))
}

/// ONNX `DepthToSpace` (1, 11, 13, 28) and `SpaceToDepth` (1, 13, 28).
///
/// # Shapes
///
/// - many channels: [batch, channels × block², height, width]
/// - many pixels: [batch, channels, height × block, width × block]
#[derive(Debug)]
struct Blocks {
    block: usize,
    /// Whether the channels of one pixel of a block are together (`DCR`), or the pixels of one channel (`CRD`).
    channels_last: bool,
    to_space: bool,
}

impl Operator for Blocks {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let &[batch, channels, height, width] = inputs[0] else {
            return Err(format!("the input {:?} must have 4 axes", inputs[0]));
        };
        let (block, area) = (self.block, self.block * self.block);
        match self.to_space {
            true if channels.is_multiple_of(area) => Ok(vec![vec![
                batch,
                channels / area,
                height.saturating_mul(block),
                width.saturating_mul(block),
            ]]),
            false if height.is_multiple_of(block) && width.is_multiple_of(block) => {
                Ok(vec![vec![batch, channels.saturating_mul(area), height / block, width / block]])
            }
            _ => Err(format!("the input {:?} does not divide into blocks of {block}", inputs[0])),
        }
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let (x, block) = (tensor(inputs, 0), self.block);
        let dims = x.dims();
        let Ok(shapes) = self.shapes(&[&dims]) else { unreachable!("the shape has been checked before") };
        let deep = if self.to_space { &dims } else { &shapes[0] };
        let (batch, channels) = (deep[0], deep[1] / (block * block));
        let (height, width) = (deep[2], deep[3]);
        let (blocks, order) = match (self.to_space, self.channels_last) {
            (true, true) => ([batch, block, block, channels, height, width], [0, 3, 4, 1, 5, 2]),
            (true, false) => ([batch, channels, block, block, height, width], [0, 1, 4, 2, 5, 3]),
            (false, true) => ([batch, channels, height, block, width, block], [0, 3, 5, 1, 2, 4]),
            (false, false) => ([batch, channels, height, block, width, block], [0, 1, 3, 5, 2, 4]),
        };
        x.reshape(&blocks).permute(&order).reshape(&shapes[0]).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, noise};

    fn node(op_type: &str, mode: &str) -> NodeTest {
        NodeTest::new(op_type).with("blocksize", 2).with("mode", mode)
    }

    #[test]
    fn both_orders_are_those_of_onnx() {
        let values: Vec<f32> = (0..8).map(|value| value as f32).collect();
        let to_space = |mode| node("DepthToSpace", mode).tensor(&[1, 8, 1, 1], &values).run();
        assert_eq!(to_space("DCR"), (vec![1, 2, 2, 2], vec![0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0]));
        assert_eq!(to_space("CRD"), (vec![1, 2, 2, 2], values.clone()));
    }

    #[test]
    fn one_undoes_the_other() {
        for mode in ["DCR", "CRD"] {
            let pixels =
                NodeTest::new("SpaceToDepth").noise(&[2, 3, 4, 6]).with("blocksize", 2).with("mode", mode);
            let (shape, deep) = pixels.run();
            assert_eq!(shape, [2, 12, 2, 3]);
            let (shape, back) = node("DepthToSpace", mode).tensor(&[2, 12, 2, 3], &deep).run();
            assert_eq!((shape, back), (vec![2, 3, 4, 6], noise(144, 1)));
        }
    }

    #[test]
    fn gradients_are_those_of_differences() {
        node("DepthToSpace", "DCR").noise(&[1, 8, 2, 1]).check_gradients();
        node("SpaceToDepth", "DCR").noise(&[1, 2, 2, 4]).check_gradients();
    }

    #[test]
    fn what_does_not_divide_is_refused() {
        let error = node("DepthToSpace", "DCR").noise(&[1, 6, 2, 2]).error();
        assert!(error.contains("does not divide into blocks of 2"), "{error}");
        let error = node("SpaceToDepth", "CDR").noise(&[1, 6, 2, 2]).error();
        assert!(error.contains("mode 'CDR' is not known"), "{error}");
    }
}
