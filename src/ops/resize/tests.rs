use crate::graph::Constant;
use crate::ops::testing::{NodeTest, assert_close};

/// An axis of values, resized by scales.
fn resize(values: &[f32], scale: f32, mode: &str, coordinates: &str) -> NodeTest {
    NodeTest::new("Resize")
        .tensor(&[1, values.len()], values)
        .none()
        .constant(Constant::f32(vec![2], vec![1.0, scale]))
        .with("mode", mode)
        .with("coordinate_transformation_mode", coordinates)
}

#[test]
fn coordinates_are_those_of_onnx() {
    for (test, expected) in [
        (
            resize(&[1.0, 2.0], 2.0, "nearest", "asymmetric").with("nearest_mode", "floor"),
            &[1.0, 1.0, 2.0, 2.0][..],
        ),
        (resize(&[1.0, 2.0], 1.5, "nearest", "half_pixel"), &[1.0, 1.0, 2.0]),
        (
            resize(&[1.0, 2.0], 1.5, "nearest", "half_pixel").with("nearest_mode", "round_prefer_ceil"),
            &[1.0, 2.0, 2.0],
        ),
        (resize(&[1.0, 3.0], 2.0, "linear", "half_pixel"), &[1.0, 1.5, 2.5, 3.0]),
        (resize(&[1.0, 4.0], 2.0, "linear", "align_corners"), &[1.0, 2.0, 3.0, 4.0]),
        (resize(&[1.0, 3.0], 2.0, "linear", "asymmetric"), &[1.0, 2.0, 3.0, 3.0]),
        (resize(&[1.0, 2.0, 3.0, 4.0], 0.25, "linear", "pytorch_half_pixel"), &[1.0]),
        (resize(&[0.0, 4.0, 8.0, 12.0], 0.5, "linear", "half_pixel").with("antialias", 1), &[2.5, 9.5]),
        (resize(&[1.0, 2.0, 3.0, 4.0], 0.5, "cubic", "half_pixel"), &[1.40625, 3.59375]),
    ] {
        assert_close(&test.run().1, expected);
    }
}

/// What `Upsample`, and `Resize` of operator set 10, and TensorFlow's converter wrote.
#[test]
fn older_forms_are_read() {
    let scales = || Constant::f32(vec![2], vec![1.0, 2.0]);
    for test in [
        NodeTest::new("Upsample").opset(9).tensor(&[1, 2], &[1.0, 3.0]).constant(scales()),
        NodeTest::new("Upsample").opset(7).tensor(&[1, 2], &[1.0, 3.0]).with("scales", vec![1.0_f32, 2.0]),
        NodeTest::new("Resize").opset(10).tensor(&[1, 2], &[1.0, 3.0]).constant(scales()),
    ] {
        assert_close(&test.with("mode", "nearest").run().1, &[1.0, 1.0, 3.0, 3.0]);
    }
    let shrink = NodeTest::new("Resize").opset(10).tensor(&[1, 4], &[1.0, 2.0, 3.0, 4.0]);
    assert_close(&shrink.constant(Constant::f32(vec![2], vec![1.0, 0.6])).run().1, &[1.0, 3.0]);
    let tensorflow = resize(&[1.0, 2.0, 3.0, 4.0], 0.5, "nearest", "tf_half_pixel_for_nn").opset(11);
    assert_close(&tensorflow.with("nearest_mode", "floor").run().1, &[2.0, 4.0]);
}

#[test]
fn sizes_keep_the_aspect_where_they_are_told_to() {
    let sized = |policy: &str| {
        let test = NodeTest::new("Resize").noise(&[1, 1, 2, 4]).none().none().ints(&[6, 8]);
        test.with("axes", vec![2, 3]).with("keep_aspect_ratio_policy", policy).run().0
    };
    assert_eq!(sized("stretch"), [1, 1, 6, 8]);
    assert_eq!(sized("not_larger"), [1, 1, 4, 8]);
    assert_eq!(sized("not_smaller"), [1, 1, 6, 12]);
}

/// The size of the batch in `sizes` is that of the export.
#[test]
fn any_batch_is_resized() {
    let test = NodeTest::new("Resize").noise(&[1, 2, 2, 2]).none().none().ints(&[1, 2, 4, 4]);
    let mut graph = test.inferred();
    let operators = crate::ops::infer(&mut graph).unwrap();
    assert!(crate::ops::check_batch(&graph, &operators).is_ok());
}

#[test]
fn a_region_is_cropped() {
    let test = NodeTest::new("Resize")
        .tensor(&[1, 4], &[1.0, 2.0, 3.0, 4.0])
        .constant(Constant::f32(vec![4], vec![0.0, 0.0, 1.0, 2.0]))
        .none()
        .ints(&[1, 3])
        .with("mode", "linear")
        .with("coordinate_transformation_mode", "tf_crop_and_resize")
        .with("extrapolation_value", 9.0_f32);
    assert_close(&test.run().1, &[1.0, 4.0, 9.0]);
}

#[test]
fn gradients_are_those_of_differences() {
    for (mode, scale) in [("nearest", 2.0), ("nearest", 1.5), ("linear", 1.5), ("cubic", 0.5)] {
        let scales = Constant::f32(vec![4], vec![1.0, 1.0, scale, 2.0]);
        NodeTest::new("Resize")
            .noise(&[1, 2, 4, 2])
            .none()
            .constant(scales)
            .with("mode", mode)
            .check_gradients();
    }
}

/// Its `nearest_mode` would have to be two at once, but none is asked for.
#[test]
fn an_old_linear_resize_may_grow_and_shrink() {
    let scales = Constant::f32(vec![2], vec![2.0, 0.5]);
    let test = NodeTest::new("Resize").opset(10).tensor(&[1, 2], &[1.0, 3.0]).constant(scales);
    assert_eq!(test.with("mode", "linear").run(), (vec![2, 1], vec![1.0, 1.0]));
}

#[test]
fn what_is_not_known_is_refused() {
    for (test, reason) in [
        (resize(&[1.0], 2.0, "area", "half_pixel"), "mode 'area' is not known"),
        (resize(&[1.0], 2.0, "nearest", "sideways"), "'sideways' is not known"),
        (resize(&[1.0], 1e9, "nearest", "half_pixel"), "out of range"),
        (resize(&[1.0], -1.0, "nearest", "half_pixel"), "out of range"),
        (resize(&[1.0], f32::NAN, "nearest", "half_pixel"), "out of range"),
        (NodeTest::new("Resize").noise(&[1, 2]), "either scales or sizes"),
        (NodeTest::new("Resize").noise(&[1, 2]).none().noise(&[2]), "must be constant floats"),
        (NodeTest::new("Resize").noise(&[1, 1, 0, 4]).none().none().ints(&[1, 1, 2, 4]), "is empty"),
        (resize(&[1.0], 2.0, "nearest", "tf_crop_and_resize"), "'roi' is missing"),
    ] {
        let error = test.error();
        assert!(error.contains(reason), "{error}");
    }
}
