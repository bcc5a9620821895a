#[cfg(target_arch = "aarch64")]
use crate::aarch64;
#[cfg(target_arch = "x86_64")]
use crate::x86_sha;
use crate::{Hash, Job};

/// One way to do the rounds, made of instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    isa: Isa,
}

/// Which instructions a kernel is made of. Those that not every machine has come with a proof that
/// this one has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    Soft,
    #[cfg(target_arch = "x86_64")]
    X86Sha(x86_sha::Features),
    #[cfg(target_arch = "aarch64")]
    Aarch64(aarch64::Features),
}

impl Isa {
    /// What this machine has, the best first.
    fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let hardware = x86_sha::detect().map(Self::X86Sha);
        #[cfg(target_arch = "aarch64")]
        let hardware = aarch64::detect().map(Self::Aarch64);
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let hardware = std::iter::empty();
        hardware.chain([Self::Soft])
    }

    fn name(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            #[cfg(target_arch = "x86_64")]
            Self::X86Sha(features) => features.name(),
            #[cfg(target_arch = "aarch64")]
            Self::Aarch64(features) => features.name(),
        }
    }

    /// How many jobs run together at most.
    fn width(self) -> usize {
        match self {
            Self::Soft => 1,
            #[cfg(target_arch = "x86_64")]
            Self::X86Sha(features) => features.width(),
            #[cfg(target_arch = "aarch64")]
            Self::Aarch64(_) => 4,
        }
    }
}

impl Kernel {
    /// The best kernel for this machine. The machine is asked once.
    pub fn detect() -> Self {
        Self::all().next().unwrap_or(Self { isa: Isa::Soft })
    }

    /// Every kernel that this machine can run, the best first; for tests and benchmarks.
    pub fn all() -> impl Iterator<Item = Self> {
        Isa::all().map(|isa| Self { isa })
    }

    /// What it is called in benchmarks and logs.
    pub fn name(&self) -> &'static str {
        self.isa.name()
    }

    /// How many jobs to give [`advance`](Self::advance) at once for the most derivations per second;
    /// from 1 to 4.
    pub fn streams(&self) -> usize {
        self.isa.width()
    }

    /// Moves each job on by `rounds`, or by what is left of it. As many as fit run together, the
    /// others after them; those with the most to do come first, so that the widest interleave lasts
    /// as long as it can.
    pub fn advance<H: Hash>(&self, jobs: &mut [&mut Job<H>], rounds: u32) {
        let mut running: Vec<Run<'_, H>> =
            jobs.iter_mut().map(|job| Run::new(job, rounds)).collect();
        loop {
            running.retain(|run| run.left > 0);
            if running.is_empty() {
                return;
            }
            running.sort_by_key(|run| std::cmp::Reverse(run.left));
            let width = running.len().min(self.isa.width());
            together(self.isa, &mut running[..width]);
        }
    }
}

/// A job and what is left to do of it in this call.
struct Run<'a, H: Hash> {
    job: &'a mut Job<H>,
    left: u32,
}

impl<'a, H: Hash> Run<'a, H> {
    fn new(job: &'a mut Job<H>, rounds: u32) -> Self {
        let left = u32::try_from(job.remaining()).map_or(rounds, |remaining| remaining.min(rounds));
        Self { job, left }
    }
}

/// Moves all of these on until the first has done what it should.
fn together<H: Hash>(isa: Isa, running: &mut [Run<'_, H>]) {
    let rounds = running.iter().map(|run| run.left).min().unwrap_or(0);
    let mut jobs: Vec<&mut Job<H>> = Vec::with_capacity(running.len());
    for run in running {
        run.left -= rounds;
        jobs.push(run.job);
    }
    H::together(isa, &mut jobs, rounds);
    for job in jobs {
        job.done(rounds);
    }
}
