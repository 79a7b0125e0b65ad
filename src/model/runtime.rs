//! ONNX Runtime: loaded at run time, one per process, kept until the process ends.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::raw::{HostApi, one_line};
use super::search::{self, LoadedRuntime, Place, ProbeOutcome, RuntimeLocation};
use crate::{Error, ErrorKind, Result, log};

/// ONNX Runtime, loaded. There is one per process; it is safe to use from any thread.
pub struct Runtime {
    path: PathBuf,
    version: String,
    source: RuntimeLocation,
    places: Vec<Place>,
    environment: Environment,
    /// The address of its `OrtApiBase`, which tells copies apart.
    base: usize,
    /// The file of the host's own, as far as the loader tells.
    host_file: Option<PathBuf>,
}

/// The one runtime of the process. It is leaked: ONNX Runtime cannot be unloaded and loaded again safely.
static LOADED: Mutex<Option<&'static Runtime>> = Mutex::new(None);

/// The latest warnings and errors that ONNX Runtime logged: they carry the reason where an error code does not.
static LOG: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
const LOG_LINES: usize = 32;

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Runtime {
    /// The runtime of this process, loaded by the first call: from `given`, or else from the first place that has it.
    ///
    /// The order: `given`, the variables `SMOOTHTOPK_ONNXRUNTIME` and `ORT_DYLIB_PATH` (a file or a folder), beside
    /// this library and the running program, the folder that `make setup` fills (in the source tree alone), the
    /// system's loader. A place that is named (the first three) and does not work is an error; the others are passed
    /// over. [`Place`] tells of each.
    ///
    /// Loading sets the environment variable `ORT_DISABLE_TELEMETRY`, unless it is set: load before starting threads
    /// that read the environment from C.
    ///
    /// # Errors
    /// [`ErrorKind::Runtime`] if none is found, if a named one cannot be loaded or is too old, or if another one than
    /// `given` was loaded before.
    pub fn load(given: Option<&Path>) -> Result<&'static Runtime> {
        // Before the lock is taken: the host's log, or what that waits for, may ask for the runtime.
        let _held = log::hold();
        let mut loaded = lock(&LOADED);
        if let Some(runtime) = *loaded {
            return runtime.is(given).map(|()| runtime);
        }
        let (places, found) = search::search(given);
        let found = found.ok_or_else(|| search::refusal(&places))?;
        let runtime: &'static Runtime = Box::leak(Box::new(Self::start(found, places)?));
        *loaded = Some(runtime);
        Ok(runtime)
    }

    /// Each place where the runtime is looked for, in order, and what was found there. Loads the first that works, as
    /// [`Runtime::load`] does.
    pub fn search(given: Option<&Path>) -> Vec<Place> {
        if let Some(runtime) = *lock(&LOADED) {
            return runtime.places.clone();
        }
        match Self::load(given) {
            Ok(runtime) => runtime.places.clone(),
            Err(_) => search::search(given).0,
        }
    }

    /// Uses the host's own ONNX Runtime: after that nothing is loaded. The one that is in use already is fine.
    ///
    /// Its environment stays the host's, with the host's log, if it has made one; telemetry is turned off in it.
    ///
    /// # Errors
    /// [`ErrorKind::Runtime`] if it is too old, or if another one is in use.
    pub fn adopt(host: HostApi) -> Result<&'static Runtime> {
        let fail = |message: String| Error::new(ErrorKind::Runtime, message).with_field("runtime");
        let _held = log::hold();
        let mut loaded = lock(&LOADED);
        if let Some(runtime) = *loaded {
            if runtime.base == host.address() {
                return Ok(runtime);
            }
            let message = "this process uses another ONNX Runtime already";
            return Err(fail(format!("{message}, {}; a process can use one", runtime.place())));
        }
        let version = host.version();
        if !search::is_recent(&version) {
            return Err(fail(format!("the host's ONNX Runtime {}", ProbeOutcome::TooOld(version))));
        }
        if !host.install() {
            return Err(fail(format!("the host's ONNX Runtime {version} cannot be used")));
        }
        let environment = ort::init().with_name("smoothtopk").with_telemetry(false).build();
        let environment = environment.map_err(|error| fail(one_line(error.message())).caused_by(error))?;
        let runtime: &'static Runtime = Box::leak(Box::new(Self {
            path: PathBuf::new(),
            version,
            source: RuntimeLocation::Host,
            places: Vec::new(),
            environment,
            base: host.address(),
            host_file: host.file(),
        }));
        log::info(format_args!("ONNX Runtime {} of the host", runtime.version));
        *loaded = Some(runtime);
        Ok(runtime)
    }

    fn start(found: LoadedRuntime, places: Vec<Place>) -> Result<Self> {
        let fail = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Runtime, format!("{}: {}", found.path.display(), one_line(&error.to_string())))
        };
        super::raw::disable_telemetry();
        let environment = ort::init_from(&found.path)
            .map_err(|error| fail(&error).caused_by(error))?
            .with_name("smoothtopk")
            .with_telemetry(false)
            .with_logger(Arc::new(|level, _category: &str, _id: &str, _location: &str, message: &str| {
                if level >= LogLevel::Warning {
                    remember(message);
                }
            }))
            .build()
            .map_err(|error| fail(&error).caused_by(error))?;
        // The environment starts at its most verbose level; formatting those messages would cost time in every run.
        environment.set_log_level(LogLevel::Warning);
        log::info(format_args!("ONNX Runtime {} from {} ({})", found.version, found.path.display(), found.source));
        let LoadedRuntime { path, version, source, base } = found;
        Ok(Self { path, version, source, places, environment, base, host_file: None })
    }

    /// Refuses a `given` path that is not the runtime already loaded.
    fn is(&self, given: Option<&Path>) -> Result<()> {
        let Some(given) = given else { return Ok(()) };
        let file = search::named_file(given).unwrap_or_else(|| given.to_owned());
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let used = if self.source == RuntimeLocation::Host { self.host_file.as_deref() } else { Some(self.path()) };
        if used.is_some_and(|used| real(&file) == real(used)) {
            return Ok(());
        }
        let message = format!(
            "{} was asked for, but this process uses {}; a process can use one ONNX Runtime",
            given.display(),
            self.place()
        );
        Err(Error::new(ErrorKind::Runtime, message).with_field("runtime"))
    }

    /// Which one it is, for messages.
    fn place(&self) -> String {
        match (self.source, &self.host_file) {
            (RuntimeLocation::Host, Some(file)) => format!("the host's, {}", file.display()),
            (RuntimeLocation::Host, None) => "the host's".to_owned(),
            _ => self.path.display().to_string(),
        }
    }

    /// The library's file; empty for the host's own.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version, such as `1.31.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Which place it came from.
    pub fn source(&self) -> RuntimeLocation {
        self.source
    }

    /// ONNX Runtime's own description of its build.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    /// The latest warnings and errors that ONNX Runtime logged in this process, oldest first, at most 32. Nothing of
    /// it is printed.
    pub fn recent_messages(&self) -> Vec<String> {
        lock(&LOG).iter().cloned().collect()
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("path", &self.path).field("version", &self.version).finish_non_exhaustive()
    }
}

fn remember(message: &str) {
    log::warn(format_args!("ONNX Runtime: {}", one_line(message)));
    let mut log = lock(&LOG);
    if log.len() == LOG_LINES {
        log.pop_front();
    }
    log.push_back(one_line(message));
}

/// Called before an attempt, so that what is logged after it belongs to the attempt.
pub(super) fn forget_messages() {
    lock(&LOG).clear();
}
