//! The processor in place of a device: the kernels' source compiled as C++, ONNX Runtime on the host's memory,
//! everything done at once. It tests all but NVIDIA's driver.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::HashMap;
use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::process::Command;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::driver::{Driver, Event, Fault, Stream};
use super::kernels::{Kernel, KernelBatch, NAMES, Shape};
use super::races::{Actor, Races};

type Launch = unsafe extern "C" fn(*const c_char, *const u32, *const u32, *mut *mut c_void) -> i32;

/// The kernels as a library of the processor; nothing where there is no C++ compiler, which is said.
fn kernels() -> Option<MutexGuard<'static, Launch>> {
    static LIBRARY: OnceLock<Option<Mutex<Launch>>> = OnceLock::new();
    let compiled = LIBRARY.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libkernels.so");
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
        let arguments =
            ["-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-fPIC", "-shared"];
        let done = Command::new(&compiler)
            .args(arguments)
            .arg(root.join("tests/kernels/kernels.cpp"))
            .arg("-o")
            .arg(&library)
            .output();
        let Ok(done) = done else {
            assert!(std::env::var_os("CI").is_none(), "no C++ compiler {compiler}");
            eprintln!("SKIPPED: no C++ compiler {compiler} to build the kernels for the processor (set CXX)");
            return None;
        };
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // SAFETY: the library just built, with the functions that it defines.
        unsafe {
            let library = libloading::Library::new(&library).unwrap();
            let size = library.get::<unsafe extern "C" fn() -> u64>(b"size_of_batch\0").unwrap()();
            assert_eq!(size as usize, size_of::<KernelBatch>(), "the source and kernels.rs must lay out a batch alike");
            let launch = *library.get::<Launch>(b"launch\0").unwrap();
            std::mem::forget(library);
            Some(Mutex::new(launch))
        }
    });
    compiled.as_ref().map(|launch| launch.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The processor in the place of a device.
pub(super) struct HostDriver {
    memory: Mutex<HashMap<u64, usize>>,
    races: Mutex<Races>,
    next_event: AtomicUsize,
    /// Bytes that are left.
    pub left: AtomicI64,
    /// Waits until the device is lost; never where negative.
    pub waits: AtomicI64,
    pub launches: AtomicUsize,
    /// Launches in the run stream that are refused for want of memory.
    pub refuse: AtomicUsize,
    events: AtomicUsize,
}

impl HostDriver {
    /// Nothing where the kernels cannot be built.
    pub fn new() -> Option<Arc<Self>> {
        drop(kernels()?);
        Some(Arc::new(Self {
            memory: Mutex::default(),
            races: Mutex::default(),
            next_event: AtomicUsize::new(0),
            left: AtomicI64::new(i64::MAX),
            waits: AtomicI64::new(-1),
            launches: AtomicUsize::new(0),
            refuse: AtomicUsize::new(0),
            events: AtomicUsize::new(0),
        }))
    }

    /// Bytes and events that are held.
    pub fn held(&self) -> (usize, usize) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        (memory.values().sum(), self.events.load(Ordering::SeqCst))
    }

    fn reserve(&self, bytes: usize) -> Result<NonNull<u8>, Fault> {
        if self.left.load(Ordering::SeqCst) < bytes as i64 {
            return Err(Fault::Memory("the test's device is full".to_owned()));
        }
        self.left.fetch_sub(bytes as i64, Ordering::SeqCst);
        // SAFETY: not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout(bytes)) }).unwrap();
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).insert(start.as_ptr() as u64, bytes);
        Ok(start)
    }

    fn races(&self) -> MutexGuard<'_, Races> {
        self.races.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, address: u64) {
        self.races().forget(address);
        let bytes = self
            .memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&address)
            .expect("held, and given back once");
        self.left.fetch_add(bytes as i64, Ordering::SeqCst);
        // SAFETY: of `reserve`.
        unsafe { dealloc(address as *mut u8, layout(bytes)) };
    }

    fn must_hold(&self, address: u64, bytes: usize) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(memory.get(&address).is_some_and(|&held| held >= bytes), "{bytes} bytes at {address:#x} are not held");
    }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes.max(1), 256).unwrap()
}

