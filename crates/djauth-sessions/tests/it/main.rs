//! Sessions against real stores, and against what real Django wrote and answered.

mod beds;
mod cached;
mod cves;
mod engines;
mod fake_redis;
mod faults;
mod files;
mod middleware;
mod races;
mod vectors;
