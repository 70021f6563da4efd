//! Gives the shared library its SONAME, so that programs record `libnthttp.so.0` and not a build path.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnthttp.so.0");
    }
}