impl Driver for HostDriver {
    fn enter(&self) -> Result<(), Fault> {
        Ok(())
    }
    fn allocate(&self, bytes: usize) -> Result<u64, Fault> {
        self.reserve(bytes).map(|start| start.as_ptr() as u64)
    }
    unsafe fn free(&self, address: u64) {
        self.release(address);
    }
    fn allocate_host(&self, bytes: usize) -> Result<NonNull<u8>, Fault> {
        self.reserve(bytes)
    }
    unsafe fn free_host(&self, at: NonNull<u8>) {
        self.release(at.as_ptr() as u64);
    }
    unsafe fn upload(&self, stream: Stream, to: u64, from: NonNull<u8>, bytes: usize) -> Result<(), Fault> {
        self.must_hold(to, bytes);
        self.must_hold(from.as_ptr() as u64, bytes);
        self.races().work(stream.into(), &[(from.as_ptr() as u64, false), (to, true)]);
        // SAFETY: both are held and that long.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to as *mut u8, bytes) };
        Ok(())
    }
    unsafe fn download(&self, stream: Stream, to: NonNull<u8>, from: u64, bytes: usize) -> Result<(), Fault> {
        self.must_hold(from, bytes);
        self.must_hold(to.as_ptr() as u64, bytes);
        self.races().work(stream.into(), &[(from, false), (to.as_ptr() as u64, true)]);
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(from as *const u8, to.as_ptr(), bytes) };
        Ok(())
    }
    unsafe fn zero(&self, stream: Stream, at: u64, bytes: usize) -> Result<(), Fault> {
        self.must_hold(at, bytes);
        self.races().work(stream.into(), &[(at, true)]);
        // SAFETY: held and that long.
        unsafe { std::ptr::write_bytes(at as *mut u8, 0, bytes) };
        Ok(())
    }
    unsafe fn launch(
        &self,
        stream: Stream,
        kernel: Kernel,
        shape: Shape,
        arguments: &mut [*mut c_void],
    ) -> Result<(), Fault> {
        self.launches.fetch_add(1, Ordering::SeqCst);
        let refuse = |left: usize| (stream == Stream::Run && left > 0).then(|| left - 1);
        if self.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse).is_ok() {
            return Err(Fault::Memory("the test's device is full".to_owned()));
        }
        // SAFETY: every kernel's first two parameters.
        let (batch, tensor) = unsafe { (&*arguments[0].cast::<KernelBatch>(), *arguments[1].cast::<u64>()) };
        let of_jobs = batch.segments[..batch.used as usize].iter();
        let accesses = match stream {
            Stream::Fill => of_jobs.map(|job| (job.x, false)).chain([(tensor, true)]).collect::<Vec<_>>(),
            Stream::Run => of_jobs.map(|job| (job.counts, true)).chain([(tensor, false)]).collect(),
        };
        self.races().work(stream.into(), &accesses);
        let name = CString::new(NAMES[kernel.0]).unwrap();
        let launch = kernels().expect("built by `new`");
        // SAFETY: by contract; one launch at a time.
        let status =
            unsafe { launch(name.as_ptr(), shape.grid.as_ptr(), shape.block.as_ptr(), arguments.as_mut_ptr()) };
        assert_eq!(status, 0, "{name:?}");
        Ok(())
    }
    fn event(&self) -> Result<Event, Fault> {
        self.events.fetch_add(1, Ordering::SeqCst);
        Ok(Event(self.next_event.fetch_add(1, Ordering::SeqCst) as u64))
    }
    fn drop_event(&self, _: Event) {
        self.events.fetch_sub(1, Ordering::SeqCst);
    }
    fn record(&self, event: Event, stream: Stream) -> Result<(), Fault> {
        self.races().record(event, stream.into());
        Ok(())
    }
    fn order(&self, stream: Stream, after: Event) -> Result<(), Fault> {
        self.races().order(stream.into(), after);
        Ok(())
    }
    fn wait(&self, event: Event) -> Result<(), Fault> {
        self.races().order(Actor::Host, event);
        match self.waits.load(Ordering::SeqCst) {
            0 => Err(Fault::Lost("the test takes it away".to_owned())),
            left => {
                if left > 0 {
                    self.waits.store(left - 1, Ordering::SeqCst);
                }
                Ok(())
            }
        }
    }
    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }
    fn note_run(&self, input: u64, output: u64) {
        self.races().work(Actor::Run, &[(input, false), (output, true)]);
    }
    fn note_host(&self, at: NonNull<u8>) {
        self.races().work(Actor::Host, &[(at.as_ptr() as u64, true)]);
    }
}
