//! What the kernels of all processors are written with.

/// One step for all lanes.
macro_rules! each {
    ($lanes:ident, $keyed:ident, |$lane:ident, $one:ident| $step:expr) => {
        for ($lane, $one) in $lanes.iter_mut().zip($keyed) {
            $step;
        }
    };
    ($lanes:ident, |$lane:ident| $step:expr) => {
        for $lane in &mut $lanes {
            $step;
        }
    };
}

/// The way into a kernel, with the numbers of jobs that it takes: as many as its width.
macro_rules! together {
    ($name:ident, $hash:ty, $([$($job:ident),+])+) => {
        /// Moves jobs on, all of them together.
        #[expect(
            unsafe_code,
            reason = "functions for features of the processor are called"
        )]
        pub(crate) fn $name(_proof: Features, jobs: &mut [&mut Job<$hash>], rounds: u32) {
            match jobs {
                $(
                    // SAFETY: `_proof` says that the machine has what this is compiled for.
                    [$($job),+] => unsafe { $name::rounds([$($job),+], rounds) },
                )+
                jobs => unreachable!("{} jobs are more than the width", jobs.len()),
            }
        }
    };
}
