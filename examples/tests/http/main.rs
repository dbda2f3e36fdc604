//! The agents as callers meet them: over real HTTP. One binary, so that it is linked once.

// `cfg(test)` tells clippy that helpers which stand outside a test function are test code too.
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod wire;
