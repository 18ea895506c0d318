//! The one place where tensors are read back from a device.

use burn::tensor::Transaction;

use super::NetError;
use crate::ops::Value;
use crate::with_tensor;

/// The values of one tensor in row-major order.
///
/// # Errors
///
/// The device fails, or hands out something that is not of floats.
pub async fn read(value: Value) -> Result<Vec<f32>, NetError> {
    Ok(read_all(vec![value]).await?.pop().unwrap_or_default())
}

/// The values of several tensors, in one transfer.
///
/// # Errors
///
/// The device fails, or hands out something that is not of floats.
pub async fn read_all(values: Vec<Value>) -> Result<Vec<Vec<f32>>, NetError> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let transaction = values.into_iter().fold(
        Transaction::default(),
        |transaction, value| with_tensor!(value, tensor => transaction.register(tensor)),
    );
    let data = transaction.execute_async().await.map_err(|error| device_error(&error))?;
    data.into_iter().map(|data| data.try_into_vec::<f32>().map_err(|error| device_error(&error))).collect()
}

fn device_error(error: &impl std::fmt::Debug) -> NetError {
    NetError::Device { reason: format!("{error:?}") }
}
