//! The hashing engine: a bounded pool of threads beside the async runtime.
