//! NVIDIA's driver, by cudarc: loaded when a device is first asked for.

use std::ffi::{CString, c_void};
use std::ptr::NonNull;

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;

use super::driver::{Driver, Event, Fault, Stream};
use super::kernels::{self, Kernel, Shape};
use crate::model::ComputeStream;
use crate::{Error, ErrorKind, Result, log};

/// A device's primary context, which ONNX Runtime uses too, with two streams and the kernels.
pub(super) struct Nvidia {
    device: sys::CUdevice,
    context: sys::CUcontext,
    fill: sys::CUstream,
    run: sys::CUstream,
    module: sys::CUmodule,
    functions: Vec<sys::CUfunction>,
    name: String,
}

// SAFETY: the driver's handles may be used from any thread whose current context is theirs, which `enter` sees to.
unsafe impl Send for Nvidia {}
// SAFETY: as above; the driver locks what its calls share.
unsafe impl Sync for Nvidia {}

/// Where the kernels come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelSource {
    /// The PTX that is part of this library; the driver compiles it for the device.
    #[default]
    Embedded,
    /// The source, compiled for the device by the NVRTC that the loader finds.
    Nvrtc,
}

fn refuse(device: u32, what: &str, error: impl std::fmt::Display) -> Error {
    let message = format!("cuda:{device} cannot be used: {what}: {error}");
    Error::new(ErrorKind::Provider, message).with_field("provider")
}

/// The oldest driver that has all that cudarc looks up: it ends the process's hope with a panic where one name is
/// missing.
const LEAST_DRIVER: i32 = 13_000;

/// Whether NVIDIA's driver is there and new enough; why not.
pub(super) fn find_driver() -> std::result::Result<(), String> {
    // SAFETY: loads the driver's library, which has no precondition, and calls what has been in it from the first.
    let version = unsafe {
        let library = libloading::Library::new("libcuda.so.1").map_err(|_| "the loader finds no libcuda.so.1")?;
        let get = library
            .get::<unsafe extern "C" fn(*mut i32) -> i32>(b"cuDriverGetVersion\0")
            .map_err(|_| "libcuda.so.1 has no cuDriverGetVersion")?;
        let mut version = 0;
        let status = get(&mut version);
        if status != 0 {
            return Err(format!("it does not tell its version (CUresult {status})"));
        }
        version
    };
    is_new_enough(version)
}

fn is_new_enough(version: i32) -> std::result::Result<(), String> {
    if version >= LEAST_DRIVER {
        return Ok(());
    }
    let cuda = |version: i32| format!("CUDA {}.{}", version / 1000, version % 1000 / 10);
    Err(format!(
        "it is for {}, and one for {} or later is needed (580 or later, as for ONNX Runtime's builds for that)",
        cuda(version),
        cuda(LEAST_DRIVER)
    ))
}

/// Devices that the driver shows.
pub(super) fn device_count() -> usize {
    if find_driver().is_err() {
        return 0;
    }
    result::init().and_then(|()| result::device::get_count()).map_or(0, |count| usize::try_from(count).unwrap_or(0))
}

impl Nvidia {
    pub fn open(device: u32, source: KernelSource) -> Result<Self> {
        find_driver().map_err(|reason| refuse(device, "NVIDIA's driver", reason))?;
        let said = |what| move |error: DriverError| refuse(device, what, describe(error));
        result::init().map_err(said("the driver"))?;
        let ordinal =
            i32::try_from(device).map_err(|_| refuse(device, "the device", "there is none of this number"))?;
        let handle = result::device::get(ordinal).map_err(said("the device"))?;
        let name = result::device::get_name(handle).map_err(said("the device"))?;
        // SAFETY: a device of the driver's.
        let context = unsafe { result::primary_ctx::retain(handle) }.map_err(said("its context"))?;
        let mut opened = Self {
            device: handle,
            context,
            fill: std::ptr::null_mut(),
            run: std::ptr::null_mut(),
            module: std::ptr::null_mut(),
            functions: Vec::new(),
            name,
        };
        opened.enter().map_err(|fault| refuse(device, "its context", fault))?;
        let stream = || result::stream::create(result::stream::StreamKind::NonBlocking).map_err(said("a stream"));
        opened.fill = stream()?;
        opened.run = stream()?;
        let image = match source {
            KernelSource::Embedded => kernels::PTX.to_owned(),
            KernelSource::Nvrtc => opened.compile().map_err(|error| refuse(device, "NVRTC", error))?,
        };
        let image = CString::new(image).map_err(|error| refuse(device, "the kernels", error))?;
        // SAFETY: PTX that ends with a NUL.
        opened.module = unsafe { result::module::load_data(image.as_ptr().cast()) }.map_err(said("the kernels"))?;
        for name in kernels::NAMES {
            let c_name = CString::new(name).map_err(|error| refuse(device, name, error))?;
            // SAFETY: the module is loaded.
            let function = unsafe { result::module::get_function(opened.module, c_name) };
            opened.functions.push(function.map_err(said("a kernel"))?);
        }
        log::info(format_args!("cuda:{device} is {}, kernels: {source:?}", opened.name));
        Ok(opened)
    }

