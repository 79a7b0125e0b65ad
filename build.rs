//! What the C library says of its own build, and its name in the loader's eyes.

use std::process::Command;

/// The major version of the C ABI: part of the shared library's name.
const ABI: u32 = 1;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let rustc = Command::new(variable("RUSTC")).arg("--version").output().ok();
    let rustc = rustc.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let mut features: Vec<String> = std::env::vars()
        .filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase()))
        .filter(|name| name != "default")
        .collect();
    features.sort();
    println!(
        "cargo:rustc-env=SMOOTHTOPK_BUILD=abi {ABI}, {}, {}, {}, features: {}",
        variable("TARGET"),
        variable("PROFILE"),
        rustc.trim(),
        if features.is_empty() { "none".to_owned() } else { features.join(" ") }
    );
    match variable("CARGO_CFG_TARGET_OS").as_str() {
        "linux" | "android" | "freebsd" => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsmoothtopk.so.{ABI}");
            // Worker threads may still run the library's code after a host's dlclose.
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        "macos" => println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libsmoothtopk.{ABI}.dylib"),
        _ => {}
    }
}
