//! What a command computes on.

use burn::tensor::Device;
use clap::ValueEnum;

use super::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    Cpu,
    /// What `wgpu` finds: Vulkan, Metal or DX12. Needs a build with `--features gpu`.
    Gpu,
}

impl DeviceName {
    /// For programs: `cpu` or `gpu`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }

    /// Opens the device. A GPU's operators are first tested against the CPU.
    ///
    /// # Errors
    ///
    /// A GPU in a build without, none in this machine, or one that computes something else than the CPU.
    pub fn open(self) -> Result<Device, Failure> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            Self::Gpu => gpu(),
        }
    }
}

#[cfg(feature = "gpu")]
fn gpu() -> Result<Device, Failure> {
    pollster::block_on(async {
        let device = Device::wgpu_options().init_async().await.map_err(|error| {
            Failure::BadInput(format!("no GPU could be opened: {error}. Hint: use --device cpu"))
        })?;
        crate::project::self_test(&device).await?;
        Ok(device)
    })
}

#[cfg(not(feature = "gpu"))]
fn gpu() -> Result<Device, Failure> {
    Err(Failure::BadInput(
        "this build has no GPU. Hint: build it with: cargo build --release --features gpu".into(),
    ))
}
