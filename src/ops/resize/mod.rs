//! Changing the size of axes by interpolation.

mod sample;

use burn::tensor::Tensor;

use super::axes::{axes, axis};
use super::kernels::matmul;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::{Attributes, Constant, Graph, OPSET, Shape};
use sample::{Coordinates, Interpolation, Nearest, Sampling};

pub const OPERATORS: &[Support] = &[
    Support::new("Resize", &[10, 11, 13, 18, 19]).limits("constant scales or sizes"),
    Support::new("Upsample", &[7, 9]).limits("constant scales; is read as Resize"),
];

/// The largest size that an axis may get, and how many values the matrix from the old axis to the new one may have.
const LIMIT: f64 = (1 << 15) as f64;
const MATRIX: f64 = (1 << 26) as f64;

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X"], 3, 1)?;
    view.only(&[
        "antialias",
        "axes",
        "coordinate_transformation_mode",
        "cubic_coeff_a",
        "exclude_outside",
        "extrapolation_value",
        "keep_aspect_ratio_policy",
        "mode",
        "nearest_mode",
    ])?;
    let input = view.input_shape(0);
    let named: Vec<usize> = match view.ints("axes")? {
        None => (0..input.len()).collect(),
        Some(list) => {
            axes(list, input.len()).map_err(|reason| view.invalid(reason))?;
            list.iter().filter_map(|entry| axis(*entry, input.len()).ok()).collect()
        }
    };
    let sampling = sampling(view)?;
    let scales = view.floats_input(2, "scales")?;
    let sizes = view.ints_input(3, "sizes")?.filter(|sizes| !sizes.is_empty());
    let given = match (&scales, &sizes) {
        (Some(scales), None) => scales.len(),
        (None, Some(sizes)) => sizes.len(),
        _ => return Err(view.invalid("either scales or sizes are needed")),
    };
    let regions =
        view.floats_input(1, "roi").or_else(|error| if sampling.crops() { Err(error) } else { Ok(None) })?;
    let regions = match regions.filter(|_| sampling.crops()) {
        Some(regions) if regions.len() == 2 * given => Some(regions),
        Some(_) => return Err(view.invalid("input 'roi' needs a start and an end per axis")),
        None if sampling.crops() => return Err(view.invalid("input 'roi' is missing")),
        None => None,
    };
    if given != named.len() {
        return Err(view.invalid(format!("{given} sizes do not fit {} axes", named.len())));
    }
    let aspect = view.string("keep_aspect_ratio_policy")?.unwrap_or("stretch");
    let lengths = lengths(view, input, &named, scales.as_deref(), sizes.as_deref(), aspect)?;
    let mut resized = Vec::new();
    for (place, (axis, (scale, size))) in named.iter().zip(lengths).enumerate() {
        let region = regions.as_ref().map(|regions| [regions[place], regions[given + place]].map(f64::from));
        let still = size == input[*axis] && scale == 1.0 && region.is_none_or(|region| region == [0.0, 1.0]);
        if !still {
            resized.push(Resized { axis: *axis, from: input[*axis], to: size, scale, region });
        }
    }
    // What shrinks comes first: nothing on the way is larger than the input or the output.
    resized.sort_by(|a, b| a.scale.total_cmp(&b.scale));
    Ok(Box::new(Resize { resized, sampling, outside: view.float("extrapolation_value")?.unwrap_or(0.0) }))
}

