//! Arithmetic, comparisons and logic on constants that broadcast against each other.

use std::sync::Arc;

use super::movement::{broadcast_positions, take};
use super::{Arguments, OfFloats, OfInts};
use crate::graph::{Constant, ConstantData, Shape};
use crate::ops::axes::broadcast;

pub fn compute(op_type: &str, args: &Arguments) -> Option<Constant> {
    if let Some(function) = of_float(op_type) {
        return unary(args, function);
    }
    match op_type {
        "And" | "Or" | "Xor" => {
            let [a, b] = pair(args)?;
            let operation: fn(bool, bool) -> bool = match op_type {
                "And" => |a, b| a && b,
                "Or" => |a, b| a || b,
                _ => |a, b| a != b,
            };
            let values = a.as_bool()?.iter().zip(b.as_bool()?).map(|(a, b)| operation(*a, *b));
            Some(bools(a.shape.clone(), values))
        }
        "Not" => {
            let x = args.input(0)?;
            Some(bools(x.shape.clone(), x.as_bool()?.iter().map(|flag| !flag)))
        }
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => compare(op_type, args),
        "Clip" => {
            let x = args.input(0)?;
            let bound = |index: usize, default: i64| match args.input(index) {
                None => Some(default),
                Some(bound) => bound.as_i64()?.first().copied(),
            };
            let (low, high) = (bound(1, i64::MIN)?, bound(2, i64::MAX)?);
            let values = x.as_i64()?.iter().map(|value| (*value).max(low).min(high));
            Some(Constant { shape: x.shape.clone(), ..Constant::ints(values.collect::<Vec<_>>()) })
        }
        "Where" => choose(args),
        "Mod" => {
            let [a, b] = pair(args)?;
            let truncates = args.int("fmod", 0)? != 0;
            let of_floats = |a: f32, b: f32| {
                let rest = a % b;
                if !truncates && rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
            };
            numbers(
                &a,
                &b,
                |a, b| Some(of_floats(a, b)),
                |a, b| {
                    let rest = a.checked_rem(b)?;
                    Some(if !truncates && rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
                },
            )
        }
        "Pow" => {
            let [a, b] = pair_of_numbers(args)?;
            match (&a.data, &b.data) {
                (ConstantData::I64(_), ConstantData::F32(_)) => {
                    let values =
                        as_floats(&a)?.into_iter().zip(as_floats(&b)?).map(|(a, b)| a.powf(b) as i64);
                    Some(Constant { shape: a.shape.clone(), ..Constant::ints(values.collect::<Vec<_>>()) })
                }
                (ConstantData::F32(_), ConstantData::I64(_)) => {
                    let values = as_floats(&a)?.into_iter().zip(as_floats(&b)?).map(|(a, b)| a.powf(b));
                    Some(Constant::f32(a.shape.clone(), values.collect::<Vec<_>>()))
                }
                _ => numbers(&a, &b, |a, b| Some(a.powf(b)), |a, b| a.checked_pow(u32::try_from(b).ok()?)),
            }
        }
        _ => {
            let (of_floats, of_ints): (OfFloats, OfInts) = match op_type {
                "Add" | "Sum" | "Mean" => (|a, b| a + b, i64::checked_add),
                "Sub" => (|a, b| a - b, i64::checked_sub),
                "Mul" => (|a, b| a * b, i64::checked_mul),
                "Div" => (|a, b| a / b, i64::checked_div),
                "Max" => (nan_max, |a, b| Some(a.max(b))),
                "Min" => (|a, b| -nan_max(-a, -b), |a, b| Some(a.min(b))),
                _ => return None,
            };
            let mut all = args.all()?.into_iter();
            let first = all.next()?.clone();
            let folded = all.try_fold(first, |a, b| {
                let [a, b] = together([&a, b], args)?;
                numbers(&a, &b, |a, b| Some(of_floats(a, b)), of_ints)
            })?;
            match (op_type, folded.as_f32()) {
                ("Mean", Some(values)) => {
                    let count = args.all()?.len() as f32;
                    Some(Constant::f32(
                        folded.shape.clone(),
                        values.iter().map(|x| x / count).collect::<Vec<_>>(),
                    ))
                }
                ("Mean", None) => None,
                _ => Some(folded),
            }
        }
    }
}

/// The larger number; not a number if one of the two is none.
fn nan_max(a: f32, b: f32) -> f32 {
    if a.is_nan() || a > b { a } else { b }
}

/// Functions of one float that shape arithmetic and scales use.
fn of_float(op_type: &str) -> Option<fn(f32) -> f32> {
    Some(match op_type {
        "Abs" => f32::abs,
        "Ceil" => f32::ceil,
        "Cos" => f32::cos,
        "Exp" => f32::exp,
        "Floor" => f32::floor,
        "Log" => f32::ln,
        "Neg" => |x| -x,
        "Reciprocal" => f32::recip,
        "Round" => f32::round_ties_even,
        "Sign" => |x| if x == 0.0 { 0.0 } else { x.signum() },
        "Sin" => f32::sin,
        "Sqrt" => f32::sqrt,
        _ => return None,
    })
}

fn unary(args: &Arguments, function: fn(f32) -> f32) -> Option<Constant> {
    let x = args.input(0)?;
    match &x.data {
        ConstantData::F32(values) => {
            Some(Constant::f32(x.shape.clone(), values.iter().map(|x| function(*x)).collect::<Vec<_>>()))
        }
        ConstantData::I64(values) => {
            let function: fn(i64) -> Option<i64> = match args {
                _ if args.is("Abs") => i64::checked_abs,
                _ if args.is("Neg") => i64::checked_neg,
                _ if args.is("Sign") => |x| Some(x.signum()),
                _ => return None,
            };
            let values: Option<Vec<i64>> = values.iter().map(|x| function(*x)).collect();
            Some(Constant { shape: x.shape.clone(), ..Constant::ints(values?) })
        }
        ConstantData::Bool(_) => None,
    }
}

fn bools(shape: Shape, values: impl Iterator<Item = bool>) -> Constant {
    Constant { shape, data: ConstantData::Bool(values.collect()) }
}

/// Two constants as ones of the shape that they take together.
fn together<const N: usize>(inputs: [&Constant; N], args: &Arguments) -> Option<[Constant; N]> {
    let shapes: Vec<&[usize]> = inputs.iter().map(|input| &input.shape[..]).collect();
    let shape = broadcast(&shapes).ok()?;
    args.room(&shape)?;
    let expanded = inputs.into_iter().map(|input| match input.shape == shape {
        true => Some(input.clone()),
        false => take(input, &shape, broadcast_positions(&input.shape, &shape)),
    });
    expanded.collect::<Option<Vec<Constant>>>()?.try_into().ok()
}

fn pair(args: &Arguments) -> Option<[Constant; 2]> {
    together([args.input(0)?, args.input(1)?], args)
}

fn pair_of_numbers(args: &Arguments) -> Option<[Constant; 2]> {
    let [a, b] = pair(args)?;
    (a.as_bool().is_none() && b.as_bool().is_none()).then_some([a, b])
}

fn as_floats(x: &Constant) -> Option<Vec<f32>> {
    match &x.data {
        ConstantData::F32(values) => Some(values.to_vec()),
        ConstantData::I64(values) => Some(values.iter().map(|value| *value as f32).collect()),
        ConstantData::Bool(_) => None,
    }
}

/// An operation on two constants of one shape and type.
fn numbers(
    a: &Constant,
    b: &Constant,
    of_floats: impl Fn(f32, f32) -> Option<f32>,
    of_ints: impl Fn(i64, i64) -> Option<i64>,
) -> Option<Constant> {
    let data = match (&a.data, &b.data) {
        (ConstantData::F32(a), ConstantData::F32(b)) => {
            let values: Option<Arc<[f32]>> = a.iter().zip(b.iter()).map(|(a, b)| of_floats(*a, *b)).collect();
            ConstantData::F32(values?)
        }
        (ConstantData::I64(a), ConstantData::I64(b)) => {
            let values: Option<Arc<[i64]>> = a.iter().zip(b.iter()).map(|(a, b)| of_ints(*a, *b)).collect();
            ConstantData::I64(values?)
        }
        _ => return None,
    };
    Some(Constant { shape: a.shape.clone(), data })
}

fn compare(op_type: &str, args: &Arguments) -> Option<Constant> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let [a, b] = pair(args)?;
    let accepted: &[std::cmp::Ordering] = match op_type {
        "Equal" => &[Equal],
        "Greater" => &[Greater],
        "GreaterOrEqual" => &[Greater, Equal],
        "Less" => &[Less],
        _ => &[Less, Equal],
    };
    let holds =
        |ordering: Option<std::cmp::Ordering>| ordering.is_some_and(|found| accepted.contains(&found));
    let shape = a.shape.clone();
    Some(match (&a.data, &b.data) {
        (ConstantData::F32(a), ConstantData::F32(b)) => {
            bools(shape, a.iter().zip(b.iter()).map(|(a, b)| holds(a.partial_cmp(b))))
        }
        (ConstantData::I64(a), ConstantData::I64(b)) => {
            bools(shape, a.iter().zip(b.iter()).map(|(a, b)| holds(Some(a.cmp(b)))))
        }
        (ConstantData::Bool(a), ConstantData::Bool(b)) => {
            bools(shape, a.iter().zip(b.iter()).map(|(a, b)| holds(Some(a.cmp(b)))))
        }
        _ => return None,
    })
}

/// `Where` on constants.
fn choose(args: &Arguments) -> Option<Constant> {
    let [condition, x, y] = together([args.input(0)?, args.input(1)?, args.input(2)?], args)?;
    fn pick<T: Copy>(condition: &[bool], x: &[T], y: &[T]) -> Arc<[T]> {
        condition.iter().zip(x.iter().zip(y)).map(|(flag, (x, y))| if *flag { *x } else { *y }).collect()
    }
    let flags = condition.as_bool()?;
    let data = match (&x.data, &y.data) {
        (ConstantData::F32(x), ConstantData::F32(y)) => ConstantData::F32(pick(flags, x, y)),
        (ConstantData::I64(x), ConstantData::I64(y)) => ConstantData::I64(pick(flags, x, y)),
        (ConstantData::Bool(x), ConstantData::Bool(y)) => ConstantData::Bool(pick(flags, x, y)),
        _ => return None,
    };
    Some(Constant { shape: condition.shape, data })
}
