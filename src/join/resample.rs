//! Changing the height and width of a tensor, with operators that are differentiable on every backend.

use crate::graph::{Attribute, Attributes, Constant, Graph, TensorId};
use crate::net::{NetError, Prepared};
use crate::ops;

/// Adds nodes that bring `tensor`, of `from` = (height, width), to the size `to`. Average pooling where both sides
/// shrink by whole factors, else two products with fixed matrices: averages where an axis shrinks, bilinear where it
/// grows (pixel centres at half positions, edges repeated).
pub fn resample(
    graph: &mut Graph,
    prefix: &str,
    tensor: TensorId,
    from: (usize, usize),
    to: (usize, usize),
) -> TensorId {
    if from == to {
        return tensor;
    }
    if from.0.is_multiple_of(to.0) && from.1.is_multiple_of(to.1) {
        let window = vec![(from.0 / to.0) as i64, (from.1 / to.1) as i64];
        let attributes = Attributes::from([
            ("kernel_shape".to_owned(), Attribute::Ints(window.clone())),
            ("strides".to_owned(), Attribute::Ints(window)),
        ]);
        return graph.add_node_with("AveragePool", &format!("{prefix}pool"), [tensor], attributes);
    }
    let mut tensor = tensor;
    if from.0 != to.0 {
        let rows = Constant::f32(vec![to.0, from.0], matrix(from.0, to.0));
        let rows = graph.add_constant(&format!("{prefix}fixed/rows"), rows);
        tensor = graph.add_node("MatMul", &format!("{prefix}resized_rows"), [rows, tensor]);
    }
    if from.1 != to.1 {
        let columns = Constant::f32(vec![from.1, to.1], transposed(&matrix(from.1, to.1), to.1, from.1));
        let columns = graph.add_constant(&format!("{prefix}fixed/columns"), columns);
        tensor = graph.add_node("MatMul", &format!("{prefix}resized_columns"), [tensor, columns]);
    }
    tensor
}

/// A graph that does nothing but bring a tensor of `channels` channels from one size to another.
pub fn resample_graph(channels: usize, from: (usize, usize), to: (usize, usize)) -> Graph {
    let mut graph = Graph { opset: 17, ..Graph::default() };
    let input = graph.add_input("tensor", vec![1, channels, from.0, from.1]);
    let output = resample(&mut graph, "", input, from, to);
    graph.outputs.push(output);
    graph
}

/// What positions of a resampled plane are made of: row-major `[positions, from height · from width]`, for positions
/// counted row by row in the size `to`.
pub fn sampling_columns(from: (usize, usize), to: (usize, usize), positions: &[usize]) -> Vec<f32> {
    let (rows, columns) = (matrix(from.0, to.0), matrix(from.1, to.1));
    let mixed = |position: &usize| {
        let row = rows[position / to.1 * from.0..][..from.0].to_vec();
        let column = columns[position % to.1 * from.1..][..from.1].to_vec();
        row.into_iter().flat_map(move |y| column.clone().into_iter().map(move |x| y * x))
    };
    positions.iter().flat_map(mixed).collect()
}

/// Row-major `[to, from]`: each row says how an output position is mixed from the input positions.
fn matrix(from: usize, to: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; to * from];
    let ratio = from as f32 / to as f32;
    for (row, weights) in matrix.chunks_mut(from).enumerate() {
        if from > to {
            // The mean over the row's share of the input, partly covered positions counted in part.
            let (start, end) = (row as f32 * ratio, (row + 1) as f32 * ratio);
            for (position, weight) in weights.iter_mut().enumerate() {
                let covered = end.min((position + 1) as f32) - start.max(position as f32);
                *weight = covered.max(0.0) / ratio;
            }
        } else {
            let centre = ((row as f32 + 0.5) * ratio - 0.5).clamp(0.0, (from - 1) as f32);
            let low = centre.floor() as usize;
            let high = (low + 1).min(from - 1);
            let fraction = centre - low as f32;
            weights[low] += 1.0 - fraction;
            weights[high] += fraction;
        }
    }
    matrix
}

fn transposed(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| matrix[row * columns + column])).collect()
}

/// The network behind an input of another size, `[channels, height, width]`: colours are averaged by luma
/// (ITU-R BT.601) or repeated, and the image is resampled inside the graph.
///
/// # Errors
///
/// None in practice: the added nodes fit by construction.
pub fn fit_input(network: &Prepared, size: [usize; 3]) -> Result<Prepared, NetError> {
    if network.input == size {
        return Ok(network.clone());
    }
    let [channels, height, width] = network.input;
    let mut graph = Graph {
        name: network.graph.name.clone(),
        opset: network.graph.opset,
        metadata: network.graph.metadata.clone(),
        ..Graph::default()
    };
    let image = graph.add_input("image", vec![1, size[0], size[1], size[2]]);
    let mut tensor = image;
    if size[0] != channels {
        let mix = match (size[0], channels) {
            (3, 1) => vec![0.299, 0.587, 0.114],
            _ => vec![1.0; size[0] * channels],
        };
        let kernel = Constant::f32(vec![channels, size[0], 1, 1], mix);
        let kernel = graph.add_constant("input/fixed/channels", kernel);
        tensor = graph.add_node("Conv", "input/channels", [tensor, kernel]);
    }
    tensor = resample(&mut graph, "input/", tensor, (size[1], size[2]), (height, width));
    let map = graph.append(&network.graph, "", &[(network.graph.inputs[0], tensor)]);
    graph.outputs = network.graph.outputs.iter().map(|id| map.at(*id)).collect();
    let mut tasks = network.tasks.clone();
    for task in &mut tasks {
        task.output = map.at(task.output);
    }
    ops::infer(&mut graph)?;
    Ok(Prepared { graph, tasks, input: size, ..network.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_output_position_is_a_mean_of_input_positions() {
        for (from, to) in [(7, 14), (14, 7), (7, 4), (4, 7), (28, 8), (3, 3)] {
            for row in matrix(from, to).chunks(from) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{from} to {to}: {row:?}");
            }
        }
    }

    #[test]
    fn doubling_interpolates_between_neighbours() {
        assert_eq!(matrix(2, 4), [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]);
    }
}