fn sampling(view: &NodeView) -> Result<Sampling, OpError> {
    let unknown = |name: &str, value: &str| view.invalid(format!("{name} '{value}' is not known"));
    let coordinates = match view.string("coordinate_transformation_mode")?.unwrap_or("half_pixel") {
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        "half_pixel" => Coordinates::HalfPixel,
        "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "tf_crop_and_resize" => Coordinates::CropAndResize,
        other => return Err(unknown("coordinate_transformation_mode", other)),
    };
    let nearest = || match view.string("nearest_mode")?.unwrap_or("round_prefer_floor") {
        "round_prefer_floor" => Ok(Nearest::RoundPreferFloor),
        "round_prefer_ceil" => Ok(Nearest::RoundPreferCeil),
        "floor" => Ok(Nearest::Floor),
        "ceil" => Ok(Nearest::Ceil),
        other => Err(unknown("nearest_mode", other)),
    };
    let interpolation = match view.string("mode")?.unwrap_or("nearest") {
        "nearest" => Interpolation::Nearest(nearest()?),
        "linear" => Interpolation::Linear,
        "cubic" => Interpolation::Cubic { a: view.float("cubic_coeff_a")?.unwrap_or(-0.75).into() },
        other => return Err(unknown("mode", other)),
    };
    Ok(Sampling {
        coordinates,
        interpolation,
        antialias: view.int("antialias")?.unwrap_or(0) != 0,
        exclude_outside: view.int("exclude_outside")?.unwrap_or(0) != 0,
    })
}

/// For every named axis its scale and its new size.
fn lengths(
    view: &NodeView,
    input: &[usize],
    named: &[usize],
    scales: Option<&[f32]>,
    sizes: Option<&[i64]>,
    aspect: &str,
) -> Result<Vec<(f64, usize)>, OpError> {
    let checked = |from: usize, scale: f64, size: f64| {
        let fits = scale > 0.0 && (1.0..=LIMIT).contains(&size) && size * from as f64 <= MATRIX;
        fits.then_some((scale, size as usize))
            .ok_or_else(|| view.invalid(format!("its output of {size} is out of range")))
    };
    if let Some(scales) = scales {
        let pairs = named.iter().zip(scales.iter().map(|scale| f64::from(*scale)));
        // In float32, as runtimes do: 5 × 2.6 is 13.
        let size = |axis: usize, scale: f64| f64::from((input[axis] as f32 * scale as f32).floor());
        return pairs.map(|(axis, scale)| checked(input[*axis], scale, size(*axis, scale))).collect();
    }
    let sizes = sizes.unwrap_or_default();
    let ratios = || named.iter().zip(sizes).map(|(axis, size)| *size as f64 / input[*axis] as f64);
    let shared = match aspect {
        "stretch" => None,
        "not_larger" => Some(ratios().fold(f64::INFINITY, f64::min)),
        "not_smaller" => Some(ratios().fold(0.0, f64::max)),
        other => return Err(view.invalid(format!("keep_aspect_ratio_policy '{other}' is not known"))),
    };
    let each = named.iter().zip(sizes).zip(ratios());
    each.map(|((axis, size), ratio)| match shared {
        None => checked(input[*axis], ratio, *size as f64),
        // Halves are rounded up.
        Some(scale) => checked(input[*axis], scale, (input[*axis] as f64 * scale + 0.5).floor()),
    })
    .collect()
}

/// ONNX `Resize` (10, 11, 13, 18, 19), one axis after the other: nearest by repeating where that is all there is to it,
/// else by products with matrices, which have a gradient on every device.
#[derive(Debug)]
struct Resize {
    resized: Vec<Resized>,
    sampling: Sampling,
    /// What stands outside of the input where it is cropped.
    outside: f32,
}

#[derive(Debug)]
struct Resized {
    axis: usize,
    from: usize,
    to: usize,
    scale: f64,
    /// Start and end of the part that is kept, relative to the axis.
    region: Option<[f64; 2]>,
}

impl Operator for Resize {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let mut shape = inputs[0].to_vec();
        for Resized { axis, from, to, .. } in &self.resized {
            if shape.get(*axis) != Some(from) {
                return Err(format!(
                    "axis {axis} of {:?} is not of the size {from} that its scales are for",
                    inputs[0]
                ));
            }
            shape[*axis] = *to;
        }
        Ok(vec![shape])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let mut x = tensor(inputs, 0);
        for resized in &self.resized {
            x = self.along(x, resized);
        }
        x.into()
    }
}

