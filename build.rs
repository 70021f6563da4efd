//! How the shared library is linked: it has the SONAME `libnthttp.so.0`, so that programs record that and not a build
//! path, and it stays in the process once it is there (`nodelete`), because its threads outlive a dlclose.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnthttp.so.0");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
