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

/// The way into a hash's kernels: for each kind of machine the kernel, and the numbers of jobs that it takes.
macro_rules! together {
    ($hash:ident, $type:ty, $($machine:pat => $kernel:ident $([$($job:ident),+])+),+) => {
        /// Moves jobs on, all of them together.
        #[expect(
            unsafe_code,
            reason = "functions for features of the processor are called"
        )]
        pub(crate) fn $hash(machine: Features, jobs: &mut [&mut Job<$type>], rounds: u32) {
            match (machine, jobs) {
                $($(
                    // SAFETY: `machine` is a proof that it has what the kernel is compiled for.
                    ($machine, [$($job),+]) => unsafe { $hash::$kernel([$($job),+], rounds) },
                )+)+
                (_, jobs) => unreachable!("{} jobs are more than the width", jobs.len()),
            }
        }
    };
}
