//! What becomes of the memory of dropped tensors.

/// Lets the process keep the memory of dropped tensors for the next ones: to be called once, when it starts.
///
/// The C library of Linux gives every large tensor back to the system and asks for it anew a moment later, which takes a
/// good part of a training step. Nothing changes on other systems.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // The most that the library takes; larger tensors are still given back.
        const LARGEST: libc::c_int = 32 << 20;
        // SAFETY: the function may be called at any time, and what it refuses stays as it was.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        }
    }
}