impl Resize {
    fn along(&self, x: Value, resized: &Resized) -> Value {
        let Resized { axis, from, to, scale, region } = *resized;
        let mut shape = x.dims();
        let outer = shape[..axis].iter().product::<usize>();
        let inner = shape[axis + 1..].iter().product::<usize>();
        shape[axis] = to;
        let rows = self.sampling.rows(from, to, scale, region);
        if let Some(times) = rows.repeats(from) {
            let wide = x.reshape(&[outer, from, 1, inner]).expand(&[outer, from, times, inner]);
            return wide.reshape(&shape);
        }
        let device = x.device();
        let matrix: Tensor<2> = Value::from_host(&rows.matrix(from), &[to, from], &device).to_rank();
        let y: Value = if inner == 1 {
            matmul(x.reshape(&[outer, from]).to_rank::<2>(), matrix.transpose()).into()
        } else {
            matmul(matrix.unsqueeze::<3>(), x.reshape(&[outer, from, inner]).to_rank::<3>()).into()
        };
        let outside: Vec<f32> =
            rows.outside().map(|outside| if outside { self.outside } else { 0.0 }).collect();
        if outside.iter().all(|value| *value == 0.0) {
            return y.reshape(&shape);
        }
        let outside = Value::from_host(&outside, &[1, to, 1], &device).to_rank::<3>();
        Value::from(y.reshape(&[outer, to, inner]).to_rank::<3>() + outside).reshape(&shape)
    }
}

/// Brings `Upsample` and `Resize` of operator set 10 to today's form, leaves out empty inputs, and turns what TensorFlow's converter called
/// `tf_half_pixel_for_nn` into its equal.
pub fn upgrade(graph: &mut Graph, index: usize) {
    let upsample = graph.nodes[index].op_type == "Upsample";
    if upsample || graph.opset < 11 {
        let node = &mut graph.nodes[index];
        node.op_type = "Resize".to_owned();
        let scales = match node.attributes.remove("scales") {
            Some(crate::graph::Attribute::Floats(scales)) => {
                let name = format!("{}/scales", node.name);
                Some(graph.add_constant(&name, Constant::f32(vec![scales.len()], scales)))
            }
            _ => node.inputs.get(1).copied().flatten(),
        };
        let values =
            scales.and_then(|id| graph.constants.get(&id)).and_then(Constant::as_f32).unwrap_or_default();
        let rounding =
            match (values.iter().any(|scale| *scale < 1.0), values.iter().any(|scale| *scale > 1.0)) {
                (false, _) => "floor",
                (true, false) => "ceil",
                (true, true) => "floor where it grows, ceil where it shrinks",
            };
        let node = &mut graph.nodes[index];
        node.inputs.truncate(1);
        node.inputs.extend([None, scales]);
        let old = [("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", rounding)];
        node.attributes.extend(old.map(|(name, value)| (name.to_owned(), value.into())));
        if node.attributes.get("mode") == Some(&"bilinear".into()) {
            node.attributes.insert("mode".to_owned(), "linear".into());
        }
    }
    // What was not needed had to be given as nothing at all.
    for input in graph.nodes[index].inputs.iter_mut().skip(1) {
        if input.and_then(|id| graph.constants.get(&id)).is_some_and(Constant::is_empty) {
            *input = None;
        }
    }
    if graph.opset < OPSET {
        nearest_of_tensorflow(&mut graph.nodes[index].attributes);
    }
}

/// `floor((x + 0.5) / scale)` is the half pixel rounded, with halves up.
fn nearest_of_tensorflow(attributes: &mut Attributes) {
    let is = |name: &str, value: &str| attributes.get(name) == Some(&value.into());
    if is("coordinate_transformation_mode", "tf_half_pixel_for_nn") && is("nearest_mode", "floor") {
        attributes.insert("coordinate_transformation_mode".to_owned(), "half_pixel".into());
        attributes.insert("nearest_mode".to_owned(), "round_prefer_ceil".into());
    }
}

#[cfg(test)]
mod tests;