    fn compile(&self) -> std::result::Result<String, String> {
        // SAFETY: loads the compiler's library, which has no precondition.
        if !unsafe { cudarc::nvrtc::sys::is_culib_present() } {
            return Err("the loader finds no libnvrtc.so".to_owned());
        }
        let attribute = |attribute| {
            // SAFETY: a device of the driver's.
            unsafe { result::device::get_attribute(self.device, attribute) }.map_err(describe)
        };
        let major = attribute(sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = attribute(sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        compile_for(&format!("compute_{major}{minor}"))
    }
}

/// The kernels' PTX for an architecture, by NVRTC.
pub(super) fn compile_for(architecture: &str) -> std::result::Result<String, String> {
    let mut options = kernels::OPTIONS.map(str::to_owned).to_vec();
    options.push(format!("--gpu-architecture={architecture}"));
    let options = cudarc::nvrtc::CompileOptions { options, ..Default::default() };
    // As for the driver: an NVRTC that lacks a name makes cudarc panic.
    let compiled = std::panic::catch_unwind(|| cudarc::nvrtc::compile_ptx_with_opts(kernels::SOURCE, options))
        .map_err(|_| "the libnvrtc.so that the loader finds is not one of CUDA 13".to_owned())?;
    let ptx = compiled.map_err(|error| format!("{error:?}"))?;
    Ok(ptx.to_src().trim_end_matches('\0').to_owned())
}

fn describe(error: DriverError) -> String {
    let text = |text: std::result::Result<&std::ffi::CStr, DriverError>| {
        text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
    };
    format!("{} ({})", text(error.error_string()), text(error.error_name()))
}

impl From<DriverError> for Fault {
    fn from(error: DriverError) -> Self {
        match error.0 {
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => Self::Memory(describe(error)),
            _ => Self::Lost(describe(error)),
        }
    }
}

impl ComputeStream for Nvidia {
    fn handle(&self) -> usize {
        self.run as usize
    }

    fn device_name(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

impl Nvidia {
    fn stream(&self, stream: Stream) -> sys::CUstream {
        match stream {
            Stream::Fill => self.fill,
            Stream::Run => self.run,
        }
    }
}

impl Driver for Nvidia {
    fn enter(&self) -> Result<(), Fault> {
        // SAFETY: retained until `drop`.
        unsafe { result::ctx::set_current(self.context) }?;
        // While ONNX Runtime records a graph, CUDA would refuse this thread to allocate: what it does is in no graph.
        let mut mode = sys::CUstreamCaptureMode_enum::CU_STREAM_CAPTURE_MODE_RELAXED;
        // SAFETY: swaps the calling thread's mode with this one.
        Ok(unsafe { sys::cuThreadExchangeStreamCaptureMode(&mut mode) }.result()?)
    }

    fn allocate(&self, bytes: usize) -> Result<u64, Fault> {
        // SAFETY: at least one byte; zeroed before it is given out.
        unsafe {
            let address = result::malloc_sync(bytes.max(1))?;
            // Our streams do not wait for the default stream, where this is done.
            let zeroed = result::memset_d8_sync(address, 0, bytes.max(1))
                .and_then(|()| result::stream::synchronize(result::stream::null()));
            if let Err(error) = zeroed {
                let _ = result::free_sync(address);
                return Err(error.into());
            }
            Ok(address)
        }
    }

    unsafe fn free(&self, address: u64) {
        let _ = self.enter();
        // A lost device frees nothing, and has nothing.
        // SAFETY: by contract; `cuMemFree` waits for work that uses it.
        let _ = unsafe { result::free_sync(address) };
    }

    fn allocate_host(&self, bytes: usize) -> Result<NonNull<u8>, Fault> {
        // SAFETY: at least one byte; zeroed before it is given out.
        unsafe {
            let start = result::malloc_host(bytes.max(1), 0)?.cast::<u8>();
            let start = NonNull::new(start).ok_or_else(|| Fault::Memory("no pinned memory".to_owned()))?;
            start.write_bytes(0, bytes.max(1));
            Ok(start)
        }
    }

    unsafe fn free_host(&self, at: NonNull<u8>) {
        let _ = self.enter();
        // SAFETY: by contract.
        let _ = unsafe { result::free_host(at.as_ptr().cast()) };
    }

    unsafe fn upload(&self, stream: Stream, to: u64, from: NonNull<u8>, bytes: usize) -> Result<(), Fault> {
        // SAFETY: by contract.
        let from = unsafe { std::slice::from_raw_parts(from.as_ptr(), bytes) };
        // SAFETY: by contract.
        Ok(unsafe { result::memcpy_htod_async(to, from, self.stream(stream)) }?)
    }

    unsafe fn download(&self, stream: Stream, to: NonNull<u8>, from: u64, bytes: usize) -> Result<(), Fault> {
        // SAFETY: by contract.
        let to = unsafe { std::slice::from_raw_parts_mut(to.as_ptr(), bytes) };
        // SAFETY: by contract.
        Ok(unsafe { result::memcpy_dtoh_async(to, from, self.stream(stream)) }?)
    }

    unsafe fn zero(&self, stream: Stream, at: u64, bytes: usize) -> Result<(), Fault> {
        // SAFETY: by contract.
        Ok(unsafe { result::memset_d8_async(at, 0, bytes, self.stream(stream)) }?)
    }

    unsafe fn launch(
        &self,
        stream: Stream,
        kernel: Kernel,
        shape: Shape,
        arguments: &mut [*mut c_void],
    ) -> Result<(), Fault> {
        let three = |[x, y]: [u32; 2]| (x, y, 1);
        let (grid, block) = (three(shape.grid), three(shape.block));
        // SAFETY: by contract; the function is of a module that stays loaded.
        Ok(unsafe { result::launch_kernel(self.functions[kernel.0], grid, block, 0, self.stream(stream), arguments) }?)
    }

    fn event(&self) -> Result<Event, Fault> {
        // The default would have a waiting thread spin; timings are not taken by events.
        let flags = sys::CUevent_flags_enum::CU_EVENT_BLOCKING_SYNC as u32
            | sys::CUevent_flags_enum::CU_EVENT_DISABLE_TIMING as u32;
        let mut event = std::ptr::null_mut();
        // SAFETY: gives an event of the current context.
        unsafe { sys::cuEventCreate(&mut event, flags) }.result()?;
        Ok(Event(event as u64))
    }

    fn drop_event(&self, event: Event) {
        let _ = self.enter();
        // SAFETY: of `event`; what waits for it is not disturbed.
        let _ = unsafe { result::event::destroy(event.0 as sys::CUevent) };
    }

    fn record(&self, event: Event, stream: Stream) -> Result<(), Fault> {
        // SAFETY: of `event`.
        Ok(unsafe { result::event::record(event.0 as sys::CUevent, self.stream(stream)) }?)
    }

    fn order(&self, stream: Stream, after: Event) -> Result<(), Fault> {
        let flags = sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT;
        // SAFETY: of `event`.
        Ok(unsafe { result::stream::wait_event(self.stream(stream), after.0 as sys::CUevent, flags) }?)
    }

    fn wait(&self, event: Event) -> Result<(), Fault> {
        // SAFETY: of `event`.
        Ok(unsafe { result::event::synchronize(event.0 as sys::CUevent) }?)
    }

    fn check(&self) -> Result<(), Fault> {
        // SAFETY: a stream of this context.
        match unsafe { sys::cuStreamQuery(self.run) }.result() {
            Err(DriverError(sys::CUresult::CUDA_ERROR_NOT_READY)) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(test)]
    fn note_run(&self, _: u64, _: u64) {
        // There the model runs on the host, at once, and not in the stream: what comes before it is waited for. A call
        // that is made to fail must not be this one. SAFETY: a stream of this context.
        let _ = unsafe { result::stream::synchronize(self.run).or_else(|_| result::stream::synchronize(self.run)) };
    }

    #[cfg(test)]
    fn note_host(&self, _: NonNull<u8>) {}
}

impl Drop for Nvidia {
    fn drop(&mut self) {
        let _ = self.enter();
        // What is not there (a device refused half-way) is not given back; a lost device has nothing to give.
        // SAFETY: all are this device's, and given back once; the sessions on the stream hold it, so they are gone.
        unsafe {
            for stream in [self.fill, self.run].into_iter().filter(|stream| !stream.is_null()) {
                let _ = result::stream::synchronize(stream);
                let _ = result::stream::destroy(stream);
            }
            if !self.module.is_null() {
                let _ = result::module::unload(self.module);
            }
            let _ = result::primary_ctx::release(self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_driver_is_refused_with_what_is_needed() {
        assert_eq!((is_new_enough(13_000), is_new_enough(13_020)), (Ok(()), Ok(())));
        let reason = is_new_enough(12_040).unwrap_err();
        assert!(reason.contains("CUDA 12.4") && reason.contains("CUDA 13.0") && reason.contains("580"), "{reason}");
    }
}
