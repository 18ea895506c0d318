use crate::ops::testing::{NodeTest, assert_close, noise};

fn einsum(equation: &str) -> NodeTest {
    NodeTest::new("Einsum").with("equation", equation)
}

#[test]
fn one_operand() {
    let x = |equation| einsum(equation).tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]).run();
    assert_eq!(x("ij->ji"), (vec![2, 2], vec![1.0, 3.0, 2.0, 4.0]));
    assert_eq!(x("ij->i"), (vec![2], vec![3.0, 7.0]));
    assert_eq!(x("ba"), (vec![2, 2], vec![1.0, 3.0, 2.0, 4.0]));
    assert_eq!(x("ii->i"), (vec![2], vec![1.0, 4.0]));
    assert_eq!(x("ii"), (vec![], vec![5.0]));
    assert_eq!(x("...j->..."), (vec![2], vec![3.0, 7.0]));
}

/// Queries and keys of an attention block, and its values.
#[test]
fn attention() {
    let (shape, values) = einsum("bhqd,bhkd->bhqk").noise(&[2, 2, 3, 4]).noise(&[2, 2, 5, 4]).run();
    assert_eq!(shape, [2, 2, 3, 5]);
    let (q, k) = (noise(48, 1), noise(80, 2));
    let expected: f32 = (0..4).map(|d| q[(3 * 3 + 1) * 4 + d] * k[(3 * 5 + 2) * 4 + d]).sum();
    assert_close(&values[(3 * 3 + 1) * 5 + 2..][..1], &[expected]);
    let (shape, _) = einsum("bhqk,bkhd->bqhd").noise(&[2, 2, 3, 5]).noise(&[2, 5, 2, 4]).run();
    assert_eq!(shape, [2, 3, 2, 4]);
    assert_eq!(einsum("bhqd,bhkd->bhqk").noise(&[2, 2, 3, 4]).noise(&[2, 2, 5, 4]).macs(), 2 * 2 * 3 * 5 * 4);
}

#[test]
fn three_operands_and_outer_products() {
    let (shape, values) = einsum("i,j,ij->j")
        .tensor(&[2], &[1.0, 2.0])
        .tensor(&[2], &[3.0, 4.0])
        .tensor(&[2, 2], &[1.0; 4])
        .run();
    assert_eq!(shape, [2]);
    assert_close(&values, &[9.0, 12.0]);
    assert_close(
        &einsum("i,j->ij").tensor(&[2], &[1.0, 2.0]).tensor(&[2], &[3.0, 4.0]).run().1,
        &[3.0, 4.0, 6.0, 8.0],
    );
}

#[test]
fn gradients_are_those_of_differences() {
    einsum("bij,bjk->bik").noise(&[2, 2, 3]).noise(&[2, 3, 2]).check_gradients();
    einsum("...ii->...i").noise(&[2, 3, 3]).check_gradients();
    einsum("i,ij->").noise(&[2]).noise(&[2, 3]).check_gradients();
}

#[test]
fn equations_that_do_not_fit_are_refused() {
    for (test, reason) in [
        (einsum("ij->ik").noise(&[2, 3]), "does not fit its inputs"),
        (einsum("ijk->i").noise(&[2, 3]), "does not fit its inputs"),
        (einsum("i,j->").noise(&[2]), "does not fit its inputs"),
        (einsum("i.j->i").noise(&[2, 3]), "does not fit its inputs"),
        (einsum("ij,jk->ik").noise(&[2, 3]).noise(&[4, 2]), "axis 'j' has several sizes"),
        (einsum("ii->i").noise(&[1, 3]), "axis 'i' has several sizes"),
        (
            einsum("abcd,efgh,abef,cdgh->").noise(&[1; 4]).noise(&[1; 4]).noise(&[1; 4]).noise(&[1; 4]),
            "on its way",
        ),
    ] {
        let error = test.error();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn an_operand_that_would_grow_too_large_is_refused() {
    let row = || NodeTest::new("Einsum").with("equation", "ri,ic->rc").noise(&[1, 1 << 20]);
    let error = row().noise(&[1, 1 << 20]).error();
    assert!(error.contains("too large"), "{error}");
}
